/// The hash of a password, taken apart: one of Gatehouse's own, or one that another system has made.
public enum PasswordHash: Sendable, Equatable {
  case argon2(Argon2Hash)
  case pbkdf2(PBKDF2Hash)
  case scrypt(ScryptHash)
  /// bcrypt and the others that `crypt` of the C library knows.
  case crypt(CryptHash)

  /// nil if the text is no hash of a form that is known.
  public init?(_ text: String) {
    guard text.utf8.count <= Limits.hashBytes, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
    if let hash = Argon2Hash(text) {
      self = .argon2(hash)
    } else if let hash = PBKDF2Hash(text) {
      self = .pbkdf2(hash)
    } else if let hash = ScryptHash(text) {
      self = .scrypt(hash)
    } else if let hash = CryptHash(text) {
      self = .crypt(hash)
    } else {
      return nil
    }
  }

  /// The forms that are known, for messages.
  static let forms = "Argon2, bcrypt, scrypt, yescrypt, PBKDF2, sha256-crypt and sha512-crypt"

  // MARK: Bounds

  /// Why computing it would take more than anybody may make the server do with a guess; nil if it would not.
  var excess: String? {
    switch self {
    case .argon2(let hash):
      if hash.digest.count > 128 { return "its digest has \(hash.digest.count) bytes, more than 128" }
      // A pass costs something for each lane, however little memory there is.
      let least = hash.cost.lanes * 32 * 1024
      let memory = hash.cost.memory * 1024
      return Self.excess(memory: memory, each: max(memory, least), passes: hash.cost.passes)
    case .pbkdf2(let hash):
      return Self.excess("iterations", hash.iterations, Limits.hashIterations)
    case .scrypt(let hash):
      // Each pass writes the memory and reads it.
      return Self.excess(hash.logarithm, hash.blockSize, hash.parallelism, passes: 2 * hash.parallelism)
        ?? Self.obstacle(to: hash)
    case .crypt(let hash):
      switch hash.cost {
      case .power(let power): return Self.excess("as its cost", power, Limits.hashPower)
      case .rounds(let rounds): return Self.excess("rounds", rounds, Limits.hashRounds)
      case .memory(let logarithm, let blockSize, let parallelism, let passes):
        return Self.excess(logarithm, blockSize, parallelism, passes: passes)
      }
    }
  }

  /// Whether a hash that is kept costs no more than one that is taken now. Rounds without memory were always bounded, if less
  /// tightly.
  public var isBounded: Bool {
    switch self {
    case .scrypt: excess == nil
    case .crypt(let hash): if case .memory = hash.cost { excess == nil } else { true }
    case .argon2, .pbkdf2: true
    }
  }

  /// Whether it is of the whole of a password. bcrypt takes the first bytes only.
  public func isOfWhole(_ password: SecretWord) -> Bool {
    guard case .crypt(let hash) = self, hash.method == .bcrypt else { return true }
    return password.bytes.count <= CryptHash.bytesOfBcrypt
  }

  private static func excess(_ what: String, _ count: Int, _ most: Int) -> String? {
    count <= most ? nil : "it has \(count) \(what), more than \(most)"
  }

  /// Of scrypt and yescrypt. Block size and parallelism have bounds of their own, because both take memory and time besides
  /// that of N blocks: a small N does not make them cheap.
  private static func excess(_ logarithm: Int, _ blockSize: Int, _ parallelism: Int, passes: Int) -> String? {
    guard logarithm < 32 else { return "its N is 2^\(logarithm), more than 2^31" }
    if let excess = excess("as its block size", blockSize, Limits.hashBlockSize)
      ?? excess("as its parallelism", parallelism, Limits.hashParallelism)
    {
      return excess
    }
    // The bound is on the N blocks: those of the parallelism come to little, and would refuse an N that just meets it.
    let memory = 128 * blockSize * (1 << logarithm)
    return excess(memory: memory, each: memory + 128 * blockSize * parallelism, passes: passes)
  }

  /// Why the library cannot compute it (RFC 7914, section 2; and how much memory it takes for a parallelism of 1).
  private static func obstacle(to hash: ScryptHash) -> String? {
    if hash.logarithm >= 16 * hash.blockSize { return "its N is too large for its block size" }
    guard hash.parallelism == 1, hash.blockSize > 16 else { return nil }
    return "its block size is more than 16 with a parallelism of 1"
  }

  /// - Parameter each: the bytes that a pass costs as much as.
  private static func excess(memory: Int, each: Int, passes: Int) -> String? {
    if memory > Limits.hashMemory {
      return "it takes \((memory + (1 << 20) - 1) >> 20) MiB of memory, more than \(Limits.hashMemory >> 20)"
    }
    guard passes < 1 << 20, each * passes <= Limits.hashMemoryPassed else {
      let most = Limits.hashMemoryPassed >> 20
      return "it goes over \(memory >> 10) KiB of memory \(passes) times, more than \(most) MiB in all"
    }
    return nil
  }
}

extension Turn {
  /// The hash of a password of another system, in a word.
  func importedHash(_ index: Int) throws(Halt) -> String {
    let text = try text(index, "the hash")
    guard let hash = PasswordHash(text) else {
      throw .refused(
        .rule(
          "password-hash", "it is not complete, or of no form that is known",
          instead: "give it as the other system keeps it: \(PasswordHash.forms) are known"))
    }
    if let excess = hash.excess {
      throw .refused(
        .rule("password-hash", excess, instead: "leave it out, and have the user ask for another password"))
    }
    return text
  }
}
