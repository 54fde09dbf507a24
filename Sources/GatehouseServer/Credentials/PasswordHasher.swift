import CArgon2
import CZxcvbn
import GatehouseCore
import GatehouseStorage
import Glibc

/// Hashes passwords with Argon2id, and judges how well they withstand guessing.
struct PasswordHasher: Sendable {
  private let memory: UInt32
  private let passes: UInt32
  private let lanes: UInt32
  /// Passwords that nobody may choose.
  private let common: Set<String>
  /// A hash that no password has, checked where a user has none, so that it takes as long.
  private let nobodys: String

  private static let saltBytes = 16
  private static let hashBytes = 32

  init(_ configuration: ServerConfiguration) throws {
    memory = UInt32(configuration.passwordMemory)
    passes = UInt32(configuration.passwordPasses)
    lanes = UInt32(configuration.passwordLanes)
    common = try Self.lines(ofFile: configuration.commonPasswordsPath)
    nobodys = Self.hash([], memory, passes, lanes)
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

  /// The hash of a password, with its parameters and salt, in the PHC string format.
  func hash(_ password: SecretWord) -> String { Self.hash(password.bytes, memory, passes, lanes) }

  private static func hash(_ password: [UInt8], _ memory: UInt32, _ passes: UInt32, _ lanes: UInt32) -> String {
    var salt = [UInt8](repeating: 0, count: saltBytes)
    salt.withUnsafeMutableBytes { fillRandom($0) }
    let length = argon2_encodedlen(passes, memory, lanes, UInt32(saltBytes), UInt32(hashBytes), Argon2_id)
    var encoded = [CChar](repeating: 0, count: length)
    let code = argon2id_hash_encoded(
      passes, memory, lanes, password, password.count, salt, saltBytes, hashBytes, &encoded, length)
    // The parameters were checked by the settings; what is left is a machine without memory.
    guard code == 0 else { fatalError("Argon2id: \(String(cString: argon2_error_message(code)))") }
    return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Whether a password is that of a hash; a hash made with other parameters than today's is made anew.
  func match(_ password: SecretWord, _ hash: String?) -> PasswordMatch {
    let code = argon2id_verify(hash ?? nobodys, password.bytes, password.bytes.count)
    guard code == 0, let hash else { return .wrong }
    let isCurrent = hash.hasPrefix("$argon2id$v=19$m=\(memory),t=\(passes),p=\(lanes)$")
    return .right(rehashed: isCurrent ? nil : self.hash(password))
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

  func perform(_ context: ServerContext, after lastWrite: LSN) -> PasswordMatch {
    context.passwordHasher.match(password, hash)
  }
}

extension HashPassword: ServerWork {
  static func pool(of context: ServerContext) -> WorkPool { context.passwordPool }

  func perform(_ context: ServerContext, after lastWrite: LSN) -> HashedPassword {
    let hasher = context.passwordHasher
    // The old one first: whoever does not know it learns nothing about the rules.
    if let old, hasher.match(old.password, old.hash) == .wrong { return .wrongOld }
    if let former, hasher.match(password, former) != .wrong { return .unchanged }
    if let weakness = hasher.weakness(of: password, strength) { return .weak(weakness) }
    return .hashed(hasher.hash(password))
  }
}

extension GeneratePassword: ServerWork {
  static func pool(of context: ServerContext) -> WorkPool { context.passwordPool }

  func perform(_ context: ServerContext, after lastWrite: LSN) -> GeneratedPassword {
    var bits: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &bits) { fillRandom($0) }
    let salt = SecretText.randomPart(bits)
    let password = MailedSecret.password(salt: salt, context.folderSecret, sha256)
    return GeneratedPassword(
      salt: salt, hash: context.passwordHasher.hash(SecretWord(Array(password.utf8))))
  }
}
