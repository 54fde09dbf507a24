import CCrypt
import CryptoExtras
import GatehouseCore
import Glibc

/// Computes the hashes that other systems have made, by libxcrypt and swift-crypto.
///
/// Each takes its own time, which it must: a wrong password for a user whose hash was imported is answered later or sooner
/// than for others, until the first login, when the password is hashed as all others are.
enum ForeignHashes {
  /// Whether a password is that of a hash.
  static func match(_ password: [UInt8], _ hash: PBKDF2Hash) throws -> Bool {
    guard isWhole(password) else { return false }
    let key = try KDF.Insecure.PBKDF2.deriveKey(
      from: password, salt: hash.salt, using: hash.function.ofLibrary, outputByteCount: hash.digest.count,
      unsafeUncheckedRounds: hash.iterations)
    return key.withUnsafeBytes { ConstantTime.areEqual($0, hash.digest) }
  }

  static func match(_ password: [UInt8], _ hash: ScryptHash) throws -> Bool {
    guard isWhole(password) else { return false }
    let key = try KDF.Scrypt.deriveKey(
      from: password, salt: hash.salt, outputByteCount: hash.digest.count, rounds: 1 << hash.logarithm,
      blockSize: hash.blockSize, parallelism: hash.parallelism)
    return key.withUnsafeBytes { ConstantTime.areEqual($0, hash.digest) }
  }

  /// As the other system did: of a longer password bcrypt takes the first 72 bytes.
  static func match(_ password: [UInt8], _ hash: CryptHash) -> Bool {
    guard isWhole(password) else { return false }
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: MemoryLayout<crypt_data>.size, alignment: 16)
    scratch.initializeMemory(as: UInt8.self, repeating: 0)
    defer {
      explicit_bzero(scratch.baseAddress!, scratch.count)
      scratch.deallocate()
    }
    var word = password + [0]
    let outcome = word.withUnsafeMutableBytes { word in
      defer { explicit_bzero(word.baseAddress!, word.count) }
      return crypt_rn(
        word.baseAddress?.assumingMemoryBound(to: CChar.self), hash.text, scratch.baseAddress, Int32(scratch.count))
    }
    guard let outcome else { return false }
    return ConstantTime.areEqual(UnsafeRawBufferPointer(start: outcome, count: strlen(outcome)), Array(hash.text.utf8))
  }

  /// Nobody has an empty password, and for `crypt` one ends at a zero byte.
  private static func isWhole(_ password: [UInt8]) -> Bool { !password.isEmpty && !password.contains(0) }
}

extension PBKDF2Hash.Function {
  fileprivate var ofLibrary: KDF.Insecure.PBKDF2.HashFunction {
    switch self {
    case .sha1: .insecureSHA1
    case .sha256: .sha256
    case .sha512: .sha512
    }
  }
}
