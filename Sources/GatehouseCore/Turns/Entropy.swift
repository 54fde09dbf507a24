/// Random bits for tokens, drawn in blocks so that a token does not cost a system call.
///
/// Under an idempotency key the bits come from a seed instead, which is itself random and secret. So a repeated command
/// returns the same token although the token is stored nowhere (`Turn.decideOnce`).
public struct Entropy {
  private let fill: (UnsafeMutableRawBufferPointer) -> Void
  private let digest: (UnsafeRawBufferPointer) -> Digest
  private var block = ContiguousArray<UInt64>(repeating: 0, count: 512)
  private var next = 512
  private var seed: Digest?
  private var drawn: UInt64 = 0

  /// - Parameters:
  ///   - fill: fills a buffer from the system's cryptographic generator.
  ///   - digest: SHA-256.
  public init(
    fill: @escaping (UnsafeMutableRawBufferPointer) -> Void, digest: @escaping (UnsafeRawBufferPointer) -> Digest
  ) {
    self.fill = fill
    self.digest = digest
  }

  /// Draws from `seed` until it is set to nil.
  public mutating func setSeed(_ seed: Digest?) {
    self.seed = seed
    drawn = 0
  }

  /// 128 random bits.
  public mutating func draw() -> (UInt64, UInt64) {
    if let seed {
      drawn += 1
      var input = ByteWriter()
      input.digest(seed)
      input.fixed64(drawn)
      let block = input.withBytes(digest)
      return (block.a, block.b)
    }
    if next + 2 > block.count {
      block.withUnsafeMutableBytes { fill($0) }
      next = 0
    }
    defer {
      // Erase bits once they are handed out.
      block[next] = 0
      block[next + 1] = 0
      next += 2
    }
    return (block[next], block[next + 1])
  }
}

/// The texts of secrets: a prefix for the kind, the id it belongs to, and 128 random bits. Id and bits are in base64url
/// (RFC 4648) without padding.
public enum SecretText {
  /// The length of the random part; only this part is secret.
  public static let randomCount = 22
  /// The length of the part before it: the prefix and the id.
  public static let visibleCount = 3 + 11

  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

  /// A complete secret, without a heap allocation.
  public struct Whole: Sendable {
    fileprivate var bytes = InlineArray<36, UInt8>(repeating: 0)

    /// Calls `body` with the ASCII text.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
      bytes.span.withUnsafeBytes(body)
    }
  }

  /// A session's token: `gs_`, the id, 128 random bits. 36 characters.
  public static func sessionToken(_ id: SessionID, _ random: (UInt64, UInt64)) -> Whole {
    whole("gs_", id.raw, random)
  }

  /// A service's secret: `gk_`, the number, 128 random bits.
  public static func serviceSecret(_ id: ServiceID, _ random: (UInt64, UInt64)) -> Whole {
    whole("gk_", UInt64(id), random)
  }

  /// An API key: `ga_`, the id, 128 random bits.
  public static func apiKey(_ id: APIKeyID, _ random: (UInt64, UInt64)) -> Whole { whole("ga_", id.raw, random) }

  /// The challenge of a login that waits for the second factor: `gc_`, the user, 128 random bits.
  static func challenge(_ user: UserID, _ random: (UInt64, UInt64)) -> Whole { whole("gc_", user.raw, random) }

  /// The token of a reset mail: `gr_`, the user, 128 bits.
  static func resetToken(_ user: UserID, _ randomPart: String) -> String {
    whole("gr_", user.raw, (0, 0)).withBytes {
      String(decoding: UnsafeRawBufferPointer(rebasing: $0[..<visibleCount]), as: UTF8.self)
    } + randomPart
  }

  public static let sessionTokenCount = visibleCount + randomCount

  /// Whether a word starts like a token or secret and reaches into the secret part: a truncated one, or one with an
  /// extra letter, still reveals most of it.
  public static func isLike(_ word: UnsafeRawBufferPointer) -> Bool {
    guard word.count > sessionTokenCount - randomCount, word[0] == 0x67, word[2] == 0x5f else { return false }
    switch word[1] {
    // `gs_`, `gk_`, `gr_`, `ga_`, `gc_`
    case 0x73, 0x6b, 0x72, 0x61, 0x63: return true
    default: return false
    }
  }

  private static func whole(_ prefix: StaticString, _ id: UInt64, _ random: (UInt64, UInt64)) -> Whole {
    var whole = Whole()
    var span = whole.bytes.mutableSpan
    span.withUnsafeMutableBufferPointer { buffer in
      for index in 0..<3 { buffer[index] = prefix.utf8Start[index] }
      write(id, 0, count: 11, to: buffer, at: 3)
      write(random.0, random.1, count: randomCount, to: buffer, at: 14)
    }
    return whole
  }

  /// The random part only.
  public static func randomPart(_ random: (UInt64, UInt64)) -> String {
    String(unsafeUninitializedCapacity: randomCount) { buffer in
      write(random.0, random.1, count: randomCount, to: buffer, at: 0)
      return randomCount
    }
  }

  /// What people type: four groups of five, 100 bits in letters and digits that are not mistaken for each other.
  static func groups(_ random: (UInt64, UInt64)) -> String {
    let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")
    let numbers = [random.0, random.1]
    var text = ""
    for index in 0..<20 {
      if index > 0, index % 5 == 0 { text.append("-") }
      // 32 letters: five bits each, ten letters a number.
      text.append(alphabet[Int(numbers[index / 10] >> UInt64(index % 10 * 5) & 31)])
    }
    return text
  }

  /// Six bits a character: from the low end of `low`, then of `high`.
  private static func write(
    _ low: UInt64, _ high: UInt64, count: Int, to buffer: UnsafeMutableBufferPointer<UInt8>, at start: Int
  ) {
    var low = low
    var high = high
    for index in 0..<count {
      buffer[start + index] = alphabet.utf8Start[Int(low & 63)]
      low = low >> 6 | high << 58
      high >>= 6
    }
  }

  /// The id in a session token, if the bytes look like one.
  public static func session(of token: UnsafeRawBufferPointer) -> SessionID? {
    id(in: token, of: 0x73).map { SessionID(raw: $0) }
  }

  /// The id in an API key, if the bytes look like one.
  static func apiKey(of key: UnsafeRawBufferPointer) -> APIKeyID? { id(in: key, of: 0x61).map { APIKeyID(raw: $0) } }

  /// The user in a challenge, if the bytes look like one.
  static func user(ofChallenge word: UnsafeRawBufferPointer) -> UserID? {
    id(in: word, of: 0x63).map { UserID(raw: $0) }
  }

  /// The user in the token of a reset mail, if the bytes look like one.
  static func user(ofReset token: UnsafeRawBufferPointer) -> UserID? { id(in: token, of: 0x72).map { UserID(raw: $0) } }

  /// The id in a token of a kind, which is its second letter.
  @inline(__always)
  private static func id(in token: UnsafeRawBufferPointer, of kind: UInt8) -> UInt64? {
    guard token.count == sessionTokenCount, token[0] == 0x67, token[1] == kind, token[2] == 0x5f else { return nil }
    var raw: UInt64 = 0
    var all: UInt8 = 0
    for index in 0..<11 {
      let value = values[Int(token[3 + index])]
      all |= value
      raw |= UInt64(value) << UInt64(index * 6)
    }
    // Of the last digit, only four bits fit into an id.
    guard all < 64, values[Int(token[13])] <= 15 else { return nil }
    return raw
  }

  /// The value of each digit in base64url; 64 for every other byte.
  private static let values = InlineArray<256, UInt8> { byte in
    for value in 0..<64 where Int(alphabet.utf8Start[value]) == byte { return UInt8(value) }
    return 64
  }
}
