import Foundation
import GatehouseTestSupport
import Testing

/// HTTP over TLS.
@Suite("HTTP: over TLS", .blocking)
struct HTTPSTests {
  private let authority: TestAuthority
  private let server: TestServer
  private let gate: Client

  init() throws {
    authority = try TestAuthority()
    server = try TestServer.serving("--handshake-timeout", "1s", authority: authority)
    gate = try server.client()
  }

  /// Runs a script with an open TLS connection `s`, and what it needs to make more.
  private func python(_ script: String, identity: TestAuthority.Identity? = nil) throws -> String {
    let certificate = identity.map { "context.load_cert_chain('\($0.certificate)', '\($0.key)')" } ?? ""
    let head = """
      import socket, ssl, threading, time
      context = ssl.create_default_context(cafile='\(authority.certificate)')
      \(certificate)
      def connect(context=context, **options):
        plain = socket.create_connection(('127.0.0.1', \(server.httpsPort)), timeout=\(20 * Patience.factor))
        return context.wrap_socket(plain, server_hostname='localhost', **options)
      def rest(s):
        text = b''
        while True:
          try: part = s.recv(1 << 20)
          except (ConnectionResetError, ssl.SSLEOFError) as error: return text + b'<%s>' % type(error).__name__.encode()
          if not part: return text
          text += part
      get = b'GET /livez HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n'
      last = b'GET /livez HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\n\\r\\n'

      """
    let result = try runProgram("python3", ["-c", head + script], limit: .seconds(60) * Patience.factor)
    guard result.succeeded else { throw TestFailure("\(result.errors)\(server.messages.suffix(2_000))") }
    return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test("requests in one record, in many, in pieces of one byte; closing is told by both sides")
  func records() throws {
    let output = try python(
      """
      s = connect()
      s.sendall(get * 200 + last)
      print(rest(s).count(b'200 OK'))
      s = connect()
      for byte in last: s.sendall(bytes([byte]))
      print(rest(s).count(b'200 OK'))
      # The server says that it closes, so that an answer cannot be cut off unnoticed.
      s = connect(suppress_ragged_eofs=False)
      s.sendall(last)
      print(rest(s)[-17:])
      s = connect()
      s.sendall(get)
      first = s.recv(65536)
      s.sendall(last)
      print(first[:12], rest(s)[:12])
      """)
    #expect(
      output.split(separator: "\n") == ["201", "1", "b'the process runs\\n'", "b'HTTP/1.1 200' b'HTTP/1.1 200'"])
  }

  @Test("megabytes go both ways, also to a client that reads late")
  func large() throws {
    _ = try gate.pipeline((1...1900).map { ["PRODUCT.CREATE", "product-\($0)"] })
    _ = try gate.pipeline((1...1900).map { ["POOL.SET", "product-\($0)", "*", "3"] })
    let output = try python(
      """
      metrics = b'GET /metrics HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n'
      s = connect()
      s.sendall(metrics * 20 + last)
      time.sleep(0.5)
      text = rest(s)
      print(text.count(b'HTTP/1.1 200 OK'), text.count(b'gatehouse_seats_used{'), len(text) > 4_000_000)
      s = connect()
      body = b'a' * 3_000_000
      s.sendall(b'POST /livez HTTP/1.1\\r\\nhost: a\\r\\ncontent-length: 3000000\\r\\n\\r\\n' + body + last)
      text = rest(s)
      print(text.count(b'HTTP/1.1 405'), text.count(b'HTTP/1.1 200'))
      """)
    #expect(output.split(separator: "\n") == ["21 38000 True", "1 1"])
  }

  @Test("head and body of an answer leave in one record")
  func coalesced() throws {
    let output = try python(
      """
      incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
      tls = context.wrap_bio(incoming, outgoing, server_hostname='localhost')
      plain = socket.create_connection(('127.0.0.1', \(server.httpsPort)), timeout=20)
      while True:
        try:
          tls.do_handshake(); break
        except ssl.SSLWantReadError:
          plain.sendall(outgoing.read()); incoming.write(plain.recv(65536))
      plain.sendall(outgoing.read())
      tls.write(get)
      plain.sendall(outgoing.read())
      time.sleep(0.5)
      records, data = 0, plain.recv(1 << 20)
      while data:
        length = int.from_bytes(data[3:5], 'big'); records += 1; data = data[5 + length:]
      print(records)
      """)
    #expect(output == "1")
  }

  @Test("a client that has said that it sends nothing more still gets its answer")
  func halfClosed() throws {
    let output = try python(
      """
      incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
      tls = context.wrap_bio(incoming, outgoing, server_hostname='localhost')
      plain = socket.create_connection(('127.0.0.1', \(server.httpsPort)), timeout=20)
      while True:
        try:
          tls.do_handshake(); break
        except ssl.SSLWantReadError:
          plain.sendall(outgoing.read()); incoming.write(plain.recv(65536))
      plain.sendall(outgoing.read())
      tls.write(get * 3)
      try: tls.unwrap()
      except ssl.SSLWantReadError: pass
      plain.sendall(outgoing.read())
      plain.shutdown(socket.SHUT_WR)
      data = b''
      while True:
        part = plain.recv(65536)
        if not part: break
        data += part
      kinds = []
      while data:
        length = int.from_bytes(data[3:5], 'big'); kinds.append(data[0]); data = data[5 + length:]
      print(len(kinds) >= 2)
      """)
    #expect(output == "True")
  }

  @Test("TLS 1.2 and 1.3, nothing older; no plaintext before, after or around it")
  func versions() throws {
    let output = try python(
      """
      for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        one = ssl.create_default_context(cafile='\(authority.certificate)')
        one.set_ciphers('ALL:@SECLEVEL=0')
        one.minimum_version = one.maximum_version = version
        try:
          s = connect(one); s.sendall(last); print(s.version(), rest(s)[:12])
        except (ssl.SSLError, ConnectionResetError): print('refused')
      plain = socket.create_connection(('127.0.0.1', \(server.httpsPort)), timeout=20)
      plain.sendall(last)
      print(b'HTTP' in rest(plain))
      s = connect()
      plain = socket.socket(fileno=s.detach())
      plain.settimeout(20)
      plain.sendall(get)
      text = rest(plain)
      print(b'HTTP' in text or b'process' in text)
      """)
    #expect(
      output.split(separator: "\n")
        == ["refused", "TLSv1.2 b'HTTP/1.1 200'", "TLSv1.3 b'HTTP/1.1 200'", "False", "False"])
    let info = try gate.shown("INFO tls")
    #expect(info.contains("tls_handshakes:3") && info.contains("tls_failed_handshakes:2"), "\(info)")
    #expect(try server.get("/livez").status == 200)
  }

  @Test("a handshake that does not come is ended and counted, once each")
  func slowHandshake() throws {
    let output = try python(
      """
      start = time.time()
      plain = socket.create_connection(('127.0.0.1', \(server.httpsPort)), timeout=20)
      print(rest(plain), 0.9 < time.time() - start < 10)
      plain = socket.create_connection(('127.0.0.1', \(server.httpsPort)), timeout=20)
      plain.sendall(b'\\x16\\x03\\x01\\x02\\x00')
      print(rest(plain))
      socket.create_connection(('127.0.0.1', \(server.httpsPort)), timeout=20).close()
      """)
    #expect(output.split(separator: "\n") == ["b'' True", "b''"])
    let deadline = ContinuousClock.now + .seconds(10) * Patience.factor
    var info = ""
    while ContinuousClock.now < deadline, !info.contains("tls_failed_handshakes:3") {
      pause(.milliseconds(20))
      info = try gate.shown("INFO everything")
    }
    #expect(info.contains("tls_failed_handshakes:3") && info.contains("limit_handshake_timeout:2"), "\(info)")
  }

  @Test("a client's certificate is its service; without one, with a stranger's, or with a service's that lacks rights")
  func certificates() throws {
    try gate.ok("SERVICE.CREATE operators ADMIN")
    try gate.ok("SERVICE.CREATE prometheus READ CERT prometheus.test")
    try gate.ok("WORKSPACE.CREATE acme")
    try gate.ok("SERVICE.CREATE web READ WORKSPACE acme CERT web.test")
    let script = """
      s = connect()
      s.sendall(b'GET /metrics HTTP/1.1\\r\\nhost: localhost\\r\\nconnection: close\\r\\n\\r\\n')
      print(rest(s)[:12])
      """
    #expect(try python(script) == "b'HTTP/1.1 401'")
    for (name, answer) in [("prometheus.test", 200), ("web.test", 403), ("nobody.test", 401)] {
      #expect(try python(script, identity: authority.issue(name)) == "b'HTTP/1.1 \(answer)'", "\(name)")
    }
    #expect(throws: (any Error).self) {
      try python(script, identity: TestAuthority("Stranger").issue("prometheus.test"))
    }
  }

  @Test("a certificate that stands for two services is told so, and a secret says which")
  func certificateOfTwo() throws {
    try gate.ok("SERVICE.CREATE operators ADMIN")
    let secret = try #require(try gate.fields("SERVICE.CREATE one READ CERT one.test")["secret"])
    try gate.ok("SERVICE.CREATE two READ CERT two.test")
    let identity = try authority.issue("one.test", names: "DNS:two.test")
    func get(_ path: String, _ header: String = "") throws -> String {
      try python(
        """
        s = connect()
        s.sendall(b'GET \(path) HTTP/1.1\\r\\nhost: a\\r\\n\(header)connection: close\\r\\n\\r\\n')
        print(rest(s).decode())
        """, identity: identity)
    }
    for path in ["/metrics", "/auth?product=payroll"] {
      let refused = try get(path)
      #expect(refused.hasPrefix("HTTP/1.1 401"), "\(path): \(refused)")
      #expect(
        refused.contains(
          "the certificate stands for more than one service: one and two; show the secret of one (AUTH, or Authorization:"
            + " Bearer), or let SERVICE.SET … NOCERT decide"), "\(path): \(refused)")
    }
    #expect(try get("/metrics", "authorization: Bearer \(secret)\\r\\n").hasPrefix("HTTP/1.1 200"))
    try gate.ok("SERVICE.SET two NOCERT")
    #expect(try get("/metrics").hasPrefix("HTTP/1.1 200"))
  }

  @Test("a new certificate is used for new connections, and what is open goes on")
  func renewal() throws {
    let output = try python(
      """
      s = connect()
      s.sendall(get)
      print(s.recv(65536)[:12])
      """)
    #expect(output == "b'HTTP/1.1 200'")
    try authority.renewServer(commonName: "renewed")
    let pid = try #require(server.pid)
    _ = try runProgram("kill", ["-HUP", String(pid)])
    let deadline = ContinuousClock.now + .seconds(20) * Patience.factor
    var name = ""
    while ContinuousClock.now < deadline, name != "renewed" {
      pause(.milliseconds(50))
      name = try python(
        "s = connect(); print(dict(x[0] for x in s.getpeercert()['subject'])['commonName'])")
    }
    #expect(name == "renewed")
  }
}
