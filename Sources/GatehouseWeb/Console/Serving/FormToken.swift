import Crypto

/// The token that shows that a form comes from our own page: a keyed hash of the session's token, which no other site
/// knows. Unlike a key of the process it survives a restart, so that a form can be sent again after one.
enum FormToken {
  static func of(_ secret: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(
      for: Array("gatehouse console form".utf8), using: SymmetricKey(data: Array(secret.utf8)))
    return code.hexText
  }

  /// Compares in constant time.
  static func isValid(_ token: String, for secret: String) -> Bool {
    let expected = Array(of(secret).utf8)
    let given = Array(token.utf8)
    guard given.count == expected.count else { return false }
    return zip(expected, given).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// 128 random bits.
  static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<2).map { _ in generator.next() as UInt64 }.map { value in
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// The first 64 bits of the hash of a command, to tell two commands of one form apart.
  static func digest(_ words: [String]) -> String {
    var hash = SHA256()
    for word in words {
      hash.update(data: Array("\(word.utf8.count) ".utf8))
      hash.update(data: Array(word.utf8))
    }
    return String(hash.finalize().hexText.prefix(16))
  }
}

extension Sequence<UInt8> {
  fileprivate var hexText: String {
    map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }
}
