import Foundation

/// A certificate authority for tests, made with the `openssl` program, and a server's certificate from it.
package final class TestAuthority: Sendable {
  /// PEM files of a certificate and its key.
  package struct Identity: Sendable {
    package let certificate: String
    package let key: String
    /// Keeps the files.
    fileprivate let folder: TemporaryFolder
  }

  private let folder: TemporaryFolder

  package var certificate: String { folder.path("ca.pem") }
  package var serverCertificate: String { folder.path("server.pem") }
  package var serverKey: String { folder.path("server.key") }

  package init(_ name: String = "Test authority") throws {
    folder = try TemporaryFolder("authority")
    try openssl(
      ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
        + ["-keyout", folder.path("ca.key"), "-out", certificate, "-subj", "/CN=\(name)"])
    try renewServer()
  }

  /// Makes a new key and certificate for the server, and puts them where it looks for them.
  @discardableResult
  package func renewServer(days: Int = 30, commonName: String = "localhost") throws -> Identity {
    let made = try issue(commonName, names: "DNS:localhost,IP:127.0.0.1", days: days)
    for (new, old) in [(made.key, serverKey), (made.certificate, serverCertificate)] {
      // Replaced as a whole, as programs that renew certificates do it.
      try FileManager.default.copyItem(atPath: new, toPath: new + ".copy")
      guard rename(new + ".copy", old) == 0 else { throw TestFailure("rename \(old)") }
    }
    return made
  }

  /// A certificate from this authority.
  ///
  /// - Parameters:
  ///   - names: its alternative names, as openssl writes them: `DNS:a,URI:b`.
  ///   - days: how long it is valid; less than none for one that has expired.
  package func issue(_ commonName: String, names: String = "", days: Int = 30) throws -> Identity {
    let base = folder.path(UUID().uuidString)
    try openssl(
      ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", base + ".key"]
        + ["-out", base + ".csr", "-subj", "/CN=\(commonName)"])
    try Data((names.isEmpty ? "" : "subjectAltName=\(names)\n").utf8).write(to: URL(filePath: base + ".ext"))
    try openssl(
      ["x509", "-req", "-in", base + ".csr", "-CA", certificate, "-CAkey", folder.path("ca.key"), "-CAcreateserial"]
        + ["-days", "\(days)", "-extfile", base + ".ext", "-out", base + ".pem"])
    return Identity(certificate: base + ".pem", key: base + ".key", folder: folder)
  }

  private func openssl(_ arguments: [String]) throws {
    let end = try runProgram("openssl", arguments)
    guard end.succeeded else { throw TestFailure("openssl \(arguments.joined(separator: " ")): \(end.errors)") }
  }
}
