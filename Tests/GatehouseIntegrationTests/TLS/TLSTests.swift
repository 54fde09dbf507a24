import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// TLS over real sockets: against clients by others, and hostile ones.
@Suite("TLS", .blocking)
struct TLSTests {
  let authority: TestAuthority
  let server: TestServer

  init() throws {
    authority = try TestAuthority()
    var options = TestServer.Options(lanes: 2)
    options.authority = authority
    server = try TestServer(options)
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("USER.CREATE ana PRODUCT payroll")
  }

  private func info(_ field: String) throws -> String? {
    let text = try server.client().text("INFO everything") ?? ""
    return text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(field):") }
      .map { String($0.dropFirst(field.count + 1)) }
  }

  // MARK: Clients

  @Test("our own client: requests, pipelines, and replies larger than what a socket takes")
  func ownClient() throws {
    let client = try server.tlsClient()
    try client.ok("HELLO 3")
    #expect(try client.text("LOGIN.CHECK ana payroll") == "ALLOW")
    let word = String(repeating: "x", count: 1000)
    let echoes = try client.pipeline(Array(repeating: ["ECHO", word], count: 5000))
    #expect(echoes.allSatisfy { $0.string == word })
    let docs = try client.pipeline(Array(repeating: ["COMMAND", "DOCS"], count: 30))
    let plain = try server.client().reply("COMMAND DOCS")
    #expect(docs.allSatisfy { $0 == plain })
    #expect(try Int(info("tls_handshakes") ?? "") == 1)
  }

  @Test("a client that reads slowly gets everything, and its requests wait meanwhile")
  func slowReader() throws {
    // s_client reads its input at once, and its output stays in the pipe until it is read.
    let requests = String(repeating: "ECHO \(String(repeating: "y", count: 900))\r\n", count: 20_000) + "QUIT\r\n"
    let result = try openssl(["-quiet", "-ign_eof"], input: requests)
    #expect(result.output.utf8.count == 20_000 * (900 + 8) + 5, "\(result.errors)")
    try eventually("nothing waits for the client that has left") { try info("clients_waiting_bytes") == "0" }
  }

  @Test("the server's certificate must be of an authority that is believed, and for the name")
  func trust() throws {
    func refused(_ tls: ClientTLS, host: String = "127.0.0.1") throws -> String {
      do {
        _ = try BlockingClient(host: host, port: Int(server.tlsPort), tls: try TLSConnector(tls))
      } catch {
        return "\(error)"
      }
      return "connected"
    }
    #expect(try refused(ClientTLS(authorities: authority.certificate)) == "connected")
    #expect(try refused(ClientTLS(authorities: authority.certificate), host: "localhost") == "connected")
    let stranger = try TestAuthority("Stranger")
    #expect(try refused(ClientTLS(authorities: stranger.certificate)).contains("certificate verify failed"))
    #expect(try refused(ClientTLS()).contains("certificate verify failed"))
    let other = ClientTLS(authorities: authority.certificate, serverName: "other.example.com")
    #expect(try refused(other).contains("mismatch"))
  }

  @Test("gatehouse cli and gatehousectl with --tls, and from the environment")
  func ownPrograms() throws {
    let address = ["--port", String(server.tlsPort)]
    let trust = ["--tls", "--cacert", authority.certificate]
    let client = try GatehouseProgram.path()
    let check = ["LOGIN.CHECK", "ana", "payroll"]
    #expect(try runProgram(client, ["cli"] + address + trust + check).output == "ALLOW\n")
    let environment: [String: String?] = ["GATEHOUSE_TLS": "yes", "GATEHOUSE_CACERT": authority.certificate]
    #expect(try runProgram(client, ["cli"] + address + check, environment: environment).output == "ALLOW\n")
    let wrongName = try runProgram(client, ["cli"] + address + trust + ["--sni", "other.test"] + check)
    #expect(wrongName.end == .exited(2) && wrongName.errors.contains("mismatch"), "\(wrongName.errors)")
    let unknown = try runProgram(client, ["cli"] + address + ["--tls"] + check)
    #expect(unknown.errors.contains("certificate verify failed"), "\(unknown.errors)")
    let plain = try runProgram(client, ["cli"] + address + ["--cacert", authority.certificate] + check)
    #expect(plain.end == .exited(64) && plain.errors.contains("need --tls"), "\(plain.errors)")
    let missing = try runProgram(client, ["cli"] + address + ["--tls", "--cacert", "/none.pem"] + check)
    #expect(missing.errors.contains("/none.pem cannot be read (No such file or directory)"), "\(missing.errors)")
    // The wrong one of the two ports says which it is.
    let unsealed = try runProgram(client, ["cli"] + address + check)
    #expect(unsealed.end == .exited(2) && unsealed.errors.contains("connect with TLS (--tls)"), "\(unsealed.errors)")
    let sealed = try runProgram(client, ["cli", "--port", String(server.port)] + trust + check)
    #expect(sealed.end == .exited(2) && sealed.errors.contains("leave --tls out"), "\(sealed.errors)")
    let compact = try runProgram(try GatehouseProgram.control(), ["compact"] + address + trust)
    #expect(compact.succeeded, "\(compact.errors)")
  }

  @Test("redis-cli --tls", .enabled(if: findProgram("redis-cli") != nil, "redis-tools are not installed"))
  func redisCLI() throws {
    let address = ["-h", "localhost", "-p", String(server.tlsPort), "--tls", "--cacert", authority.certificate]
    let check = try runProgram("redis-cli", address + ["LOGIN.CHECK", "ana", "payroll"])
    #expect(check.output == "ALLOW\n", "\(check.errors)")
    var lines = ""
    for number in 0..<2000 { lines += "USER.CREATE pipe\(number) PRODUCT payroll\r\n" }
    let pipe = try runProgram("redis-cli", address + ["--pipe"], input: lines)
    #expect(pipe.output.contains("errors: 0, replies: 2000"), "\(pipe.output) \(pipe.errors)")
    let benchmark = try runProgram("redis-benchmark", address + ["-n", "2000", "-c", "10", "-P", "16", "-q", "PING"])
    #expect(benchmark.succeeded && benchmark.output.contains("requests per second"), "\(benchmark.errors)")
  }

  @Test("redis-py with TLS", arguments: [ForeignClient.redisPyNewest, .redisPy5])
  func redisPy(library: ForeignClient) throws {
    guard case .ready(let interpreter) = library.interpreter else {
      return print("\(library.rawValue) is not available, its test is skipped: \(library.interpreter)")
    }
    let script = """
      import redis, ssl, sys
      r = redis.Redis(host="localhost", port=int(sys.argv[1]), ssl=True, ssl_ca_certs=sys.argv[2], protocol=3)
      assert r.execute_command("LOGIN.CHECK", "ana", "payroll") == b"ALLOW"
      p = r.pipeline(transaction=False)
      for i in range(1000): p.echo("x" * 500)
      assert all(x == b"x" * 500 for x in p.execute())
      try:
        redis.Redis(host="localhost", port=int(sys.argv[1]), ssl=True).ping()
        sys.exit("an unknown authority was believed")
      except redis.exceptions.ConnectionError: pass
      print("all passed")
      """
    let result = try runProgram(
      interpreter.program, ["-c", script, String(server.tlsPort), authority.certificate],
      environment: interpreter.environment)
    #expect(result.output == "all passed\n", "\(result.errors)")
  }

  @Test("TLS 1.2 and 1.3 are spoken, older versions refused")
  func versions() throws {
    for version in ["-tls1_2", "-tls1_3"] {
      let result = try openssl([version, "-quiet"], input: "PING\r\nQUIT\r\n")
      #expect(result.output == "+PONG\r\n+OK\r\n", "\(version): \(result.errors)")
    }
    for version in ["-tls1", "-tls1_1"] {
      let result = try openssl([version, "-cipher", "DEFAULT@SECLEVEL=0"], input: "PING\r\nQUIT\r\n")
      #expect(!result.output.contains("+PONG"))
      #expect(result.errors.contains("protocol version"), "\(version): \(result.errors)")
    }
  }

  // MARK: Hostile clients

  /// Whatever comes before a handshake, the answer is an alert or nothing, and never a byte of the protocol inside.
  @Test("what is no handshake gets no plain byte, and the server goes on")
  func noHandshake() throws {
    var random = SeededRandom(seed: 7)
    let garbage = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
    let hello: [UInt8] = [0x16, 3, 1, 0x40, 0]
    for bytes in [
      Array("PING\r\n".utf8), Array("*1\r\n$4\r\nPING\r\n".utf8), Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8),
      garbage,
      // A record longer than any may be, a handshake message longer than any may be, and an alert.
      [0x16, 3, 1, 0xff, 0xff] + garbage + garbage, hello + [1, 0xff, 0xff, 0xff] + garbage, [0x15, 3, 1, 0, 2, 2, 40],
      [0x17, 3, 3, 0, 5] + Array("PING\n".utf8),
    ] {
      let client = try server.rawTLSConnection()
      try? client.send(bytes)
      client.finishSending()
      let answer = try client.receiveUntilClosed()
      let received = Array(answer.utf8)
      #expect(received.isEmpty || received[0] == 0x15, "\(bytes.prefix(8)): \(answer)")
      #expect(received.count <= 7, "\(bytes.prefix(8)): \(answer)")
    }
    #expect(try Int(info("tls_failed_handshakes") ?? "") == 8)
    #expect(try info("tls_last_failure")?.isEmpty == false)
    #expect(try server.tlsClient().text("PING") == "PONG")
  }

  @Test("a TLS client on the port without TLS is refused by the protocol")
  func wrongPort() throws {
    let result = try runProgram(
      "openssl", ["s_client", "-connect", "127.0.0.1:\(server.port)", "-quiet"], input: "PING\r\n")
    #expect(!result.output.contains("+PONG"))
  }

  @Test("renegotiation is refused")
  func renegotiation() throws {
    // An input that begins with `R` asks for one.
    let result = try openssl(["-tls1_2"], input: "R\n")
    #expect(result.errors.contains("no renegotiation"), "\(result.errors)")
    #expect(try server.tlsClient().text("PING") == "PONG")
  }

  @Test("a handshake that is not finished in time is ended; connections that are there are not")
  func silence() throws {
    let there = try server.tlsClient()
    try there.ok("PING")
    try server.client().ok("CONFIG SET handshake-timeout 500ms")
    let silent = try server.rawTLSConnection()
    let half = try server.rawTLSConnection()
    try half.send([0x16, 3, 1, 2, 0, 1, 0, 1])
    for client in [silent, half] { #expect(try client.receiveUntilClosed().isEmpty) }
    #expect(try info("limit_handshake_timeout") == "2")
    try there.ok("PING")
  }

  @Test("surplus clients are closed without a plain byte")
  func surplus() throws {
    let gate = try server.client()
    let client = try server.tlsClient()
    try gate.ok("CONFIG SET max-connections 2")
    #expect(try server.rawTLSConnection().receiveUntilClosed().isEmpty)
    try client.ok("PING")
    try gate.ok("CONFIG SET max-connections 100")
    try server.tlsClient().ok("PING")
  }

  @Test("a connection that breaks off in the middle of a record leaves nothing behind")
  func brokenOff() throws {
    for _ in 0..<20 {
      let client = try server.tlsClient()
      try client.ok("PING")
      client.close()
    }
    try eventually("only the asking client is left") { try info("connected_clients") == "1" }
  }

  // MARK: -

  /// `openssl s_client` on the TLS port, which believes the authority.
  private func openssl(_ arguments: [String], input: String) throws -> ProgramResult {
    try runProgram(
      "openssl",
      ["s_client", "-connect", "127.0.0.1:\(server.tlsPort)", "-CAfile", authority.certificate] + arguments,
      input: input)
  }
}
