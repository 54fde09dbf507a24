import GatehouseTestSupport
import GatehouseWire
import Testing

/// Client certificates that stand for services.
@Suite("TLS: client certificates", .blocking)
struct ClientCertificateTests {
  let authority: TestAuthority

  init() throws { authority = try TestAuthority() }

  private func start(must: Bool = false) throws -> (server: TestServer, admin: Client) {
    var options = TestServer.Options(lanes: 2)
    options.authority = authority
    options.clientsMust = must
    let server = try TestServer(options)
    let admin = try server.client()
    try admin.ok("PRODUCT.CREATE payroll")
    try admin.ok("SERVICE.CREATE operators ADMIN")
    return (server, admin)
  }

  @Test("a certificate is its service without AUTH, by common name or alternative name, with that service's rights")
  func mapped() throws {
    let (server, admin) = try start()
    defer { server.kill() }
    try admin.ok("SERVICE.CREATE web SESSIONS CERT web.acme.test")
    try admin.ok("SERVICE.CREATE jobs CERT spiffe://acme/jobs")
    let web = try server.tlsClient(authority.issue("web.acme.test"))
    #expect(try web.fields("HELLO 3")["proto"] == "3")
    #expect(try web.text("LOGIN.CHECK ana payroll") == "DENY unknown-user")
    try web.refused("USER.CREATE bo", with: "NOPERM the service right ADMIN")
    let jobs = try server.tlsClient(authority.issue("whatever", names: "URI:spiffe://acme/jobs,DNS:x"))
    try jobs.ok("USER.COUNT")
    #expect(try admin.shown("CLIENT LIST").contains("user=jobs"))
    // AUTH as another service goes before, and RESET comes back to the certificate's.
    let secret = try #require(try admin.fields("SERVICE.CREATE other ADMIN")["secret"])
    try jobs.ok("AUTH other \(secret)")
    try jobs.ok("USER.CREATE bo")
    try jobs.ok("RESET")
    try jobs.refused("USER.CREATE cy", with: "NOPERM")
    try jobs.ok("USER.COUNT")
  }

  @Test("a certificate of no service, of two, or none at all must authenticate")
  func unknown() throws {
    let (server, admin) = try start()
    defer { server.kill() }
    try admin.ok("SERVICE.CREATE one CERT one.test")
    try admin.ok("SERVICE.CREATE two CERT two.test")
    for identity in [try authority.issue("nobody"), nil] {
      let client = try server.tlsClient(identity)
      try client.refused("USER.COUNT", with: "NOAUTH Authentication required")
      try client.refused("HELLO 3", with: "NOAUTH HELLO must be called")
    }
    let both = try server.tlsClient(authority.issue("ONE.test", names: "DNS:two.test"))
    for command in ["USER.COUNT", "HELLO 3"] {
      try both.refused(command, with: "NOAUTH the certificate stands for more than one service: one and two")
    }
    try admin.ok("SERVICE.SET two NOCERT")
    try both.ok("USER.COUNT")
    try admin.refused("SERVICE.SET two CERT One.Test", with: "CONFLICT CERT")
  }

  @Test("a certificate whose service has as many connections as it may is told so, counted once, and not for ever")
  func overLimit() throws {
    let (server, admin) = try start()
    defer { server.kill() }
    try admin.ok("SERVICE.CREATE web SESSIONS CERT web.acme.test")
    try admin.ok("SERVICE.SET web CONNECTIONS 1")
    let identity = try authority.issue("web.acme.test")
    let first = try server.tlsClient(identity)
    try first.ok("USER.COUNT")
    let (second, third) = (try server.tlsClient(identity), try server.tlsClient(identity))
    for _ in 0..<3 { try second.refused("USER.COUNT", with: "LIMIT service-connections: web has 1 connections") }
    try second.refused("HELLO 3", with: "LIMIT service-connections")
    #expect(try admin.shown("INFO limits").contains("limit_service_connections:1\r\n"))
    first.close()
    try eventually("there is room") { try second.reply("USER.COUNT").errorText == nil }
    try admin.ok("CONFIG SET auth-timeout 700ms")
    // The one that has its service stays; the other is nobody, though its certificate has a name.
    try eventually("it is closed") {
      (try? third.reply("PING"))?.errorText.map { !$0.hasPrefix("LIMIT service") } ?? true
    }
    try second.ok("USER.COUNT")
    #expect(try admin.shown("INFO limits").contains("limit_auth_timeout:1\r\n"))
  }

  @Test("of another authority, expired, or missing where one must be shown: refused in the handshake")
  func refused() throws {
    let (server, admin) = try start(must: true)
    defer { server.kill() }
    try admin.ok("SERVICE.CREATE web CERT web")
    let stranger = try TestAuthority("Stranger").issue("web")
    for identity in [stranger, nil] {
      #expect(throws: (any Error).self) {
        // With TLS 1.3 a client learns of it only with the first reply.
        try server.tlsClient(identity).ok("PING")
      }
    }
    // Ours would not even try.
    let late = try authority.issue("web", days: -1)
    let address = ["s_client", "-connect", "127.0.0.1:\(server.tlsPort)", "-cert", late.certificate, "-key", late.key]
    // With TLS 1.3 the refusal comes after the client is done, so it must not leave when its input ends.
    let result = try runProgram("openssl", address + ["-ign_eof"], input: "PING\r\n")
    #expect(result.errors.contains("certificate expired") && !result.output.contains("PONG"), "\(result.errors)")
    try server.tlsClient(authority.issue("web")).ok("USER.COUNT")
    #expect(try admin.shown("INFO tls").contains("tls_failed_handshakes:3"))
  }

  @Test("a certificate that no longer stands for the service ends its connections; a deleted service does too")
  func ended() throws {
    let (server, admin) = try start()
    defer { server.kill() }
    try admin.ok("SERVICE.CREATE web CERT web.test")
    let identity = try authority.issue("web.test")
    let (first, second) = (try server.tlsClient(identity), try server.tlsClient(identity))
    try first.ok("USER.COUNT")
    try second.ok("USER.COUNT")
    try admin.ok("SERVICE.SET web CERT other.test")
    for client in [first, second] { #expect(throws: (any Error).self) { try client.ok("USER.COUNT") } }
    try server.tlsClient(identity).refused("USER.COUNT", with: "NOAUTH")
    let other = try server.tlsClient(authority.issue("other.test"))
    try other.ok("USER.COUNT")
    server.kill()
    try server.start()
    try server.tlsClient(authority.issue("other.test")).ok("USER.COUNT")
    try server.tlsClient(identity).refused("USER.COUNT", with: "NOAUTH")
  }
}
