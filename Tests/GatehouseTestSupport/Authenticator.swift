import Foundation

/// An authenticator app as its makers would write one, apart from Gatehouse: RFC 6238 in Python's standard library.
package struct Authenticator: Sendable {
  package let secret: String

  /// - Parameter address: `otpauth://totp/…?secret=…`.
  package init?(_ address: String?) {
    guard let address, let items = URLComponents(string: address)?.queryItems,
      let secret = items.first(where: { $0.name == "secret" })?.value
    else { return nil }
    self.secret = secret
  }

  private static let program = """
    import base64, hashlib, hmac, struct, sys
    key = base64.b32decode(sys.argv[1])
    for moment in sys.argv[2:]:
        mac = hmac.new(key, struct.pack(">Q", int(moment) // 30000), hashlib.sha1).digest()
        offset = mac[-1] & 15
        print("%06d" % ((struct.unpack(">I", mac[offset:offset + 4])[0] & 0x7fffffff) % 1000000))
    """

  /// The codes of some moments, in unix milliseconds.
  package func codes(at moments: [Int64]) throws -> [String] {
    let result = try runProgram("python3", ["-c", Self.program, secret] + moments.map { String($0) })
    guard result.succeeded else { throw TestFailure("python3: \(result.errors)") }
    return result.output.split(separator: "\n").map(String.init)
  }

  package func code(at moment: Int64) throws -> String { try codes(at: [moment])[0] }

  /// The code that the app shows now.
  package func code() throws -> String { try code(at: Int64(Date().timeIntervalSince1970 * 1000)) }
}
