/// What the service provider can do: `/ServiceProviderConfig`, `/Schemas`, `/ResourceTypes`.
struct SCIMDiscovery {
  let tenant: SCIMTenant

  func configuration() -> JSON {
    func supported(_ flag: Bool, _ more: [JSON.Member] = []) -> JSON { .object([("supported", .bool(flag))] + more) }
    var members: [JSON.Member] = [
      ("schemas", .array([.string("urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig")])),
      ("documentationUri", .string("https://www.rfc-editor.org/rfc/rfc7644")),
      ("patch", supported(true)),
      (
        "bulk",
        supported(
          true,
          [
            ("maxOperations", .integer(Int64(SCIMBulk.mostOperations))),
            ("maxPayloadSize", .integer(Int64(SCIMBulk.mostBytes))),
          ])
      ),
      ("filter", supported(true, [("maxResults", .integer(Int64(SCIMQuery.mostCount)))])),
      ("changePassword", supported(tenant.takesPasswords)), ("sort", supported(true)), ("etag", supported(true)),
      (
        "pagination",
        .object([
          ("cursor", .bool(true)), ("index", .bool(true)), ("defaultPaginationMethod", .string("index")),
          ("defaultPageSize", .integer(Int64(SCIMQuery.standardCount))),
          ("maxPageSize", .integer(Int64(SCIMQuery.mostCount))),
        ])
      ),
      (
        "authenticationSchemes",
        .array([
          .object([
            ("type", .string("oauthbearertoken")), ("name", .string("Bearer token")),
            ("description", .string("The secret of a service that is bound to the workspace")),
            ("specUri", .string("https://www.rfc-editor.org/rfc/rfc6750")), ("primary", .bool(true)),
          ]),
          .object([
            ("type", .string("httpbasic")), ("name", .string("HTTP Basic")),
            ("description", .string("The name of the service, and its secret as the password")),
            ("specUri", .string("https://www.rfc-editor.org/rfc/rfc7617")), ("primary", .bool(false)),
          ]),
        ])
      ),
    ]
    if tenant.isStrict { members.append(("interopProfileConformant", .bool(true))) }
    members.append(
      (
        "meta",
        .object([
          ("resourceType", .string("ServiceProviderConfig")),
          ("location", .string("\(tenant.base)/ServiceProviderConfig")),
        ])
      ))
    return .object(members)
  }

  func schemas(_ id: String?) throws -> JSON {
    let all = tenant.users.all + SCIMSchemas.groups.all
    guard let id else { return list(all.map { $0.json(tenant.base) }) }
    guard let schema = all.first(where: { $0.id.isSame(as: id) }) else { throw SCIMError.notFound("schema \(id)") }
    return schema.json(tenant.base)
  }

  func resourceTypes(_ id: String?) throws -> JSON {
    let all = [
      type("User", "/Users", "People with a login", tenant.users),
      type("Group", "/Groups", "Groups", SCIMSchemas.groups),
    ]
    guard let id else { return list(all) }
    guard let found = all.first(where: { $0["id"]?.string?.isSame(as: id) ?? false }) else {
      throw SCIMError.notFound("resource type \(id)")
    }
    return found
  }

  private func type(_ name: String, _ endpoint: String, _ description: String, _ schemas: SCIMSchemaSet) -> JSON {
    var members: [JSON.Member] = [
      ("schemas", .array([.string("urn:ietf:params:scim:schemas:core:2.0:ResourceType")])), ("id", .string(name)),
      ("name", .string(name)), ("endpoint", .string(endpoint)), ("description", .string(description)),
      ("schema", .string(schemas.core.id)),
    ]
    if !schemas.extensions.isEmpty {
      members.append(
        (
          "schemaExtensions",
          .array(schemas.extensions.map { .object([("schema", .string($0.id)), ("required", .bool(false))]) })
        ))
    }
    members.append(
      (
        "meta",
        .object([
          ("resourceType", .string("ResourceType")), ("location", .string("\(tenant.base)/ResourceTypes/\(name)")),
        ])
      ))
    return .object(members)
  }

  private func list(_ resources: [JSON]) -> JSON {
    SCIMPage(total: resources.count, position: .index(1)).with(resources).json
  }
}
