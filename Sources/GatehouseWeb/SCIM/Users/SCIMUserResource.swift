import GatehouseWire

/// A user as SCIM shows it, made of what `USER.GET` answers.
struct SCIMUserResource {
  let id: String
  let version: Int64
  let username: String
  let status: String
  let home: String?
  let json: JSON
  /// The names by which `USER.SET` takes the workspace's fields of this user.
  let fieldNames: [String: String]

  /// - Parameter groups: the groups of the workspace, of which the user's are shown.
  init(_ user: RESPValue, _ tenant: SCIMTenant, _ groups: [SCIMGroupName]) {
    id = String(user["id"]?.integer ?? 0)
    version = user["version"]?.integer ?? 0
    username = user["username"]?.string ?? ""
    status = user["status"]?.string ?? ""
    home = user["home"]?.string
    var names: [String: String] = [:]
    for pair in user["fields"]?.pairs ?? [] {
      guard let name = pair.key.string else { continue }
      // A field of a workspace that is not the home has the workspace in front.
      let prefix = "\(tenant.workspace)/"
      names[name.hasPrefix(prefix) ? String(name.dropFirst(prefix.utf8.count)) : name] = name
    }
    fieldNames = names
    json = Self.json(user, id, version, names, tenant, groups)
  }

  var etag: String { Self.etag(version) }

  static func etag(_ version: Int64) -> String { "W/\"\(version)\"" }

  /// A user who was deleted is no resource any more.
  var isThere: Bool { status != "deleted" }

  private static func json(
    _ user: RESPValue, _ id: String, _ version: Int64, _ names: [String: String], _ tenant: SCIMTenant,
    _ groups: [SCIMGroupName]
  ) -> JSON {
    var kept: [String: String] = [:]
    let prefix = "\(tenant.workspace)/"
    for pair in user["provisioned"]?.pairs ?? [] {
      guard let key = pair.key.string, key.hasPrefix(prefix) else { continue }
      kept[String(key.dropFirst(prefix.utf8.count))] = pair.value.string
    }
    var resource = JSON.object([("schemas", .array([])), ("id", .string(id))])
    var enterprise = JSON.object([])
    func place(_ path: SCIMAttributePath, _ text: String) {
      if path.urn != nil {
        enterprise = enterprise.setting(path.name, .string(text))
      } else if let sub = path.sub {
        resource = resource.setting(
          path.name, (resource[any: path.name] ?? .object([])).setting(sub, .string(text)))
      } else {
        resource = resource.setting(path.name, .string(text))
      }
    }
    if let external = kept["externalId"] { place(SCIMAttributePath("externalId"), external) }
    place(SCIMAttributePath("userName"), user["username"]?.string ?? "")
    for (path, field) in SCIMUserFields.cardTexts {
      if let text = user[field]?.string { place(path, text) }
    }
    for (path, name) in SCIMUserFields.keptTexts where name != "externalId" {
      if let text = kept[name] { place(path, text) }
    }
    if let zone = kept[SCIMUserFields.timezone] { place(SCIMAttributePath("timezone"), zone) }
    if kept["preferredLanguage"] == nil, kept["locale"] == nil, let language = user["language"]?.string {
      place(SCIMAttributePath("preferredLanguage"), language)
    }
    resource = resource.setting("active", .bool(isActive(user["status"]?.string)))
    for name in SCIMUserFields.lists {
      let field = SCIMUserFields.listsOfCard.first { $0.0 == name }?.1
      let list = SCIMUserFields.list(kept: kept[name], card: field.flatMap { user[$0]?.string })
      if let list { resource = resource.setting(name, list) }
    }
    for (name, list) in readOnly(user, tenant, groups) where !list.isEmpty {
      resource = resource.setting(name, .array(list))
    }
    if let manager = kept[SCIMUserFields.manager] {
      enterprise = enterprise.setting("manager", .object([("value", .string(manager))]))
    }
    var schemas = [SCIMSchemas.user]
    if !enterprise.isEmptyValue {
      resource = resource.setting(SCIMSchemas.enterprise, enterprise)
      schemas.append(SCIMSchemas.enterprise)
    }
    let fields = fields(user, names, tenant)
    if !fields.isEmpty {
      resource = resource.setting(SCIMSchemas.fields, .object(fields))
      schemas.append(SCIMSchemas.fields)
    }
    resource = resource.setting("schemas", .array(schemas.map { .string($0) }))
    return resource.setting("meta", meta(user, id, version, tenant))
  }

  /// Somebody whose login is locked for a while, or who has not begun yet, is provisioned all the same: only `inactive`
  /// is what a provider has switched off.
  static func isActive(_ status: String?) -> Bool { status != "inactive" && status != "deleted" }

  private static func fields(_ user: RESPValue, _ names: [String: String], _ tenant: SCIMTenant) -> [JSON.Member] {
    var members: [JSON.Member] = []
    for (name, kind) in tenant.fieldKinds.sorted(by: { $0.key < $1.key }) {
      guard let text = names[name].flatMap({ user["fields"]?[$0]?.string }) else { continue }
      let value: JSON =
        switch kind {
        case "number": Int64(text).map { .integer($0) } ?? .string(text)
        case "flag": .bool(text == "1")
        default: .string(text)
        }
      members.append((name, value))
    }
    return members
  }

  /// Groups, roles and entitlements.
  private static func readOnly(
    _ user: RESPValue, _ tenant: SCIMTenant, _ groups: [SCIMGroupName]
  ) -> [(String, [JSON])] {
    let held = SCIMGroupMembers.held(by: user, in: tenant)
    let shown = groups.filter { held[$0.key] != nil }.map { group in
      JSON.object([
        ("value", .string(group.id)), ("$ref", .string("\(tenant.base)/Groups/\(group.id)")),
        ("display", .string(group.displayName)), ("type", .string("direct")),
      ])
    }
    let roles = (user["roles"]?.elements ?? []).compactMap { grant -> JSON? in
      guard let role = grant["role"]?.string, let scope = grant["scope"]?.string else { return nil }
      return .object([
        ("value", .string(role)), ("type", .string(scope)), ("primary", .bool(grant["main"]?.integer == 1)),
      ])
    }
    let entitlements = (user["products"]?.elements ?? []).compactMap { product -> JSON? in
      guard product["enabled"]?.integer == 1, let name = product["product"]?.string else { return nil }
      let licence = product["licence"]?.string
      return .object([("value", .string(name))] + (licence.map { [("display", .string($0))] } ?? []))
    }
    return [("groups", shown), ("roles", roles), ("entitlements", entitlements)]
  }

  private static func meta(_ user: RESPValue, _ id: String, _ version: Int64, _ tenant: SCIMTenant) -> JSON {
    var members: [JSON.Member] = [("resourceType", .string("User"))]
    for (name, field) in [("created", "created"), ("lastModified", "last-change")] {
      if let time = user[field]?.integer { members.append((name, .string(SCIMTime.text(time)))) }
    }
    members.append(("location", .string("\(tenant.base)/Users/\(id)")))
    members.append(("version", .string(etag(version))))
    return .object(members)
  }
}
