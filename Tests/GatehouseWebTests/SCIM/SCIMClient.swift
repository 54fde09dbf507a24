import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// A provider that provisions one of two workspaces of a real server.
struct SCIMClient {
  let server: TestServer
  let secret: String
  /// For what SCIM does not have: a service with all rights.
  let admin: Client
  /// The provider of another workspace.
  let otherSecret: String

  static let type = "application/scim+json"

  /// - Parameter lines: commands that are run first.
  init(_ lines: [String] = []) throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    server = try TestServer(options)
    admin = try server.client()
    try admin.ok("AUTH", try #require(try admin.fields("SERVICE.CREATE boss ADMIN READ SESSIONS")["secret"]))
    try admin.ok("WORKSPACE.CREATE acme")
    try admin.ok("WORKSPACE.CREATE beta")
    for line in lines { try admin.ok(line) }
    secret = try #require(try admin.fields("SERVICE.CREATE okta ADMIN READ WORKSPACE acme")["secret"])
    otherSecret = try #require(try admin.fields("SERVICE.CREATE entra ADMIN READ WORKSPACE beta")["secret"])
  }

  struct Answer {
    let status: Int
    let headers: HTTPAnswer
    let json: JSON?

    /// A value by its way through objects and lists: `name.givenName`, `Resources.0.id`.
    func callAsFunction(_ path: String) -> String? {
      Self.text(path.split(separator: ".").reduce(json) { Self.part(of: $0, String($1)) })
    }

    /// The value of an extension's attribute.
    func callAsFunction(in schema: String, _ name: String) -> String? {
      let value = json?[schema]?[name]
      return Self.text(value?["value"] ?? value)
    }

    /// One member of each element of a list.
    func values(_ list: String, _ name: String) -> [String] {
      (json?[list]?.array ?? []).compactMap { Self.text($0[name]) }
    }

    private static func part(of value: JSON?, _ name: String) -> JSON? {
      guard let list = value?.array else { return value?[name] }
      return Int(name).flatMap { list.indices.contains($0) ? list[$0] : nil }
    }

    private static func text(_ value: JSON?) -> String? {
      switch value {
      case .string(let text): text
      case .bool(let flag): "\(flag)"
      case .integer(let number): "\(number)"
      default: nil
      }
    }
  }

  @discardableResult
  func send(
    _ method: String, _ path: String, _ body: String? = nil, headers: [(String, String)] = [], secret: String? = nil
  ) throws -> Answer {
    let answer = try server.request(
      method, "/scim/v2\(path)", headers: [("content-type", Self.type)] + headers, secret: secret ?? self.secret,
      body: body)
    return Answer(status: answer.status, headers: answer, json: answer.body.isEmpty ? nil : try JSON(text: answer.body))
  }

  func get(_ path: String, secret: String? = nil) throws -> Answer { try send("GET", path, secret: secret) }

  func find(_ filter: String, _ more: String = "") throws -> Answer {
    let escaped = filter.utf8.map { byte in
      let isPlain = byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
      return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    return try get("/Users?filter=\(escaped)\(more)")
  }

  /// A new user's id.
  func made(_ username: String, _ more: String = "") throws -> String {
    let answer = try send("POST", "/Users", #"{"userName":"\#(username)"\#(more)}"#)
    #expect(answer.status == 201)
    return try #require(answer("id"))
  }

  func patch(_ path: String, _ operations: String, secret: String? = nil) throws -> Answer {
    try send(
      "PATCH", path,
      #"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[\#(operations)]}"#, secret: secret)
  }
}

let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
let workspaceFields = "urn:gatehouse:params:scim:schemas:extension:fields:2.0:User"
