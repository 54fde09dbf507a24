import GatehouseServer
import HTTPTypes
import Hummingbird
import NIOCore

/// `GET /openapi.json`: the OpenAPI 3.1 document of all routes but those of the console and of the sign-in, which are pages and not an
/// API.
struct DocumentRoutes {
  private let text: String

  /// - Parameters:
  ///   - table: all routes; nil while they are collected.
  ///   - operations: what their families say of them.
  init(_ table: RouteTable?, _ operations: [APIOperation]) {
    let all = operations + Self.operations
    text = table.map { Self.document(all, Self.undescribed($0, all)).text } ?? ""
  }

  func add(to router: Router<WebContext>) {
    router.get("openapi.json") { [text] _, _ in
      Response(
        status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
  }

  static let operations = [
    APIOperation(
      method: .get, path: "/openapi.json", tag: "Operations", summary: "This document", authentication: .nobody,
      answers: [.init(status: 200, description: "the document", contents: [.json(.type("object"))])])
  ]

  /// The routes that no family has described. A test fails while there is one; the document lists them nevertheless.
  static func undescribed(_ table: RouteTable, _ operations: [APIOperation]) -> [RouteTable.Route] {
    let described = Set(operations.map { RouteTable.Route(method: $0.method, pattern: $0.path) })
    /// A family that finds its way by itself (`/scim/v2/**`) describes what is below.
    func isDescribedBelow(_ route: RouteTable.Route) -> Bool {
      let catchAll = "/**"
      let root = route.pattern.hasSuffix(catchAll) ? String(route.pattern.dropLast(catchAll.count)) : route.pattern
      return table.routes.contains(RouteTable.Route(method: route.method, pattern: root + catchAll))
        && operations.contains { $0.method == route.method && $0.path.hasPrefix(root + "/") }
    }
    return table.routes.filter { route in
      let isPage =
        route.pattern == Console.entrance || SignInSite.allCases.contains { route.pattern.hasPrefix($0.root) }
      return !described.contains(route) && !isDescribedBelow(route) && !isPage
    }
  }

  // MARK: The document

  private static func document(_ operations: [APIOperation], _ undescribed: [RouteTable.Route]) -> JSON {
    let others = undescribed.map { route in
      APIOperation(
        method: route.method, path: route.pattern, tag: "Others", summary: "\(route.method) \(route.pattern)",
        answers: [.init(status: 200, description: "done")])
    }
    var paths: [JSON.Member] = []
    for operation in operations + others {
      let method = (operation.method.rawValue.lowercased(), operation.json)
      if let index = paths.firstIndex(where: { $0.name == operation.path }) {
        paths[index].value = .object((paths[index].value.members ?? []) + [method])
      } else {
        paths.append((operation.path, .object([method])))
      }
    }
    return .object([
      ("openapi", .string("3.1.0")),
      (
        "info",
        .object([
          ("title", .string("Gatehouse")), ("version", .string(Version.current)),
          (
            "description",
            .string(
              "May this person log in, who is logged in, and who acts as whom. Requests show a service's secret, unless "
                + "there are no services yet and they come from the same machine.")
          ),
        ])
      ),
      ("paths", .object(paths)), ("components", components),
    ])
  }

  private static let components = JSON.object([
    (
      "securitySchemes",
      .object([
        ("secret", .object([("type", .string("http")), ("scheme", .string("bearer"))])),
        ("password", .object([("type", .string("http")), ("scheme", .string("basic"))])),
        (
          "session",
          .object([
            ("type", .string("http")), ("scheme", .string("bearer")),
            ("description", .string("the token of a user's session, gs_…, or an API key, ga_…, where keys are taken")),
          ])
        ),
      ])
    ),
    (
      "responses",
      .object([
        (
          "Problem",
          .object([
            ("description", .string("what was wrong, and what to do (RFC 9457)")),
            (
              "content",
              .object([
                (
                  "application/problem+json",
                  .object([("schema", .object([("$ref", .string("#/components/schemas/Problem"))]))])
                )
              ])
            ),
          ])
        )
      ])
    ),
    (
      "schemas",
      .object([
        (
          "Problem",
          .object([
            ("type", .string("object")),
            (
              "required",
              .array(["type", "title", "status", "detail", "code"].map { .string($0) })
            ),
            (
              "properties",
              .object([
                ("type", .type("string")), ("title", .type("string")), ("status", .type("integer")),
                ("detail", .type("string", ("description", .string("what was wrong, and what to do")))),
                ("code", .type("string", ("description", .string("the code of the refusal, such as NOPERM")))),
                ("rule", .type("string", ("description", .string("the rule that refuses, for REFUSED and DENY")))),
                ("remedy", .type("string", ("description", .string("what to do instead, where the answer says so")))),
              ])
            ),
          ])
        )
      ])
    ),
  ])
}
