import HTTPTypes

/// What `/openapi.json` says of SCIM. The resources themselves are described by `/scim/v2/Schemas`.
extension SCIMRoutes {
  static let operations = resources + discovery + others

  private static let root = "/scim/v2"
  private static let content = APIOperation.Content(mediaType: type, schema: .type("object"))

  private static func operation(
    _ method: HTTPRequest.Method, _ path: String, _ summary: String, _ status: Int = 200,
    _ parameters: [APIOperation.Parameter] = [], hasBody: Bool = false
  ) -> APIOperation {
    APIOperation(
      method: method, path: root + path, tag: "SCIM", summary: summary, parameters: parameters,
      body: hasBody ? [content] : [],
      answers: [.init(status: status, description: "done", contents: status == 204 ? [] : [content])],
      refusal: content)
  }

  private static let listing = [
    ("filter", "which resources (RFC 7644, 3.4.2.2)"), ("sortBy", "the attribute to sort by"),
    ("sortOrder", "ascending or descending"), ("startIndex", "the first, from 1"), ("count", "how many"),
    ("cursor", "where to go on (RFC 9865)"), ("attributes", "only these"), ("excludedAttributes", "all but these"),
  ].map { APIOperation.Parameter(name: $0.0, place: .query, description: $0.1) }

  private static let resources = ["Users", "Groups"].flatMap { kind in
    [
      operation(.get, "/\(kind)", "List \(kind.lowercased())", 200, listing),
      operation(.post, "/\(kind)", "Create one of the \(kind.lowercased())", 201, hasBody: true),
      operation(.post, "/\(kind)/.search", "List \(kind.lowercased()), with a long filter", hasBody: true),
      operation(.get, "/\(kind)/{id}", "One of the \(kind.lowercased())"),
      operation(.put, "/\(kind)/{id}", "Replace one of the \(kind.lowercased())", hasBody: true),
      operation(.patch, "/\(kind)/{id}", "Change one of the \(kind.lowercased())", hasBody: true),
      operation(.delete, "/\(kind)/{id}", "Delete one of the \(kind.lowercased())", 204),
    ]
  }

  private static let discovery = [
    operation(.get, "/ServiceProviderConfig", "What this server can do"),
    operation(.get, "/Schemas", "The attributes of each kind of resource"),
    operation(.get, "/Schemas/{id}", "The attributes of one kind"),
    operation(.get, "/ResourceTypes", "The kinds of resources"),
    operation(.get, "/ResourceTypes/{id}", "One kind"),
  ]

  private static let others = [
    operation(.get, "/Me", "The user whose session's token is shown"),
    operation(.post, "/Bulk", "Several operations at once", hasBody: true),
  ]
}
