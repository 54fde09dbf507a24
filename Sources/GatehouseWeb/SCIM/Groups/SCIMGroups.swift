import GatehouseCore
import GatehouseWire
import HTTPTypes

/// `/Groups`: roles of the workspace, or its account groups.
struct SCIMGroups {
  let tenant: SCIMTenant

  private var members: SCIMGroupMembers { SCIMGroupMembers(tenant: tenant) }

  // MARK: Reading

  func get(_ id: String, _ projection: SCIMProjection) async throws -> SCIMGroupResource {
    try await resource(try await group(id), projection)
  }

  func query(_ query: SCIMQuery) async throws -> SCIMPage {
    try query.check(SCIMSchemas.groups)
    var found: [SCIMGroupName] = []
    for (index, group) in try await candidates(query.filter).enumerated() {
      if index % 100 == 99 { await Task.yield() }
      if let filter = query.filter {
        let needsMembers = filter.mentions("members")
        let bare = needsMembers ? try await resource(group, .all) : SCIMGroupResource(group, members: nil, tenant)
        guard filter.matches(bare.json, SCIMSchemas.groups) else { continue }
      }
      found.append(group)
    }
    query.sort(&found, SCIMSchemas.groups) { SCIMGroupResource($0, members: nil, tenant).json }
    let (part, page) = try query.part(of: found.count)
    var shown: [JSON] = []
    var room = SCIMGroupMembers.mostShown
    for group in found[part] {
      let resource = try await resource(group, query.projection, most: room)
      room -= resource.members?.count ?? 0
      shown.append(query.projection.applied(to: resource.json, SCIMSchemas.groups))
    }
    return page.with(shown)
  }

  /// The groups among which all are that meet a filter: those of a member whom it names, else all.
  private func candidates(_ filter: SCIMFilter?) async throws -> [SCIMGroupName] {
    let groups = try await tenant.groups()
    guard let member = filter?.conjuncts.lazy.compactMap(\.namedMember).first else { return groups }
    let held = try await members.groups(ofUser: member) ?? []
    return groups.filter { held.contains($0.key) }
  }

  private func group(_ id: String) async throws -> SCIMGroupName {
    guard let group = try await tenant.groups().first(where: { $0.id == id }) else {
      throw SCIMError.notFound("group \(id)")
    }
    return group
  }

  private func resource(
    _ group: SCIMGroupName, _ projection: SCIMProjection, most: Int = SCIMGroupMembers.mostShown
  ) async throws -> SCIMGroupResource {
    SCIMGroupResource(
      group, members: projection.has("members") ? try await members.all(of: group, most: most) : nil, tenant)
  }

  // MARK: Writing

  private func change(_ body: JSON) throws -> SCIMGroupChange {
    let normal = SCIMNormal(schemas: SCIMSchemas.groups, isStrict: tenant.isStrict)
    return try SCIMGroupChange(try normal.resource(body))
  }

  func create(_ body: JSON, _ projection: SCIMProjection) async throws -> SCIMGroupResource {
    let change = try change(body)
    guard let name = change.displayName else {
      throw SCIMError.invalid(.invalidValue, "displayName is missing: every group has one")
    }
    try requireFree(name, among: try await tenant.groups())
    try await members.requireUsers(change.joining)
    let external = change.externalID.flatMap { $0.isEmpty ? nil : ["EXTERNAL", $0] } ?? []
    let place = ["WORKSPACE", tenant.workspace]
    guard tenant.hasAccountGroups else {
      let id = Self.roleName(for: name)
      try await tenant.write(
        [["ROLE.DEFINE", id] + place + ["LABEL", name] + external] + change.joining.map { members.granting($0, id) })
      return try await get(id, projection)
    }
    let account = try await hasOldAccount(name) ? [] : [["ACCOUNT.CREATE", name, "CUSTOMER"] + place]
    try await tenant.write(
      [["GROUP.CREATE", name] + place + external] + account + [["GROUP.ADD", name, name] + place]
        + change.joining.map { ["EMPLOY.ADD", "#\($0)", name] + place })
    guard let made = try await tenant.groups().first(where: { $0.displayName == name }) else {
      throw SCIMError.notFound("group \(name) any more")
    }
    return try await get(made.id, projection)
  }

  /// Whether there is an account of the name that a group has left behind which was deleted: in no group, and with nobody.
  private func hasOldAccount(_ name: String) async throws -> Bool {
    guard let account = try await tenant.find("ACCOUNT.GET", name, "WORKSPACE", tenant.workspace),
      let id = account["id"]?.integer, account["name"]?.string == name
    else { return false }
    let people = try await tenant.ask("USER.COUNT", "WHERE", "employer", "=", "#\(id)").integer
    let isOld =
      account["groups"]?.elements?.isEmpty ?? false && account["type"]?.string == "customer" && people == 0
    guard isOld else {
      throw SCIMError(
        .conflict, .uniqueness,
        "displayName: \(name) is the name of an account that is in use; choose another name for the group")
    }
    return true
  }

  func replace(
    _ id: String, _ body: JSON, ifMatch: String?, _ projection: SCIMProjection
  ) async throws -> SCIMGroupResource {
    try await apply(try change(body), to: id, ifMatch)
    return try await get(id, projection)
  }

  func patch(_ id: String, _ body: JSON, ifMatch: String?) async throws {
    let patch = try SCIMPatch(body, isStrict: tenant.isStrict)
    try await apply(try SCIMGroupChange(patch, isStrict: tenant.isStrict), to: id, ifMatch)
  }

  func delete(_ id: String, ifMatch: String?) async throws {
    try await alone(id) {
      let group = try await group(id)
      try await check(ifMatch, group)
      guard tenant.hasAccountGroups else {
        return _ = try await tenant.ask("ROLE.DROP", group.id, "WORKSPACE", tenant.workspace)
      }
      // Those who were put into it by its own account leave that account; the account stays, with its history.
      var commands: [[String]] = []
      if let account = try await members.ownAccount(of: group) {
        for user in try await members.all(of: group) { commands += try await members.ending(user, at: [account]) }
      }
      try await tenant.write(commands + [["GROUP.DELETE", "#\(group.id)"]], about: "#\(group.id)")
    }
  }

  private func apply(_ change: SCIMGroupChange, to id: String, _ ifMatch: String?) async throws {
    try await alone(id) {
      let groups = try await tenant.groups()
      guard let group = groups.first(where: { $0.id == id }) else { throw SCIMError.notFound("group \(id)") }
      try await check(ifMatch, group)
      if let name = change.displayName { try requireFree(name, among: groups.filter { $0.id != id }) }
      try await tenant.write(
        try await naming(group, change) + (try await members.commands(for: change, of: group)),
        about: tenant.hasAccountGroups ? "#\(group.id)" : group.id)
    }
  }

  /// Requests that change the same group take turns, so that none changes what another has just checked.
  private func alone(_ id: String, _ body: () async throws -> Void) async throws {
    try await tenant.turns.alone("\(tenant.workspace)/\(id)", body)
  }

  private func check(_ ifMatch: String?, _ group: SCIMGroupName) async throws {
    guard let ifMatch, ifMatch != "*" else { return }
    let current = try await resource(group, .all)
    guard SCIMVersion(current.etag ?? "").matches(ifMatch) else {
      throw SCIMError(
        .preconditionFailed, nil, "the group has the version \(current.etag ?? "") by now; read it anew")
    }
  }

  /// The commands that give a group another name or identifier.
  private func naming(_ group: SCIMGroupName, _ change: SCIMGroupChange) async throws -> [[String]] {
    let name = change.displayName.flatMap { $0 == group.displayName ? nil : $0 }
    let external = change.externalID.flatMap { $0 == group.externalID ?? "" ? nil : $0 }
    guard tenant.hasAccountGroups else {
      let label = (name.map { ["LABEL", $0] } ?? []) + (external.map { ["EXTERNAL", $0] } ?? [])
      return label.isEmpty ? [] : [["ROLE.DEFINE", group.id, "WORKSPACE", tenant.workspace] + label]
    }
    var commands = external.map { [["GROUP.EXTERNAL", "#\(group.id)", $0]] } ?? []
    if let name {
      let account = try await members.ownAccount(of: group)
      commands.append(["GROUP.RENAME", "#\(group.id)", name])
      if let account { commands.append(["ACCOUNT.SET", "#\(account)", "name", name]) }
    }
    return commands
  }

  // MARK: Names

  private func requireFree(_ name: String, among groups: [SCIMGroupName]) throws {
    if let other = groups.first(where: { $0.displayName.isSame(as: name) }) {
      throw SCIMError(.conflict, .uniqueness, "displayName: \(name) is that of the group \(other.id)")
    }
  }

  /// A name for the role that a group is: readable, and different for each group that was ever made.
  private static func roleName(for displayName: String) -> String {
    var name = ""
    for byte in displayName.lowercased().utf8 {
      let isPlain = byte &- 0x61 < 26 || byte &- 0x30 < 10
      if isPlain {
        name.append(Character(Unicode.Scalar(byte)))
      } else if !name.isEmpty, name.last != "-" {
        name += "-"
      }
      if name.utf8.count == 40 { break }
    }
    let number = UInt64.random(in: 0..<(1 << 40))
    let digits = String(number, radix: 36)
    return (name.isEmpty || name.last == "-" ? name : name + "-") + digits
  }
}

extension SCIMFilter {
  /// The user whom `members eq "1"` or `members[value eq "1"]` names.
  fileprivate var namedMember: String? {
    switch self {
    case .compare(let path, .equal, .string(let id))
    where path.name.isSame(as: "members") && path.sub?.isSame(as: "value") ?? true:
      id
    case .anyValue(let path, .compare(let inner, .equal, .string(let id)))
    where path.name.isSame(as: "members") && inner.name.isSame(as: "value") && inner.sub == nil:
      id
    default: nil
    }
  }
}
