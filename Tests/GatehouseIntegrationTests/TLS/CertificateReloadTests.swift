import Foundation
import GatehouseTestSupport
import GatehouseWire
import Synchronization
import Testing

/// The server's certificate is renewed while it runs.
@Suite("TLS: renewing the certificate", .blocking)
struct CertificateReloadTests {
  private func start() throws -> (server: TestServer, authority: TestAuthority) {
    let authority = try TestAuthority()
    var options = TestServer.Options(lanes: 2)
    options.authority = authority
    return (try TestServer(options), authority)
  }

  /// The common name of the certificate that a new connection gets.
  private func name(_ server: TestServer) throws -> String {
    let result = try runProgram("openssl", ["s_client", "-connect", "127.0.0.1:\(server.tlsPort)"], input: "QUIT\r\n")
    let line = result.output.split(whereSeparator: \.isNewline).first { $0.hasPrefix("subject=") }
    return line.map { String($0.drop { $0 != "=" }.dropFirst().drop { $0 != "=" }.dropFirst()).trimming } ?? ""
  }

  @Test("SIGHUP and a change of the files: new connections get the new one, and those that are there go on")
  func underLoad() throws {
    let (server, authority) = try start()
    defer { server.kill() }
    let isOver = Mutex(false)
    let there = try server.tlsClient()
    #expect(try name(server) == "localhost")
    try inParallel(5) { index in
      if index == 0 {
        defer { isOver.withLock { $0 = true } }
        try authority.renewServer(commonName: "second")
        try eventually("the changed files are noticed") { try name(server) == "second" }
        try authority.renewServer(commonName: "third")
        kill(server.pid ?? 0, SIGHUP)
        try eventually("SIGHUP reads them") { try name(server) == "third" }
      } else {
        while !isOver.withLock({ $0 }) {
          let client = try server.tlsClient()
          for _ in 0..<50 { #expect(try client.text("PING") == "PONG") }
        }
      }
    }
    try there.ok("PING")
  }

  @Test("files that cannot be used leave the certificate as it was, and the log says why")
  func bad() throws {
    let (server, authority) = try start()
    defer { server.kill() }
    let good = try Data(contentsOf: URL(filePath: authority.serverCertificate))
    for (bytes, problem) in [
      (Data("no certificate".utf8), "holds no certificate in PEM form"),
      (try Data(contentsOf: URL(filePath: authority.issue("other").certificate)), "does not match the certificate"),
      (try Data(contentsOf: URL(filePath: authority.issue("late", days: -1).certificate)), "does not match"),
    ] {
      try bytes.write(to: URL(filePath: authority.serverCertificate))
      try eventually("the log says what is wrong: \(problem)") { server.messages.contains(problem) }
      #expect(try name(server) == "localhost")
    }
    try FileManager.default.removeItem(atPath: authority.serverCertificate)
    try eventually("a missing file is told") { server.messages.contains("cannot be read (No such file or directory)") }
    #expect(try name(server) == "localhost")
    try good.write(to: URL(filePath: authority.serverCertificate))
    try eventually("it goes on once the file is there again") { server.messages.contains("was read again") }
    try server.tlsClient().ok("PING")
  }

  @Test("a start names what is wrong with the files")
  func refusedStarts() throws {
    let folder = try TemporaryFolder("tls-start")
    let authority = try TestAuthority()
    let (other, late) = (try authority.issue("other"), try authority.issue("late", days: -1))
    let port = try FreePort.next()
    func start(_ certificate: String?, _ key: String?, _ more: [String] = []) throws -> (code: Int32, message: String) {
      var words = ["--tls-port", String(port)]
      if let certificate { words += ["--tls-cert-file", certificate] }
      if let key { words += ["--tls-key-file", key] }
      return try refusedStart(data: folder.path("data"), arguments: words + more)
    }
    let (certificate, key) = (authority.serverCertificate, authority.serverKey)
    #expect(try start(nil, key).message.contains("tls-cert-file"))
    #expect(try start(certificate, nil).message.contains("tls-key-file"))
    let missing = try start(folder.path("none.pem"), key)
    #expect(missing.code == 78 && missing.message.contains("none.pem cannot be read (No such file or directory)"))
    #expect(try start(certificate, other.key).message.contains("does not match the certificate"))
    #expect(try start(key, key).message.contains("holds no certificate in PEM form"))
    #expect(try start(certificate, certificate).message.contains("holds no private key in PEM form"))
    #expect(try start(late.certificate, late.key).message.contains("expired on"))
    #expect(try start(certificate, key, ["--tls-auth-clients", "yes"]).message.contains("needs tls-ca-cert-file"))
    #expect(
      try start(certificate, key, ["--tls-ca-cert-file", key]).message.contains("holds no certificates in PEM form"))
    let secret = try runProgram(
      "openssl", ["ec", "-in", key, "-aes128", "-passout", "pass:x", "-out", folder.path("locked.key")])
    #expect(secret.succeeded)
    #expect(try start(certificate, folder.path("locked.key")).message.contains("without a passphrase"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("data")))
  }
}

extension String {
  fileprivate var trimming: String { trimmingCharacters(in: .whitespaces) }
}
