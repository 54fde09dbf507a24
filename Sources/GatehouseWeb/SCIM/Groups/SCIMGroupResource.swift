/// A group as SCIM shows it.
struct SCIMGroupResource {
  let id: String
  /// The ids of its members; nil if they were not asked for.
  let members: [String]?
  /// What changes with everything that is shown, members too; nil if these were not asked for.
  let etag: String?
  let json: JSON

  init(_ group: SCIMGroupName, members: [String]?, _ tenant: SCIMTenant) {
    id = group.id
    self.members = members
    etag = members.map { Self.etag(group, $0) }
    var resource: [JSON.Member] = [
      ("schemas", .array([.string(SCIMSchemas.group)])), ("id", .string(group.id)),
    ]
    if let external = group.externalID { resource.append(("externalId", .string(external))) }
    resource.append(("displayName", .string(group.displayName)))
    if let members, !members.isEmpty {
      let shown = members.map { id in
        JSON.object([
          ("value", .string(id)), ("$ref", .string("\(tenant.base)/Users/\(id)")), ("type", .string("User")),
        ])
      }
      resource.append(("members", .array(shown)))
    }
    var meta: [JSON.Member] = [
      ("resourceType", .string("Group")), ("location", .string("\(tenant.base)/Groups/\(group.id)")),
    ]
    if let etag { meta.append(("version", .string(etag))) }
    resource.append(("meta", .object(meta)))
    json = .object(resource)
  }

  /// Roles have no version of their own, and members come and go without changing the group: so the version is made of what
  /// the resource says.
  private static func etag(_ group: SCIMGroupName, _ members: [String]) -> String {
    var print = Fingerprint()
    print.add(group.displayName)
    print.add(group.externalID ?? "")
    for member in members.sorted() { print.add(member) }
    return "W/\"\(print.text)\""
  }
}
