import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseWeb

/// The examples for reverse proxies in `tools/proxies`, with the real proxies in front of a small application.
@Suite(.blocking, .serialized)
struct ReverseProxyTests {
  private let server: TestServer
  private let gate: Client
  private let folder: TemporaryFolder
  private let entrance: UInt16
  private let application: ChildProcess
  private let applicationPort: UInt16

  private static let password = "correct horse battery"

  /// Answers with the headers of the request.
  private static let echo = """
    import http.server, sys
    class Echo(http.server.BaseHTTPRequestHandler):
      def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(f"path: {self.path}\\n".encode())
        self.wfile.write("".join(f"{k.lower()}: {v}\\n" for k, v in self.headers.items()).encode())
      def log_message(self, *_): pass
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
    """

  init() throws {
    var options = TestServer.Options()
    options.servesHTTP = true
    server = try TestServer(options)
    gate = try server.client()
    for product in ["payroll", "crm"] { try gate.ok("PRODUCT.CREATE \(product)") }
    try gate.ok("WORKSPACE.SET main policy.password.admin-sets-final on")
    for (name, product) in [("ana", "payroll"), ("leo", "crm")] {
      try gate.ok("USER.CREATE \(name) STATUS active NOINVITE PRODUCT \(product)")
      try gate.ok("PASSWORD.SET", name, Self.password)
    }
    folder = try TemporaryFolder("proxy")
    entrance = try FreePort.next()
    applicationPort = try FreePort.next()
    application = try ChildProcess(
      "python3", ["-c", Self.echo, String(applicationPort)], errors: folder.path("application"))
  }

  @Test func nginx() throws {
    let site = try example("nginx.conf", entrance: "listen 8080", "listen 127.0.0.1:\(entrance)")
    let whole = """
      daemon off; pid \(folder.path("nginx.pid")); error_log stderr; worker_processes 1;
      events { worker_connections 64; }
      http { access_log off; client_body_temp_path \(folder.path("body")); proxy_temp_path \(folder.path("proxy"));
      fastcgi_temp_path \(folder.path("f")); uwsgi_temp_path \(folder.path("u")); scgi_temp_path \(folder.path("s"));
      include \(site); }
      """
    try whole.write(toFile: folder.path("whole.conf"), atomically: true, encoding: .utf8)
    let proxy = try ChildProcess(
      "/usr/sbin/nginx", ["-e", "stderr", "-p", folder.path(""), "-c", folder.path("whole.conf")],
      errors: folder.path("proxy.log"))
    try walk(through: proxy)
  }

  @Test func caddy() throws {
    let site = try example("Caddyfile", entrance: "http://localhost:8080", "http://127.0.0.1:\(entrance)")
    let text = try String(contentsOfFile: site, encoding: .utf8)
    try "{\n\tadmin off\n}\n\(text)".write(toFile: site, atomically: true, encoding: .utf8)
    let proxy = try ChildProcess(
      "caddy", ["run", "--adapter", "caddyfile", "--config", site], environment: ["HOME": folder.path("")],
      errors: folder.path("proxy.log"))
    try walk(through: proxy)
  }

  /// An example with this test's ports.
  private func example(_ name: String, entrance: String, _ replacement: String) throws -> String {
    let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../tools/proxies/\(name)")
    var text = try String(contentsOf: source, encoding: .utf8)
    for (old, new) in [
      (entrance, replacement), ("127.0.0.1:7421", "127.0.0.1:\(server.httpPort)"),
      ("127.0.0.1:8000", "127.0.0.1:\(applicationPort)"),
    ] {
      try #require(text.contains(old), "\(name) says \(old)")
      text.replace(old, with: new)
    }
    let path = folder.path(name)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// What a browser sees behind the proxy.
  private func walk(through proxy: ChildProcess) throws {
    let ana = try gate.token(of: "ana", to: "payroll")
    let leo = try gate.token(of: "leo", to: "crm")
    let forged = ["actor", "user-id", "reason", "sign-in", "product", "secret"].map { ("x-gatehouse-" + $0, "forged") }
    let welcome = try answer(to: [("cookie", "gatehouse_session=\(ana)")] + forged)
    #expect(welcome.status == 200)
    #expect(welcome.body.contains("x-gatehouse-user: ana\n") && !welcome.body.contains("forged"), "\(welcome.body)")
    let id = try #require(try gate.fields("USER.GET ana")["id"])
    #expect(welcome.body.contains("x-gatehouse-user-id: \(id)\n"), "\(welcome.body)")
    // Nobody acts as her.
    #expect(!welcome.body.contains("x-gatehouse-actor"), "\(welcome.body)")
    try gate.ok("USER.CREATE sam STATUS active NOINVITE PRODUCT payroll ROLE super-administrator")
    let sam = try gate.token(of: "sam", to: "payroll")
    let acting = try #require(try gate.fields("IMPERSONATE.START \(sam) ana REASON support")["session"])
    let impersonated = try answer(to: [("cookie", "gatehouse_session=\(acting)")])
    #expect(impersonated.body.contains("x-gatehouse-user: ana\n"), "\(impersonated.body)")
    #expect(impersonated.body.contains("x-gatehouse-actor: sam\n"), "\(impersonated.body)")
    let nobody = try answer(to: [("x-gatehouse-user", "ana")])
    #expect(nobody.status == 401)
    let elsewhere = try answer(to: [("authorization", "Bearer \(leo)"), ("x-gatehouse-product", "crm")])
    #expect(elsewhere.status == 403 && elsewhere["x-gatehouse-reason"] == "product-disabled")
    try gate.ok("SESSION.REVOKE \(ana)")
    #expect(try answer(to: [("cookie", "gatehouse_session=\(ana)")]).status == 401)
    try signIn()
    withExtendedLifetime((proxy, application)) {}
  }

  /// A browser that opens a page is led to the sign-in and back, and by the sign-out out again.
  private func signIn() throws {
    try gate.ok("CONFIG SET http-proxies loopback")
    let browser = Browser(server, through: entrance)
    try browser.get("/page?month=11&sort=name")
    #expect(browser.page.status == 200 && browser.page.has("Forgotten your password?"), "\(browser.page)")
    let fields = ["product", "next"].map { name in
      (name, (browser.page.field(name) ?? "").replacing("&amp;", with: "&"))
    }
    try browser.post("/gatehouse/sign-in", fields + [("username", "ana"), ("password", "wrong")])
    #expect(browser.page.status == 403 && browser.page.has("The name or the password is wrong."))
    try browser.post("/gatehouse/sign-in", fields + [("username", "ana"), ("password", Self.password)])
    #expect(browser.page.target == "/page?month=11&sort=name")
    #expect(browser.page.body.contains("path: /page?month=11&sort=name\n"), "\(browser.page)")
    #expect(browser.page.body.contains("x-gatehouse-user: ana\n"))
    try browser.get("/gatehouse/sign-out")
    try browser.post("/gatehouse/sign-out")
    #expect(browser.page.has("You are signed out"))
    #expect(try browser.get("/page").has("Forgotten your password?"))
    // Somebody of another product is told why, and led nowhere.
    let other = Browser(server, through: entrance)
    other.set(cookie: Token.cookie, try gate.token(of: "leo", to: "crm"))
    try other.get("/page")
    #expect(other.page.has("You are signed in as leo") && other.page.has("you have no access to payroll"))
    // A script is not led anywhere.
    let script = try HTTPAnswer("/page", at: entrance, headers: [("accept", "*/*"), ("sec-fetch-mode", "cors")])
    #expect(script.status == 401)
  }

  /// Asks the proxy, which may still be starting.
  private func answer(to headers: [(String, String)]) throws -> HTTPAnswer {
    let deadline = ContinuousClock.now + .seconds(15) * Patience.factor
    while true {
      do {
        let answer = try HTTPAnswer("/page", at: entrance, headers: headers)
        if answer.status != 502 || ContinuousClock.now > deadline { return answer }
      } catch  where ContinuousClock.now < deadline {}
      usleep(50_000)
    }
  }
}
