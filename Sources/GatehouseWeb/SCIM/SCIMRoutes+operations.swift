import HTTPTypes

/// What `/openapi.json` says of SCIM. All attributes of the resources, with those that a workspace has added, are in
/// `/scim/v2/Schemas`.
extension SCIMRoutes {
  static let operations = resources(of: "Users", user) + resources(of: "Groups", group) + discovery + others

  private static let root = "/scim/v2"

  private static func content(_ schema: JSON) -> APIOperation.Content { .init(mediaType: type, schema: schema) }

  /// - Parameters:
  ///   - errors: the statuses of refusals besides those of every request.
  private static func operation(
    _ method: HTTPRequest.Method, _ path: String, _ summary: String, _ answers: [APIOperation.Answer],
    _ parameters: [APIOperation.Parameter] = [], body: JSON? = nil, errors: [Int] = []
  ) -> APIOperation {
    // The body is too large, or of a type or an encoding that is not taken.
    let ofBody = body == nil ? [] : [413, 415]
    return APIOperation(
      method: method, path: root + path, tag: "SCIM", summary: summary,
      authentication: path == "/Me" ? .session : .service, parameters: parameters,
      body: body.map { [content($0)] } ?? [], answers: answers, refusal: content(error),
      refusals: ([400, 401, 403, 408, 429, 500, 503] + ofBody + errors).sorted())
  }

  private static func done(
    _ schema: JSON, _ status: Int = 200, _ description: String = "done", headers: [APIOperation.Header] = []
  ) -> APIOperation.Answer {
    .init(status: status, description: description, contents: [content(schema)], headers: headers)
  }

  private static let nothing = APIOperation.Answer(status: 204, description: "done")

  // MARK: Parameters

  private static let shown = [
    query("attributes", "only these, with commas between them"),
    query("excludedAttributes", "all but these, with commas between them"),
  ]

  private static let listing =
    [
      query("filter", #"which resources (RFC 7644, 3.4.2.2): userName eq "ana""#),
      query("sortBy", "the attribute to sort by"),
      query("sortOrder", "ascending or descending", .type("string", ("enum", texts(["ascending", "descending"])))),
      query("startIndex", "the first, from 1", .type("integer")), query("count", "how many", .type("integer")),
      query("cursor", "where to go on (RFC 9865); empty for the first page"),
    ] + shown

  private static func query(_ name: String, _ what: String, _ schema: JSON = .type("string")) -> APIOperation.Parameter
  {
    APIOperation.Parameter(name: name, place: .query, description: what, schema: schema)
  }

  private static let ifMatch = APIOperation.Parameter(
    name: "If-Match", place: .header, description: "the ETag that the resource must still have, else 412")
  private static let ifNoneMatch = APIOperation.Parameter(
    name: "If-None-Match", place: .header, description: "the ETag that the client has: 304 if it is still the same")
  private static let etag = APIOperation.Header(name: "ETag", description: "the resource's version")
  private static let location = APIOperation.Header(name: "Location", description: "the resource's address")
  private static let contentLocation = APIOperation.Header(
    name: "Content-Location", description: "the resource's address")

  // MARK: Schemas

  private static func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }

  private static func list(of schema: JSON, _ more: JSON.Member...) -> JSON {
    .object([("type", .string("array")), ("items", schema)] + more)
  }

  private static func object(_ required: [String], _ properties: [JSON.Member]) -> JSON {
    .object(
      [("type", .string("object"))] + (required.isEmpty ? [] : [("required", texts(required))])
        + [("properties", .object(properties))])
  }

  private static let filled = JSON.type("string", ("minLength", .integer(1)))

  private static let user = object(
    ["userName"],
    [("schemas", list(of: .type("string"))), ("userName", filled)]
      + ["externalId", "displayName", "title", "preferredLanguage", "locale", "timezone"].map { ($0, .type("string")) }
      + [
        ("active", .type("boolean")),
        ("name", object([], ["givenName", "familyName", "formatted"].map { ($0, .type("string")) })),
        ("emails", values), ("phoneNumbers", values),
      ])

  private static let values = list(
    of: object([], [("value", .type("string")), ("type", .type("string")), ("primary", .type("boolean"))]))

  private static let group = object(
    ["displayName"],
    [
      ("schemas", list(of: .type("string"))), ("displayName", filled), ("externalId", .type("string")),
      ("members", list(of: object(["value"], [("value", .type("string", ("pattern", .string("^[0-9]+$"))))]))),
    ])

  private static let patch = object(
    ["Operations"],
    [
      ("schemas", list(of: .type("string"))),
      (
        "Operations",
        list(
          of: object(
            ["op"],
            [("op", .type("string", ("enum", texts(["add", "replace", "remove"])))), ("path", .type("string"))]),
          ("minItems", .integer(1)))
      ),
    ])

  private static let search = object(
    [],
    [
      ("filter", .type("string")), ("startIndex", .type("integer")), ("count", .type("integer")),
      ("attributes", list(of: .type("string"))), ("excludedAttributes", list(of: .type("string"))),
      ("sortBy", .type("string")), ("cursor", .type("string")),
    ])

  private static let bulk = object(
    ["Operations"],
    [
      ("failOnErrors", .type("integer", ("minimum", .integer(1)))),
      (
        "Operations",
        list(
          of: object(
            ["method", "path", "bulkId"],
            [
              ("method", .type("string", ("enum", texts(["POST", "PUT", "PATCH", "DELETE"])))), ("path", filled),
              ("bulkId", .type("string")), ("version", .type("string")), ("data", .type("object")),
            ]))
      ),
    ])

  private static let page = object(
    ["schemas", "totalResults", "Resources"],
    [("totalResults", .type("integer")), ("Resources", list(of: .type("object")))])

  private static let error = object(
    ["schemas", "status", "detail"], [("status", .type("string")), ("detail", .type("string"))])

  private static let whole = JSON.type("object", ("required", texts(["schemas"])))

  // MARK: Routes

  private static func resources(of kind: String, _ schema: JSON) -> [APIOperation] {
    let (all, one) = (kind.lowercased(), "/\(kind)/{id}")
    let result = done(whole, headers: [etag, contentLocation])
    // A PATCH of a group answers with it only if attributes are asked for.
    let patched = kind == "Groups" ? [result, nothing] : [result]
    return [
      operation(.get, "/\(kind)", "List \(all)", [done(page)], listing),
      operation(
        .post, "/\(kind)", "Create one of the \(all)", [done(whole, 201, "made", headers: [etag, location])], shown,
        body: schema, errors: [404, 409]),
      operation(.post, "/\(kind)/.search", "List \(all), with a long filter", [done(page)], body: search),
      operation(
        .get, one, "One of the \(all)",
        [result, .init(status: 304, description: "the client has this version", headers: [etag])],
        shown + [ifNoneMatch],
        errors: [404]),
      operation(
        .put, one, "Replace one of the \(all)", [result], shown + [ifMatch], body: schema, errors: [404, 409, 412]),
      operation(
        .patch, one, "Change one of the \(all)", patched, shown + [ifMatch], body: patch, errors: [404, 409, 412]),
      operation(.delete, one, "Delete one of the \(all)", [nothing], [ifMatch], errors: [404, 409, 412]),
    ]
  }

  private static let discovery = [
    operation(.get, "/ServiceProviderConfig", "What this server can do", [done(whole)]),
    operation(.get, "/Schemas", "The attributes of each kind of resource", [done(page)]),
    operation(.get, "/Schemas/{id}", "The attributes of one kind", [done(whole)], errors: [404]),
    operation(.get, "/ResourceTypes", "The kinds of resources", [done(page)]),
    operation(.get, "/ResourceTypes/{id}", "One kind", [done(whole)], errors: [404]),
  ]

  private static let others = [
    operation(.get, "", "List users, and behind them groups", [done(page)], listing.filter { $0.name != "cursor" }),
    operation(.post, "/.search", "List users and groups, with a long filter", [done(page)], body: search),
    operation(
      .get, "/Me", "The user whose session's token is shown", [done(whole, headers: [etag, contentLocation])],
      errors: [404]),
    operation(.post, "/Bulk", "Several operations at once", [done(whole)], body: bulk),
  ]
}
