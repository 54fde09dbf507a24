import GatehouseWire
import HTTPTypes

/// `/Groups`: roles of the workspace, or its account groups.
struct SCIMGroups {
  let tenant: SCIMTenant

  /// Members that one answer shows; more would be an answer that nobody reads.
  private static let mostShown = 100_000

  // MARK: Reading

  func get(_ id: String, _ projection: SCIMProjection) async throws -> JSON {
    let group = try await group(id)
    return projection.applied(to: try await resource(group, projection), SCIMSchemas.groups)
  }

  func query(_ query: SCIMQuery) async throws -> SCIMPage {
    var found: [SCIMGroupName] = []
    for group in try await tenant.groups() {
      if let filter = query.filter {
        let bare = filter.mentions("members") ? try await resource(group, .all) : resource(group, members: [])
        guard filter.matches(bare, SCIMSchemas.groups) else { continue }
      }
      found.append(group)
    }
    try query.sort(&found, SCIMSchemas.groups) { resource($0, members: []) }
    let (part, page) = try query.part(of: found.count)
    var shown: [JSON] = []
    for group in found[part] {
      shown.append(query.projection.applied(to: try await resource(group, query.projection), SCIMSchemas.groups))
    }
    return page.with(shown)
  }

  private func group(_ id: String) async throws -> SCIMGroupName {
    guard let group = try await tenant.groups().first(where: { $0.id == id }) else {
      throw SCIMError.notFound("group \(id)")
    }
    return group
  }

  private func resource(_ group: SCIMGroupName, _ projection: SCIMProjection) async throws -> JSON {
    guard projection.has("members") else { return resource(group, members: []) }
    let members = try await members(of: group).map { user in
      let id = String(user["id"]?.integer ?? 0)
      return JSON.object([
        ("value", .string(id)), ("$ref", .string("\(tenant.base)/Users/\(id)")), ("type", .string("User")),
      ])
    }
    return resource(group, members: members)
  }

  private func resource(_ group: SCIMGroupName, members: [JSON]) -> JSON {
    var resource: [JSON.Member] = [
      ("schemas", .array([.string(SCIMSchemas.group)])), ("id", .string(group.id)),
    ]
    if let external = group.externalID { resource.append(("externalId", .string(external))) }
    resource.append(("displayName", .string(group.displayName)))
    if !members.isEmpty { resource.append(("members", .array(members))) }
    resource.append(
      (
        "meta",
        .object([
          ("resourceType", .string("Group")), ("location", .string("\(tenant.base)/Groups/\(group.id)")),
        ])
      ))
    return .object(resource)
  }

  /// The users in a group.
  private func members(of group: SCIMGroupName) async throws -> [RESPValue] {
    let condition = tenant.hasAccountGroups ? ["WHERE", "group", "=", group.key] : ["WHERE", "role", "=", group.id]
    var users: [RESPValue] = []
    var cursor = "0"
    repeat {
      let words = ["USER.LIST"] + condition + ["CURSOR", cursor, "COUNT", "5000", "FIELDS", "1", "id"]
      let page = try await tenant.ask(words).elements ?? []
      cursor = page.first?.string ?? "0"
      users += page.dropFirst().first?.elements ?? []
      guard users.count <= Self.mostShown else {
        throw SCIMError.invalid(
          .tooMany, "\(group.displayName) has more than \(Self.mostShown) members; ask with excludedAttributes=members")
      }
      await Task.yield()
    } while cursor != "0"
    return users
  }

  // MARK: Writing

  func create(_ body: JSON, _ projection: SCIMProjection) async throws -> (id: String, JSON) {
    let normal = SCIMNormal(schemas: SCIMSchemas.groups, isStrict: tenant.isStrict)
    let change = try SCIMGroupChange(try normal.resource(body))
    guard let name = change.displayName else {
      throw SCIMError.invalid(.invalidValue, "displayName is missing: every group has one")
    }
    let groups = try await tenant.groups()
    try requireFree(name, among: groups)
    let id: String
    if tenant.hasAccountGroups {
      try await tenant.write(
        [
          ["GROUP.CREATE", name, "WORKSPACE", tenant.workspace],
          ["ACCOUNT.CREATE", name, "CUSTOMER", "WORKSPACE", tenant.workspace],
          ["GROUP.ADD", name, name, "WORKSPACE", tenant.workspace],
        ] + change.joining.map { ["EMPLOY.ADD", "#\($0)", name, "WORKSPACE", tenant.workspace] })
      guard let made = try await tenant.groups().first(where: { $0.displayName == name }) else {
        throw SCIMError.notFound("group \(name) any more")
      }
      id = made.id
    } else {
      id = Self.roleName(for: name)
      var definition = ["ROLE.DEFINE", id, "WORKSPACE", tenant.workspace, "LABEL", name]
      if let external = change.externalID, !external.isEmpty { definition += ["EXTERNAL", external] }
      try await tenant.write([definition] + change.joining.map { granting($0, id) })
    }
    return (id, try await get(id, projection))
  }

  func replace(_ id: String, _ body: JSON, _ projection: SCIMProjection) async throws -> JSON {
    let normal = SCIMNormal(schemas: SCIMSchemas.groups, isStrict: tenant.isStrict)
    try await apply(try SCIMGroupChange(try normal.resource(body)), to: id)
    return try await get(id, projection)
  }

  func patch(_ id: String, _ body: JSON) async throws {
    try await apply(
      try SCIMGroupChange(try SCIMPatch(body, isStrict: tenant.isStrict), isStrict: tenant.isStrict), to: id)
  }

  func delete(_ id: String) async throws {
    let group = try await group(id)
    guard tenant.hasAccountGroups else {
      return _ = try await tenant.ask("ROLE.DROP", group.id, "WORKSPACE", tenant.workspace)
    }
    // Those who were put into it by its own account leave that account; the account stays, with its history.
    let account = try await ownAccount(of: group)
    var commands: [[String]] = []
    for user in account == nil ? [] : try await members(of: group) {
      commands += try await ending(String(user["id"]?.integer ?? 0), at: [account!])
    }
    try await tenant.write(commands + [["GROUP.DELETE", "#\(group.id)"]])
  }

  private func apply(_ change: SCIMGroupChange, to id: String) async throws {
    let groups = try await tenant.groups()
    guard let group = groups.first(where: { $0.id == id }) else { throw SCIMError.notFound("group \(id)") }
    if let name = change.displayName { try requireFree(name, among: groups.filter { $0.id != id }) }
    var leaving = change.leaving
    var joining = change.joining
    if change.isWhole || !leaving.isEmpty || !joining.isEmpty {
      // A few members are asked about one by one, so that a large group costs nothing.
      let held =
        change.isWhole || leaving.count + joining.count > 50
        ? Set(try await members(of: group).compactMap { $0["id"]?.integer.map(String.init) })
        : try await held(among: leaving.union(joining), in: group)
      leaving = change.isWhole ? held.subtracting(joining) : leaving.intersection(held)
      joining = joining.filter { !held.contains($0) }
    }
    guard leaving.count <= SCIMGroupChange.mostMembers else {
      throw SCIMError.invalid(
        .tooMany, "more than \(SCIMGroupChange.mostMembers) members would leave; remove them in several requests")
    }
    try await tenant.write(
      try await naming(group, change) + (try await members(of: group, joining: joining, leaving: leaving)))
  }

  private func held(among ids: Set<String>, in group: SCIMGroupName) async throws -> Set<String> {
    var held: Set<String> = []
    for id in ids {
      guard let user = try await tenant.find("USER.GET", "#\(id)") else { continue }
      if SCIMGroupName.held(by: user, in: tenant).contains(group.key) { held.insert(id) }
    }
    return held
  }

  /// The commands that give a group another name.
  private func naming(_ group: SCIMGroupName, _ change: SCIMGroupChange) async throws -> [[String]] {
    guard tenant.hasAccountGroups else {
      var label: [String] = []
      if let name = change.displayName, name != group.displayName { label += ["LABEL", name] }
      if let external = change.externalID, external != group.externalID ?? "" { label += ["EXTERNAL", external] }
      return label.isEmpty ? [] : [["ROLE.DEFINE", group.id, "WORKSPACE", tenant.workspace] + label]
    }
    guard let name = change.displayName, name != group.displayName else { return [] }
    let account = try await ownAccount(of: group)
    return [["GROUP.RENAME", "#\(group.id)", name]] + (account.map { [["ACCOUNT.SET", "#\($0)", "name", name]] } ?? [])
  }

  /// The commands that put people into a group and take them out.
  private func members(
    of group: SCIMGroupName, joining: [String], leaving: Set<String>
  ) async throws -> [[String]] {
    guard tenant.hasAccountGroups else {
      return joining.map { granting($0, group.id) }
        + leaving.sorted().map { ["ROLE.REVOKE", "#\($0)", group.id, "WORKSPACE", tenant.workspace] }
    }
    var commands: [[String]] = []
    if !joining.isEmpty {
      guard let account = try await ownAccount(of: group) else {
        throw SCIMError(
          .conflict, nil,
          "people are in an account group by the accounts that employ them, and \(group.displayName) has no account of"
            + " its own name: ACCOUNT.CREATE and GROUP.ADD make one")
      }
      commands += joining.map { ["EMPLOY.ADD", "#\($0)", "#\(account)"] }
    }
    if !leaving.isEmpty {
      let accounts = try await accounts(of: group).map(\.id)
      for user in leaving.sorted() { commands += try await ending(user, at: accounts) }
    }
    return commands
  }

  private func granting(_ user: String, _ role: String) -> [String] {
    ["ROLE.GRANT", "#\(user)", role, "WORKSPACE", tenant.workspace]
  }

  // MARK: Account groups

  /// The account through which SCIM puts people into an account group: the one of the same name.
  private func ownAccount(of group: SCIMGroupName) async throws -> String? {
    try await accounts(of: group).first { $0.name == group.displayName }?.id
  }

  private func accounts(of group: SCIMGroupName) async throws -> [(id: String, name: String)] {
    var accounts: [(String, String)] = []
    var cursor = "0"
    repeat {
      let page =
        try await tenant.ask(
          "ACCOUNT.LIST", "GROUP", "#\(group.id)", "CURSOR", cursor, "COUNT", "1000"
        ).elements ?? []
      cursor = page.first?.string ?? "0"
      for account in page.dropFirst().first?.elements ?? [] {
        guard let id = account["id"]?.integer, let name = account["name"]?.string else { continue }
        accounts.append((String(id), name))
      }
    } while cursor != "0"
    return accounts
  }

  /// The commands that end what employs a user at accounts today.
  private func ending(_ user: String, at accounts: [String]) async throws -> [[String]] {
    let held = try await tenant.ask("EMPLOY.LIST", "#\(user)", "WORKSPACE", tenant.workspace).elements ?? []
    return held.compactMap { employment in
      guard employment["current"]?.integer == 1, let id = employment["id"]?.integer.map(String.init),
        accounts.contains(id)
      else { return nil }
      return ["EMPLOY.END", "#\(user)", "#\(id)"]
    }
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
