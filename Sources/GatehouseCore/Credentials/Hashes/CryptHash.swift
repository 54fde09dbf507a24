/// A hash in a form of `crypt(5)`, which libxcrypt computes from the text.
public struct CryptHash: Sendable, Equatable {
  public enum Method: String, Sendable, CaseIterable {
    case bcrypt
    case sha256 = "sha256-crypt"
    case sha512 = "sha512-crypt"
    case scrypt
    case yescrypt

    fileprivate var prefixes: [String] {
      switch self {
      case .bcrypt: ["$2a$", "$2b$", "$2y$"]
      case .sha256: ["$5$"]
      case .sha512: ["$6$"]
      case .scrypt: ["$7$"]
      case .yescrypt: ["$y$"]
      }
    }
  }

  /// What computing it takes.
  enum Cost: Equatable {
    /// 2 to the power of this many rounds.
    case power(Int)
    case rounds(Int)
    /// Bytes of memory, and how often it is gone through.
    case memory(logarithm: Int, blockSize: Int, parallelism: Int, passes: Int)
  }

  /// How much of a password bcrypt takes.
  static let bytesOfBcrypt = 72

  public let method: Method
  public let text: String
  let cost: Cost

  init?(_ text: String) {
    for method in Method.allCases {
      guard let prefix = method.prefixes.first(where: text.hasPrefix) else { continue }
      guard let cost = Self.cost(method, text.dropFirst(prefix.utf8.count)) else { return nil }
      self.method = method
      self.text = text
      self.cost = cost
      return
    }
    return nil
  }

  private static func cost(_ method: Method, _ rest: Substring) -> Cost? {
    switch method {
    case .bcrypt: bcrypt(rest)
    case .sha256: sha(rest, digest: 43)
    case .sha512: sha(rest, digest: 86)
    case .scrypt: scrypt(rest)
    case .yescrypt: yescrypt(rest)
    }
  }

  private static func areLetters(_ text: Substring, _ counts: ClosedRange<Int>) -> Bool {
    counts.contains(text.utf8.count) && text.utf8.allSatisfy { HashNumber.letter($0) != nil }
  }

  /// `12$` and 22 letters of salt and 31 of digest.
  private static func bcrypt(_ rest: Substring) -> Cost? {
    let parts = rest.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == 2, let power = HashNumber.of(parts[0]), (4...31).contains(power),
      areLetters(parts[1], 53...53)
    else { return nil }
    return .power(power)
  }

  /// `rounds=5000$salt$digest`, where the rounds may be missing.
  private static func sha(_ rest: Substring, digest: Int) -> Cost? {
    var parts = rest.split(separator: "$", omittingEmptySubsequences: false)[...]
    var rounds = 5000
    if let first = parts.first, first.hasPrefix("rounds=") {
      guard let number = HashNumber.of(first.dropFirst(7)), number >= 1000 else { return nil }
      rounds = number
      parts = parts.dropFirst()
    }
    guard parts.count == 2, let salt = parts.first, (1...16).contains(salt.utf8.count), let last = parts.last,
      areLetters(last, digest...digest)
    else { return nil }
    return .rounds(rounds)
  }

  /// A letter for N, five for r, five for p and the salt, then the digest.
  private static func scrypt(_ rest: Substring) -> Cost? {
    let parts = rest.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 2, areLetters(parts[0], 12...100), areLetters(parts[1], 43...43),
      let logarithm = HashNumber.letters(parts[0].prefix(1)), logarithm >= 1,
      let blockSize = HashNumber.letters(parts[0].dropFirst(1).prefix(5)), blockSize >= 1,
      let parallelism = HashNumber.letters(parts[0].dropFirst(6).prefix(5)), parallelism >= 1
    else { return nil }
    // Each pass writes the memory and reads it.
    return .memory(logarithm: logarithm, blockSize: blockSize, parallelism: parallelism, passes: 2 * parallelism)
  }

  /// `j9T$salt$digest`: the first part has a number for the flavour, N, r and perhaps p and t.
  private static func yescrypt(_ rest: Substring) -> Cost? {
    let parts = rest.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 3, areLetters(parts[0], 3...30), areLetters(parts[1], 1...86), areLetters(parts[2], 43...43)
    else { return nil }
    var letters = parts[0].utf8.compactMap(HashNumber.letter)[...]
    guard yescryptNumber(&letters, least: 0) != nil, let logarithm = yescryptNumber(&letters, least: 1), logarithm < 64,
      let blockSize = yescryptNumber(&letters, least: 1)
    else { return nil }
    var (parallelism, time) = (1, 0)
    if !letters.isEmpty {
      guard let present = yescryptNumber(&letters, least: 1) else { return nil }
      // Those that upgrade a hash or need a file of the system are not taken.
      guard present & ~3 == 0 else { return nil }
      if present & 1 != 0 {
        guard let number = yescryptNumber(&letters, least: 2) else { return nil }
        parallelism = number
      }
      if present & 2 != 0 {
        guard let number = yescryptNumber(&letters, least: 1) else { return nil }
        time = number
      }
      guard letters.isEmpty else { return nil }
    }
    guard parallelism <= Limits.hashParallelism, time < 1 << 16 else { return nil }
    // Each unit of time adds about a pass.
    return .memory(
      logarithm: logarithm, blockSize: blockSize, parallelism: parallelism, passes: parallelism * (time + 2))
  }

  /// A number of a variable count of letters, as in yescrypt's `decode64_uint32`.
  private static func yescryptNumber(_ letters: inout ArraySlice<Int>, least: Int) -> Int? {
    guard let first = letters.popFirst() else { return nil }
    var (start, end, more, bits, number) = (0, 47, 0, 0, least)
    while first > end {
      number += (end + 1 - start) << bits
      start = end + 1
      end = start + (62 - end) / 2
      more += 1
      bits += 6
    }
    number += (first - start) << bits
    for _ in 0..<more {
      guard let letter = letters.popFirst() else { return nil }
      bits -= 6
      number += letter << bits
    }
    return number
  }
}
