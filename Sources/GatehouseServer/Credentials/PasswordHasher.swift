import CZxcvbn
import GatehouseCore
import GatehouseStorage
import Glibc

/// Hashes passwords with Argon2id, and judges how well they withstand guessing.
struct PasswordHasher: Sendable {
  let threads: HashingThreads
  private let cost: Argon2Hash.Cost
  /// Passwords that nobody may choose.
  private let common: Set<String>
  /// A hash that no password has, checked where a user has none, so that it takes as long.
  private let nobodys: Argon2Hash

  private static let saltBytes = 16
  private static let digestBytes = 32

  init(_ configuration: ServerConfiguration) throws {
    threads = HashingThreads(priority: configuration.passwordPriority.ofThread)
    cost = Argon2Hash.Cost(
      memory: configuration.passwordMemory, passes: configuration.passwordPasses, lanes: configuration.passwordLanes)
    common = try Self.lines(ofFile: configuration.commonPasswordsPath)
    nobodys = Argon2Hash(.id, cost, salt: Self.random(Self.saltBytes), digest: Self.random(Self.digestBytes))
  }

  private static func lines(ofFile path: String?) throws -> Set<String> {
    guard let path else { return [] }
    let bytes: [UInt8]
    do {
      bytes = try PosixDisk().readFile(path)
    } catch {
      throw StartFailure.configuration(
        "the file of common passwords cannot be read: \(error); name another with common-passwords, or none")
    }
    return Set(String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map { $0.lowercased() })
  }

  private static func random(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { fillRandom($0) }
    return bytes
  }

  /// The hash of a password, with its parameters and salt, in the PHC string format.
  func hash(_ password: SecretWord) throws(Refusal) -> String {
    let empty = Argon2Hash(
      .id, cost, salt: Self.random(Self.saltBytes), digest: [UInt8](repeating: 0, count: Self.digestBytes))
    let digest = try threads.digest(of: password.bytes, like: empty)
    return Argon2Hash(.id, cost, salt: empty.salt, digest: digest).text
  }

  /// Whether a password is that of a hash; a hash made by another system, or with other parameters than today's, is made
  /// anew.
  ///
  /// A wrong one takes as long as where there is no hash, or the time would tell whose hash is an old one, and so who exists.
  /// Only hashes that took longer than today's do so still.
  func match(_ password: GivenPassword, _ hash: String?) throws -> PasswordMatch {
    // Versions before took hashes that cost without bound. Their users ask for another password.
    let known = hash.flatMap { PasswordHash($0) }.flatMap { $0.isBounded ? $0 : nil }
    let composed = try match(password.composed, known)
    guard composed == .wrong, let typed = password.typed else { return composed }
    // Done for everybody: only what was typed decides how long it takes, and not whose hash there is. What is right this way
    // is kept composed, as all others are.
    guard case .right = try match(typed, known) else { return .wrong }
    return .right(rehashed: known?.isOfWhole(typed) == true ? try self.hash(password.composed) : nil)
  }

  private func match(_ password: SecretWord, _ hash: PasswordHash?) throws -> PasswordMatch {
    guard let hash else {
      _ = try isRight(password, nobodys)
      return .wrong
    }
    guard try isRight(password, hash) else {
      try spendRest(of: password, after: hash)
      return .wrong
    }
    if case .argon2(let hash) = hash, isCurrent(hash) { return .right(rehashed: nil) }
    // Of more than the hash is of, the rest may be anything, and would lock out whoever types something else there.
    return .right(rehashed: hash.isOfWhole(password) ? try self.hash(password) : nil)
  }

  private func isRight(_ password: SecretWord, _ hash: PasswordHash) throws -> Bool {
    switch hash {
    case .argon2(let hash): try isRight(password, hash)
    case .pbkdf2(let hash): try ForeignHashes.match(password.bytes, hash)
    case .scrypt(let hash): try ForeignHashes.match(password.bytes, hash)
    case .crypt(let hash): ForeignHashes.match(password.bytes, hash)
    }
  }

  /// Computes what a hash has taken less than today's do. What those of other systems take is not known; it comes on top.
  private func spendRest(of password: SecretWord, after hash: PasswordHash) throws(Refusal) {
    var rest: Argon2Hash.Cost? = cost
    if case .argon2(let hash) = hash { rest = cost.rest(after: hash.cost) }
    guard let rest else { return }
    _ = try threads.digest(of: password.bytes, like: Argon2Hash(.id, rest, salt: nobodys.salt, digest: nobodys.digest))
  }

  private func isRight(_ password: SecretWord, _ hash: Argon2Hash) throws(Refusal) -> Bool {
    let digest = try threads.digest(of: password.bytes, like: hash)
    return digest.withUnsafeBytes { ConstantTime.areEqual($0, hash.digest) }
  }

  private func isCurrent(_ hash: Argon2Hash) -> Bool {
    hash.variant == .id && hash.version == Argon2Hash.newestVersion && hash.cost == cost
      && hash.salt.count == Self.saltBytes && hash.digest.count == Self.digestBytes
  }

  // MARK: Strength

  /// Why nobody should use a password; nil if it is good enough.
  func weakness(of password: SecretWord, _ strength: PasswordStrength) -> String? {
    let text = String(decoding: password.bytes, as: UTF8.self)
    if common.contains(text.lowercased()) { return "it is on the list of common passwords" }
    guard Self.score(text, strength.related) < strength.score else { return nil }
    return "it is easy to guess"
  }

  /// From 0 (up to a thousand guesses) to 4 (more than ten thousand million), as zxcvbn counts them.
  static func score(_ password: String, _ related: [String]) -> Int {
    var text = CountedText()
    let counted = text.bytes(of: password)
    let words = related.map { strdup(text.bytes(of: $0)) }
    defer { words.forEach { free($0) } }
    var list: [UnsafePointer<CChar>?] = words.map { UnsafePointer($0) } + [nil]
    let bits = ZxcvbnMatch(counted, &list, nil)
    // Binary logarithms of 10³, 10⁶, 10⁸ and 10¹⁰ guesses.
    return [9.97, 19.93, 26.58, 33.22].count { bits >= $0 }
  }
}

// MARK: - The work of decisions

extension CheckPassword: ServerWork {
  static func pool(of context: ServerContext) -> WorkPool { context.passwordPool }

  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> PasswordMatch {
    try context.passwordHasher.match(password, hash)
  }
}

extension HashPassword: ServerWork {
  static func pool(of context: ServerContext) -> WorkPool { context.passwordPool }

  func perform(_ context: ServerContext, after lastWrite: LSN) throws -> HashedPassword {
    let hasher = context.passwordHasher
    // The old one first: whoever does not know it learns nothing about the rules.
    if let old, try hasher.match(old.password, old.hash) == .wrong { return .wrongOld }
    if let former, try hasher.match(GivenPassword(password), former) != .wrong { return .unchanged }
    if let weakness = hasher.weakness(of: password, strength) { return .weak(weakness) }
    return .hashed(try hasher.hash(password))
  }
}

extension HashPasswords {
  /// How long one of them waits for its turn while the pool has no room, before the whole command is refused.
  private static let patience = Duration.seconds(10)
  private static let pause = Duration.milliseconds(50)

  /// Hashes one after the other. Each is a piece of work of its own for the pool, so that logins come in between.
  func perform(_ context: ServerContext) async -> FinishedWork<HashPasswords> {
    var hashed: [HashedPassword] = []
    for password in passwords {
      let end = ContinuousClock.now + Self.patience
      var outcome: HashPassword.Outcome?
      while outcome == nil, ContinuousClock.now < end, !context.isStopping {
        outcome = await context.passwordPool.run { context.result(of: password) }
        if outcome == nil { try? await Task.sleep(for: Self.pause) }
      }
      switch outcome {
      case .success(let one): hashed.append(one)
      case .failure(let refusal): return FinishedWork(self, .failure(refusal))
      case nil: return FinishedWork(self, .failure(context.surplus(of: context.passwordPool)))
      }
    }
    return FinishedWork(self, .success(hashed))
  }
}

extension GeneratePassword: ServerWork {
  static func pool(of context: ServerContext) -> WorkPool { context.passwordPool }

  func perform(_ context: ServerContext, after lastWrite: LSN) throws(Refusal) -> GeneratedPassword {
    var bits: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &bits) { fillRandom($0) }
    let salt = SecretText.randomPart(bits)
    let password = MailedSecret.password(salt: salt, context.folderSecret, sha256)
    return GeneratedPassword(
      salt: salt, hash: try context.passwordHasher.hash(SecretWord(Array(password.utf8))))
  }
}
