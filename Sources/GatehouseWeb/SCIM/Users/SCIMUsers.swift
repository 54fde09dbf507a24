import GatehouseWire
import HTTPTypes

/// `/Users`: one person at a time.
struct SCIMUsers {
  let tenant: SCIMTenant

  /// How often a change is tried again that somebody else's came in between.
  private static let attempts = 5

  static func isID(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 &- 0x30 < 10 } && Int64(text).map { $0 > 0 } ?? false
  }

  // MARK: Reading

  func get(_ id: String) async throws -> SCIMUserResource {
    guard Self.isID(id), let answer = try await tenant.find("USER.GET", "#\(id)") else {
      throw SCIMError.notFound("user \(id)")
    }
    let user = SCIMUserResource(answer, tenant, try await tenant.groups())
    // A command finds whom somebody was merged into. An id of SCIM names one person and no other (RFC 7643, section 3.1).
    guard user.isThere, user.id == id else { throw SCIMError.notFound("user \(id)") }
    return user
  }

  func shown(_ user: SCIMUserResource, _ projection: SCIMProjection) -> JSON {
    projection.applied(to: user.json, tenant.users)
  }

  private var normal: SCIMNormal { SCIMNormal(schemas: tenant.users, isStrict: tenant.isStrict) }

  // MARK: Writing

  func create(_ body: JSON) async throws -> SCIMUserResource {
    let resource = try normal.resource(body)
    let fields = try SCIMUserFields(resource, tenant)
    guard !fields.username.isEmpty else {
      throw SCIMError.invalid(.invalidValue, "userName is missing: every user has one")
    }
    try requireName(fields.username)
    try requireAll(resource)
    let password = tenant.takesPasswords ? resource[any: "password"]?.string : nil
    let creation = fields.creation(in: tenant, password: password)
    let managing = try await fields.managing(fields.username, from: nil, in: tenant)
    let made: RESPValue?
    if password == nil {
      made = try await tenant.write([creation] + managing).first
    } else {
      // Hashing a password takes a while, and nothing waits for it together with others.
      made = try await tenant.ask(creation)
      try await tenant.write(managing)
    }
    return try await get(String(made?["id"]?.integer ?? 0))
  }

  /// Replaces what is there by the body. What providers leave out without meaning to clear it stays: who the person is to
  /// the provider, whether they are active, the time zone and language that people choose for themselves, and extensions
  /// that are not named at all.
  func replace(_ id: String, _ body: JSON, ifMatch: String?) async throws -> SCIMUserResource {
    let resource = try normal.resource(body)
    guard resource[any: "userName"] != nil else {
      throw SCIMError.invalid(.invalidValue, "userName is missing: every user has one")
    }
    return try await change(id, ifMatch: ifMatch) { current in
      var wanted = resource
      for name in ["externalId", "active", "timezone", "locale", "preferredLanguage"]
        + tenant.users.extensions.map(\.id)
      where wanted[any: name] == nil {
        if let value = current[any: name] { wanted = wanted.setting(name, value) }
      }
      return wanted
    }
  }

  func patch(_ id: String, _ body: JSON, ifMatch: String?) async throws -> SCIMUserResource {
    let patch = try SCIMPatch(body, isStrict: tenant.isStrict)
    return try await change(id, ifMatch: ifMatch) { current in
      let wanted = try await patch.applied(to: current, normal)
      guard wanted[any: "active"] != nil else {
        throw SCIMError.invalid(
          .invalidValue, "active cannot be removed, because everybody has a status; set it to false")
      }
      return wanted
    }
  }

  func delete(_ id: String, ifMatch: String?) async throws {
    let user = try await get(id)
    try Self.check(ifMatch, user)
    let version = ifMatch == nil || ifMatch == "*" ? [] : ["IFVERSION", String(user.version)]
    // Of somebody whose home is another workspace, this one has the membership alone (W2, W3).
    guard user.home == tenant.workspace else {
      return _ = try await tenant.ask(
        ["WORKSPACE.MEMBER", tenant.workspace, "#\(user.id)", "REMOVE", "REASON", "SCIM", "ACCEPT-BILLING"])
    }
    _ = try await tenant.ask(["USER.DELETE", "#\(user.id)", "REASON", "SCIM", "ACCEPT-BILLING"] + version)
  }

  // MARK: Changing

  /// Makes of a user what `wanted` makes of the resource as it is: by one command or by several in one record. If somebody
  /// changes the user meanwhile, it begins anew with what is there then, unless the client has named a version.
  private func change(
    _ id: String, ifMatch: String?, to wanted: (JSON) async throws -> JSON
  ) async throws -> SCIMUserResource {
    for attempt in 1... {
      let user = try await get(id)
      try Self.check(ifMatch, user)
      do {
        return try await change(user, to: try await wanted(user.json))
      } catch let error as SCIMError
        where error.status == .preconditionFailed && ifMatch == nil && attempt < Self.attempts
      {
        continue
      }
    }
    preconditionFailure("the attempts end with an answer")
  }

  private func change(_ user: SCIMUserResource, to wanted: JSON) async throws -> SCIMUserResource {
    let old = try SCIMUserFields(user.json, tenant)
    let new = try SCIMUserFields(wanted, tenant)
    guard !new.username.isEmpty else { throw SCIMError.invalid(.invalidValue, "userName cannot be empty") }
    if new.username != old.username { try requireName(new.username) }
    try requireAll(wanted, besides: user.json)
    var user = user
    if let password = wanted[any: "password"]?.string, tenant.takesPasswords {
      _ = try await tenant.ask("PASSWORD.SET", "#\(user.id)", password)
      user = try await get(user.id)
    }
    try await tenant.write(try await new.changes(from: old, of: user, in: tenant), about: "#\(user.id)")
    return try await get(user.id)
  }

  /// `#1` names a user by id in commands.
  private func requireName(_ name: String) throws {
    if name.hasPrefix("#") { throw SCIMError.invalid(.invalidValue, "userName cannot begin with #") }
  }

  /// Refuses a resource that lacks what the workspace requires; what it lacked before it may lack.
  private func requireAll(_ resource: JSON, besides old: JSON? = nil) throws {
    let lacked = old.map(tenant.users.missing) ?? []
    guard let missing = tenant.users.missing(in: resource).first(where: { !lacked.contains($0) }) else { return }
    throw SCIMError.invalid(
      .invalidValue, "\(missing.urn ?? ""):\(missing.name) is missing: the workspace requires it of everybody")
  }

  static func check(_ ifMatch: String?, _ user: SCIMUserResource) throws {
    guard let ifMatch, !SCIMVersion(user.etag).matches(ifMatch) else { return }
    throw SCIMError(.preconditionFailed, nil, "the user has the version \(user.etag) by now; read it anew")
  }
}
