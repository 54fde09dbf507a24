/// HMAC-SHA1 of a message under a key: 20 bytes. The core has no cryptography; the server passes it in.
public typealias MessageAuthentication = (_ key: UnsafeRawBufferPointer, _ message: UnsafeRawBufferPointer) -> [UInt8]

/// The secret that an authenticator app shares with the server: 160 random bits (RFC 4226).
public struct TimeSecret: Sendable, Equatable, BitwiseCopyable, CustomStringConvertible {
  private var words: (UInt64, UInt64, UInt32)

  public static let count = 20

  public init(_ first: (UInt64, UInt64), _ second: (UInt64, UInt64)) {
    words = (first.0, first.1, UInt32(truncatingIfNeeded: second.0))
  }

  /// Before the fields are read, and where the key was destroyed under which they are sealed.
  init() { words = (0, 0, 0) }

  /// Whether it is none that was ever drawn. Everybody knows its codes, so none of them counts.
  var isBlank: Bool { self == TimeSecret() }

  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.count else { return nil }
    self.init()
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
  }

  public static func == (one: TimeSecret, other: TimeSecret) -> Bool { one.words == other.words }

  // Memory beyond the 20 bytes is padding.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeBytes(of: words) { body(UnsafeRawBufferPointer(rebasing: $0[..<Self.count])) }
  }

  /// So that no message shows it.
  public var description: String { "(secret)" }

  /// In base32 (RFC 4648), as authenticator apps take it: 32 characters.
  var text: String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    return withBytes { bytes in
      String(
        (0..<Self.count * 8 / 5).map { place in
          var value = 0
          for bit in place * 5..<place * 5 + 5 { value = value << 1 | Int(bytes[bit / 8] >> (7 - bit % 8) & 1) }
          return alphabet[value]
        })
    }
  }
}

enum TimeSecretForm: FieldForm {
  static func write(_ value: TimeSecret, to writer: inout ByteWriter) { value.withBytes { writer.raw($0) } }

  static func read(from reader: inout ByteReader) throws(CodingError) -> TimeSecret {
    guard let secret = TimeSecret(bytes: try reader.raw(TimeSecret.count)) else {
      throw reader.failure("a secret of another length")
    }
    return secret
  }

  static func split(_ value: TimeSecret, clear: inout ByteWriter, hidden: inout ByteWriter) {
    clear.byte(1)
    write(value, to: &hidden)
  }

  static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> TimeSecret {
    _ = try clear.byte()
    guard var rest = hidden else { return TimeSecret() }
    defer { hidden = rest }
    return try read(from: &rest)
  }
}

/// Codes that change with time: TOTP (RFC 6238) with SHA-1, steps of 30 seconds and six digits, which is what
/// authenticator apps take for granted.
public enum TimeCode {
  static let digits = 6
  static let period: Milliseconds = 30_000
  /// How many steps the clock of the app may be off, either way.
  static let tolerance: Int64 = 1

  /// The number of the step that it is at a time.
  static func step(at time: Milliseconds) -> Int64 { time / period }

  /// The code of a step.
  public static func code(_ secret: TimeSecret, step: Int64, _ authenticate: MessageAuthentication) -> UInt32 {
    let counter = UInt64(bitPattern: step).bigEndian
    let mac = secret.withBytes { key in withUnsafeBytes(of: counter) { authenticate(key, $0) } }
    // RFC 4226: the last four bits say which four bytes count.
    let offset = Int(mac[mac.count - 1] & 15)
    let bits = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
    return bits % 1_000_000
  }

  /// The step of which a word is the code, if it is one that may be accepted.
  ///
  /// - Parameters:
  ///   - last: the step that was accepted last. It and all before it are not accepted again.
  ///   - times: what time it may be.
  static func step(
    of word: UnsafeRawBufferPointer, _ secret: TimeSecret, after last: Int64, at times: [Milliseconds],
    _ authenticate: MessageAuthentication
  ) -> Int64? {
    guard let typed = number(word) else { return nil }
    var found: Int64?
    // Each is compared, so that the time does not tell which one it was.
    for current in times.map(step(at:)) {
      for step in current - tolerance...current + tolerance {
        let isRight = code(secret, step: step, authenticate) ^ typed == 0
        if isRight, step > last, found == nil { found = step }
      }
    }
    return found
  }

  /// Six digits; nil for anything else.
  private static func number(_ word: UnsafeRawBufferPointer) -> UInt32? {
    guard word.count == digits, word.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
    return word.reduce(0) { $0 * 10 + UInt32($1 &- 0x30) }
  }

  /// What an authenticator app reads from a picture: `otpauth://totp/Acme:ana?secret=…`.
  static func address(_ secret: TimeSecret, issuer: String, account: String) -> String {
    let issuer = escaped(issuer)
    return "otpauth://totp/\(issuer):\(escaped(account))?secret=\(secret.text)&issuer=\(issuer)&algorithm=SHA1"
      + "&digits=\(digits)&period=\(period / 1000)"
  }

  /// Percent-encodes all but the unreserved characters (RFC 3986).
  private static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.reduce(into: "") { escaped, byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: escaped.unicodeScalars.append(.init(byte))
      default: escaped += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
  }
}

/// Codes for when the authenticator is lost: each works once in place of a code.
enum RecoveryCode {
  static let count = 10

  /// SHA-256 of a code as it is typed: in any case, with or without dashes and spaces. The user and the folder's secret
  /// go in, so that equal codes differ and a stolen log alone allows no guessing.
  static func digest(
    _ word: UnsafeRawBufferPointer, of user: UserID, _ folderSecret: Digest,
    _ digest: (UnsafeRawBufferPointer) -> Digest
  ) -> Digest {
    var writer = ByteWriter()
    writer.text("recovery code")
    writer.digest(folderSecret)
    writer.id(user)
    for byte in word where byte != 0x2d && byte != 0x20 { writer.byte(byte &- 0x41 < 26 ? byte | 0x20 : byte) }
    return writer.withBytes(digest)
  }
}
