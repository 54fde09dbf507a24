import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// Other machines connect with TLS and as a service, or not at all.
@Suite("Listening beyond this machine", .blocking)
struct ListeningTests {
  private let authority: TestAuthority
  private let folder: TemporaryFolder

  init() throws {
    authority = try TestAuthority()
    folder = try TemporaryFolder("listening")
  }

  private func tls(_ port: UInt16) -> [String] {
    [
      "--tls-host", "0.0.0.0", "--tls-port", String(port), "--tls-cert-file", authority.serverCertificate,
      "--tls-key-file", authority.serverKey,
    ]
  }

  @Test("without TLS it is refused, and said what to do", arguments: ["0.0.0.0", "::"])
  func withoutTLS(host: String) throws {
    let (code, message) = try refusedStart(data: folder.path("data"), arguments: ["--host", host])
    #expect(code == 78)
    #expect(message.contains("without encryption") && message.contains("--tls-host"), "\(message)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("data")))
  }

  @Test("with TLS but without a service it is refused, until the first one was made offline")
  func withoutService() throws {
    let data = folder.path("data")
    let port = try FreePort.next()
    let (code, message) = try refusedStart(data: data, arguments: tls(port))
    #expect(code == 78)
    #expect(message.contains("gatehousectl service create") && message.contains("--tls-host 127.0.0.1"), "\(message)")
    let made = try runProgram(
      try GatehouseProgram.control(), ["service", "create", data, "ops", "ADMIN"])
    #expect(made.succeeded, "\(made.errors)")
    let secret = try #require(
      made.output.split(whereSeparator: \.isNewline).first { $0.hasPrefix("secret: ") }?.dropFirst(8))

    let server = try TestServer(.init(lanes: 1, arguments: tls(port)), folder: folder)
    defer { server.kill() }
    let connector = try TLSConnector(ClientTLS(authorities: authority.certificate))
    let client = Client(try BlockingClient(host: "127.0.0.1", port: Int(port), tls: connector))
    try client.refused("USER.COUNT", with: "NOAUTH")
    try client.ok("AUTH ops \(secret)")
    try client.ok("USER.COUNT")
    // Neither the settings nor the services can undo it.
    for line in ["host 0.0.0.0", "tls-host 127.0.0.1", "tls-port 0", "tls-cert-file none", "port 1"] {
      try client.refused("CONFIG SET \(line)", with: "ERR CONFIG SET failed")
    }
    try client.refused("SERVICE.DELETE ops", with: "REFUSED last-service: ")
    try client.refused("SERVICE.SET ops READ", with: "REFUSED last-admin-service: ")
    try client.ok("MULTI")
    try client.ok("SERVICE.DELETE ops")
    #expect(try client.reply("EXEC").formatted().contains("REFUSED last-service"))
    try client.ok("USER.COUNT")
  }
}
