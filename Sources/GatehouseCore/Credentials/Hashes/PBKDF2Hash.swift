/// A hash by PBKDF2 (RFC 8018), as Django, passlib or the PHC string format write it:
/// `pbkdf2_sha256$600000$salt$digest`, `$pbkdf2-sha256$29000$salt$digest`, `$pbkdf2-sha256$i=29000,l=32$salt$digest`.
public struct PBKDF2Hash: Sendable, Equatable {
  public enum Function: String, Sendable {
    case sha1, sha256, sha512

    var bytes: Int {
      switch self {
      case .sha1: 20
      case .sha256: 32
      case .sha512: 64
      }
    }
  }

  public let function: Function
  public let iterations: Int
  public let salt: [UInt8]
  public let digest: [UInt8]

  init?(_ text: String) {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard let found = text.hasPrefix("$") ? Self.crypt(parts) : Self.django(parts), found.iterations >= 1,
      !found.salt.isEmpty, found.digest.count == found.function.bytes
    else { return nil }
    self = found
  }

  private init(_ function: Function, _ iterations: Int, _ salt: [UInt8], _ digest: [UInt8]) {
    self.function = function
    self.iterations = iterations
    self.salt = salt
    self.digest = digest
  }

  private static func django(_ parts: [Substring]) -> PBKDF2Hash? {
    guard parts.count == 4, parts[0].hasPrefix("pbkdf2_"),
      let function = Function(rawValue: String(parts[0].dropFirst(7))),
      let iterations = HashNumber.of(parts[1]), let digest = Base64.bytes(parts[3])
    else { return nil }
    return PBKDF2Hash(function, iterations, Array(parts[2].utf8), digest)
  }

  private static func crypt(_ parts: [Substring]) -> PBKDF2Hash? {
    guard parts.count == 5, let function = function(named: parts[1]) else { return nil }
    // Without names it is passlib's form, whose base64 has a point for the plus.
    if let iterations = HashNumber.of(parts[2]) {
      guard let salt = Base64.bytes(parts[3].replacing(".", with: "+")),
        let digest = Base64.bytes(parts[4].replacing(".", with: "+"))
      else { return nil }
      return PBKDF2Hash(function, iterations, salt, digest)
    }
    guard let salt = Base64.bytes(parts[3]), let digest = Base64.bytes(parts[4]) else { return nil }
    if let numbers = HashNumber.named(["i", "l"], parts[2]) {
      return numbers[1] == digest.count ? PBKDF2Hash(function, numbers[0], salt, digest) : nil
    }
    return HashNumber.named(["i"], parts[2]).map { PBKDF2Hash(function, $0[0], salt, digest) }
  }

  private static func function(named name: Substring) -> Function? {
    if name == "pbkdf2" { return .sha1 }
    return name.hasPrefix("pbkdf2-") ? Function(rawValue: String(name.dropFirst(7))) : nil
  }
}
