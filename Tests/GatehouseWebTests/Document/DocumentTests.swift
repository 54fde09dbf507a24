import Foundation
import GatehouseTestSupport
import HTTPTypes
import Testing
@testable import GatehouseWeb

/// `/openapi.json`.
@Suite("HTTP: /openapi.json", .blocking)
struct DocumentTests {
  private func python(_ name: String, _ requirement: String, module: String) throws -> String {
    switch PythonLibrary.find(name, "GATEHOUSE_PYTHON_\(name.uppercased())", requirement, module: module) {
    case .ready(let python): return python
    case .unavailable(let why): throw TestFailure("\(name): \(why)")
    }
  }

  @Test("every route is in the document, described by its family, and the document has no others")
  func complete() throws {
    let server = try TestServer.serving()
    let answer = try server.get("/openapi.json")
    #expect(answer.status == 200 && answer["content-type"] == "application/json")
    let document = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
    #expect(document?["openapi"] as? String == "3.1.0")
    let paths = try #require(document?["paths"] as? [String: [String: [String: Any]]])
    var identifiers: [String] = []
    for (path, operations) in paths {
      for (method, operation) in operations {
        identifiers.append(operation["operationId"] as? String ?? "")
        let tags = operation["tags"] as? [String]
        #expect(tags != ["Others"], "\(method) \(path) is a route that no family describes: add it to its operations")
        // Routed: nothing that is described is answered as if it were not there.
        let target = path.replacing(/\{[^}]*\}/, with: "x")
        let status = try Self.status(of: method.uppercased(), target, from: server)
        #expect(status != 405, "\(method) \(path)")
        if !path.contains("{"), path != "/scim/v2/Me" { #expect(status != 404, "\(method) \(path)") }
      }
    }
    #expect(Set(identifiers).count == identifiers.count)
    #expect(paths["/metrics"]?["get"] != nil && paths["/livez"]?["get"] != nil && paths["/openapi.json"] != nil)
  }

  /// Only the first line of an answer is waited for: that of `/events` has no end.
  private static func status(of method: String, _ target: String, from server: TestServer) throws -> Int? {
    let connection = try RawConnection(port: server.httpPort)
    try connection.send(
      "\(method) \(target) HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    return Int(try connection.receiveLine().split(separator: " ").dropFirst().first ?? "")
  }

  @Test("openapi-spec-validator agrees that it is OpenAPI 3.1")
  func valid() throws {
    let python = try python("openapi", "openapi-spec-validator", module: "openapi_spec_validator")
    let server = try TestServer.serving()
    let folder = try TemporaryFolder("openapi")
    let text = try server.get("/openapi.json").body
    for (name, text, isGood) in [
      ("good", text, true), ("bad", text.replacing("\"responses\":", with: "\"answers\":"), false),
    ] {
      try text.write(toFile: folder.path("\(name).json"), atomically: true, encoding: .utf8)
      let result = try runProgram(python, ["-m", "openapi_spec_validator", folder.path("\(name).json")])
      #expect(result.succeeded == isGood, "\(result.output)\(result.errors)")
    }
  }

  /// Streams of events end with what there is: those that wait would have no end.
  private static let hooks = """
    import schemathesis

    @schemathesis.hook
    def before_call(context, case, kwargs):
        if case.operation.path == "/events":
            case.query = {**(case.query or {}), "until": "now"}
    """

  private func schemathesis(_ server: TestServer, _ options: [String]) throws {
    let python = try python("schemathesis", "schemathesis>=4,<5", module: "schemathesis")
    let folder = try TemporaryFolder("schemathesis")
    try Self.hooks.write(toFile: folder.path("hooks.py"), atomically: true, encoding: .utf8)
    // In a folder of its own, because it keeps what it finds where it runs.
    let result = try runProgram(
      "bash",
      [
        "-c", "cd \"$0\" && exec \"$@\"", folder.path(""), python, "-m", "schemathesis.cli", "run",
        "http://127.0.0.1:\(server.httpPort)/openapi.json", "--seed", "7", "--generation-database", "none",
        "--no-color", "--request-timeout", "10",
      ] + options,
      environment: ["HOME": folder.path("home"), "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": folder.path("")],
      limit: .seconds(150) * Patience.factor)
    #expect(result.succeeded, "\(result.output.suffix(6_000))\(result.errors.suffix(1_000))")
    #expect(result.output.contains(/(\d+) generated, \1 passed/), "\(result.output)")
  }

  @Test(
    "schemathesis finds no server error, and no answer that the document does not describe", .timeLimit(.minutes(4)))
  func schemathesis() throws {
    let server = try TestServer.serving()
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
    // Requests without a secret are the machine's own here.
    try schemathesis(
      server, ["--max-examples", "20", "--exclude-path-regex", "^/(scim|events)", "--exclude-checks", "ignored_auth"])
    // What kinds of changes and workspaces there are is no matter of a JSON schema.
    try schemathesis(
      server,
      [
        "--max-examples", "30", "--include-path", "/events", "--phases", "fuzzing", "--exclude-checks",
        "ignored_auth,positive_data_acceptance",
      ])
    try gate.ok("PING")
  }

  @Test("schemathesis finds none either where a provider reads and writes", .timeLimit(.minutes(4)))
  func schemathesisOfSCIM() throws {
    let server = try TestServer.serving()
    let gate = try server.client()
    try gate.ok("AUTH", try #require(try gate.fields("SERVICE.CREATE boss ADMIN READ")["secret"]))
    try gate.ok("WORKSPACE.CREATE acme")
    try gate.ok("FIELD.DEFINE shoe number WORKSPACE acme")
    let secret = try #require(try gate.fields("SERVICE.CREATE okta ADMIN READ WORKSPACE acme")["secret"])
    try schemathesis(
      server,
      [
        "--max-examples", "15", "--include-path-regex", "^/scim", "--header", "Authorization: Bearer \(secret)",
        // What a filter or the path of a PATCH may be is no matter of JSON schemas, and providers' odd values are taken.
        "--exclude-checks", "ignored_auth,positive_data_acceptance,negative_data_rejection",
      ])
    #expect(try gate.integer("USER.COUNT") > 0, "it has written")
    try gate.ok("PING")
  }

  @Test("a wrong method is told from a wrong address, and HEAD is GET without the body")
  func methods() throws {
    let server = try TestServer.serving()
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
      let answer = try server.request(method, "/metrics")
      #expect(answer.status == 405 && answer["allow"] == "GET, HEAD", "\(method): \(answer.status)")
      #expect(answer.body.contains("this address takes GET, HEAD"))
    }
    #expect(try server.request("POST", "/nothing").status == 404)
    let head = try server.request("HEAD", "/livez")
    #expect(head.status == 200 && head.body.isEmpty && head["content-length"] == "17")
  }

  @Test("patterns match what the router matches")
  func patterns() {
    let table = RouteTable(routes: [
      .init(method: .get, pattern: "/users/{id}"), .init(method: .put, pattern: "/users/{id}"),
      .init(method: .get, pattern: "/files/**"), .init(method: .post, pattern: "/"),
    ])
    #expect(table.methods(at: "/users/7") == ["GET", "HEAD", "PUT"])
    #expect(table.methods(at: "/users").isEmpty && table.methods(at: "/users/7/x").isEmpty)
    #expect(table.methods(at: "/files/a/b") == ["GET", "HEAD"] && table.methods(at: "/") == ["POST"])
  }
}
