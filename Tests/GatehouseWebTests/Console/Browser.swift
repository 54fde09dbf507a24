import Foundation
import GatehouseTestSupport

@testable import GatehouseWeb

/// What a browser without scripts does with the console: keeps cookies, sends forms with their hidden fields, and goes
/// where it is sent.
final class Browser {
  let server: TestServer
  /// The port of a proxy that stands between; nil for none.
  private let entrance: UInt16?
  /// By their plain names, without the server's port.
  private(set) var cookies: [String: String] = [:]
  /// For whom and where the forms were made that were seen last.
  private var seals: [String: String] = [:]
  /// The page that is shown.
  private(set) var page = HTTPPage(status: 0, body: "", headers: [], target: "")

  init(_ server: TestServer, through entrance: UInt16? = nil) {
    self.server = server
    self.entrance = entrance
  }

  func set(cookie name: String, _ value: String?) { cookies[name] = value }

  @discardableResult
  func get(_ target: String, headers: [(String, String)] = []) throws -> HTTPPage {
    try send("GET", target, headers: headers, body: nil)
  }

  /// Sends a form of the page that is shown: its token and key go along unless the fields have others.
  @discardableResult
  func post(
    _ target: String, _ fields: [(String, String)] = [], headers: [(String, String)] = [], from page: HTTPPage? = nil
  ) throws -> HTTPPage {
    let type = [("content-type", "application/x-www-form-urlencoded")]
    return try send("POST", target, headers: headers + type, body: body(of: fields, from: page))
  }

  /// Sends a form, and does not wait for the answer.
  func begin(_ target: String, _ fields: [(String, String)], from page: HTTPPage) throws -> RawConnection {
    let body = body(of: fields, from: page)
    let connection = try RawConnection(port: server.httpPort)
    try connection.send(
      "POST \(target) HTTP/1.1\r\nhost: 127.0.0.1:\(server.httpPort)\r\ncookie: \(cookieText)\r\n"
        + "content-type: application/x-www-form-urlencoded\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)")
    return connection
  }

  private func body(of fields: [(String, String)], from page: HTTPPage?) -> String {
    sealed(fields, from: page).map { Self.encoded($0.0) + "=" + Self.encoded($0.1) }.joined(separator: "&")
  }

  /// The same as a form with a file sends it.
  @discardableResult
  func upload(_ target: String, _ fields: [(String, String)]) throws -> HTTPPage {
    let boundary = "----form\(fields.count)x"
    let parts = sealed(fields, from: nil).map { name, value in
      let file = name == "file" ? "; filename=\"people.csv\"\r\nContent-Type: text/csv" : ""
      return "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\(file)\r\n\r\n\(value)\r\n"
    }
    let type = [("content-type", "multipart/form-data; boundary=\(boundary)")]
    return try send("POST", target, headers: type, body: parts.joined() + "--\(boundary)--\r\n")
  }

  private func sealed(_ fields: [(String, String)], from page: HTTPPage?) -> [(String, String)] {
    var fields = fields
    for name in ["csrf", "idem", "as", "in", "here"] where !fields.contains(where: { $0.0 == name }) {
      // A page without forms stands for the last one that had some.
      if let value = (page ?? self.page).field(name) ?? (page == nil ? seals[name] : nil) {
        fields.append((name, value.replacing("&amp;", with: "&")))
      }
    }
    return fields
  }

  private func send(_ method: String, _ target: String, headers: [(String, String)], body: String?) throws -> HTTPPage {
    var headers = headers
    if !cookies.isEmpty { headers.append(("cookie", cookieText)) }
    let answer = try HTTPAnswer(
      to: method, target, at: entrance ?? server.httpPort, headers: [("accept", "text/html")] + headers, body: body)
    for (name, value) in answer.headers where name == "set-cookie" { keep(value) }
    if answer.status == 303, let location = answer["location"] {
      return try send("GET", String(location.prefix { $0 != "#" }), headers: [], body: nil)
    }
    page = HTTPPage(status: answer.status, body: answer.body, headers: answer.headers, target: target)
    for name in ["as", "in"] { seals[name] = page.field(name) ?? seals[name] }
    return page
  }

  private var cookieText: String {
    cookies.sorted { $0.key < $1.key }.map { "\($0.key)\(suffix(of: $0.key))=\($0.value)" }.joined(separator: "; ")
  }

  /// What the names of the server's cookies end with, all but that of applications.
  private var port: String { "-\(server.httpPort)" }
  private func suffix(of name: String) -> String { name == Token.cookie ? "" : port }

  private func keep(_ cookie: String) {
    let pair = cookie.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
    guard let name = pair.first else { return }
    let suffix = suffix(of: String(name))
    guard name.hasSuffix(suffix) else { return }
    cookies[String(name.dropLast(suffix.count))] =
      cookie.contains("Max-Age=0") || pair.count < 2 ? nil : String(pair[1])
  }

  static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
  }
}

/// A page that was answered.
struct HTTPPage {
  let status: Int
  let body: String
  let headers: [(name: String, value: String)]
  /// The address at which redirects ended.
  let target: String

  /// The value of the first hidden field with a name.
  func field(_ name: String) -> String? { value(after: "name=\"\(name)\" value=\"") }

  /// What stands between a text and the next quote.
  func value(after text: String) -> String? {
    guard let start = body.firstRange(of: text)?.upperBound else { return nil }
    return String(body[start...].prefix { $0 != "\"" })
  }

  /// The words of the page without its markup.
  var text: String {
    let main = body.firstRange(of: "<main").map { String(body[$0.lowerBound...]) } ?? body
    return main.replacing(#/<[^>]*>/#, with: " ").replacing(#/\s+/#, with: " ").replacing("&#39;", with: "'")
      .replacing("&quot;", with: "\"").replacing("&lt;", with: "<").replacing("&gt;", with: ">")
      .replacing("&amp;", with: "&")
  }

  func has(_ words: String) -> Bool { text.contains(words) }

  /// Whether these very bytes stand in the page. (`contains` compares characters: it does not see a `<` with which a
  /// character before it joins, and browsers do.)
  func hasBytes(_ text: String) -> Bool { Data(body.utf8).range(of: Data(text.utf8)) != nil }
}

/// A server with the console's product, somebody who may do everything, and a browser in which they are signed in.
struct ConsoleCompany {
  static let password = "correct horse battery"

  let server: TestServer
  let gate: Client

  init(_ setUp: [String] = []) throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    server = try TestServer(options)
    gate = try server.client()
    let lines =
      [
        "WORKSPACE.SET main policy.password.admin-sets-final on", "PRODUCT.CREATE console", "PRODUCT.CREATE payroll",
        "POOL.SET payroll office 3",
        "USER.CREATE sam FIRST Sam LAST Okafor STATUS active NOINVITE PRODUCT console ROLE super-administrator",
      ] + setUp
    for line in lines { try gate.ok(line) }
    try gate.ok("PASSWORD.SET", "sam", Self.password)
  }

  func signedIn(_ username: String = "sam", _ password: String = Self.password) throws -> Browser {
    let browser = Browser(server)
    try browser.get("/console/sign-in")
    try browser.post("/console/sign-in", [("username", username), ("password", password)])
    guard browser.page.status == 200, browser.cookies["gatehouse-session"] != nil else {
      throw TestFailure("\(username) is not signed in: \(browser.page.text)")
    }
    return browser
  }

  func id(_ username: String) throws -> String { try gate.fields("USER.GET \(username)")["id"] ?? "" }
}
