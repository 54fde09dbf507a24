internal import Crypto
internal import FoundationEssentials

/// Authenticated encryption with AES-256-GCM, and the derivation of the keys for it.
///
/// AES-GCM and not ChaCha20-Poly1305, because processors have instructions for it: `gatehouse-bench seal` compares the two
/// as swift-crypto has them, and the README has the figures.
///
/// ## Why no nonce repeats
/// With GCM, two different texts under one key and one nonce give away both and the key of the authentication. A counter
/// kept in the folder would repeat as soon as a backup is restored and goes on, or a virtual machine is set back. So
/// nothing here counts. Each unit gets a key of its own, derived by HMAC-SHA256 from the data key, a salt of at least 128
/// bits, and what the unit is; and under that key one text (a frame, a sealed secret) or one run of numbered blocks is
/// encrypted, once.
/// - A *frame* of the log: the key is derived from a salt in front of its text and from its whole header, with epoch,
///   LSN, previous hash, and the keyed hash of its content. The salt is an HMAC of the header under a secret that each
///   opening of the log draws anew from the kernel (256 bits). So a restored backup or a rewritten tail goes on with
///   other salts, whatever its numbers are; and a frame that is written again, because the disk had no room, is the same
///   bytes again. Even two clones of a virtual machine, which have the same secret in memory, come to the same key only
///   for the same header, and so for the same records.
/// - A *block file*: the key is derived from 256 random bits in its header. The blocks are numbered, each number is used
///   once, and a file that was interrupted is begun anew with new bits.
/// - A *sealed secret* and the *key ring*: 256 random bits each time.
///
/// With 2^40 frames under one data key the probability that two have the same salt is 2^-49, and even then their headers
/// would have to be the same.
enum Sealing {
  static let tagSize = 16

  /// A key for one unit.
  static func key(_ secret: SecretMemory, _ label: StaticString, _ parts: UnsafeRawBufferPointer...) -> SymmetricKey {
    SymmetricKey(data: code(secret, label, parts))
  }

  /// The HMAC of a label and parts. Labels are never a prefix of one another, and parts have fixed lengths but the last.
  static func code(
    _ secret: SecretMemory, _ label: StaticString, _ parts: [UnsafeRawBufferPointer]
  ) -> HashedAuthenticationCode<SHA256> {
    var code = secret.withBytes { HMAC<SHA256>(key: SymmetricKey(data: $0)) }
    code.update(data: UnsafeRawBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount))
    for part in parts { code.update(data: part) }
    return code.finalize()
  }

  /// Encrypts `plain` into `target`, which has room for it and the tag.
  static func seal(
    _ plain: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ key: SymmetricKey,
    number: UInt64 = 0, authenticating header: UnsafeRawBufferPointer
  ) {
    precondition(target.count == plain.count + tagSize)
    guard let box = try? AES.GCM.seal(plain, using: key, nonce: nonce(number), authenticating: header) else {
      preconditionFailure("AES-GCM refuses a key of 256 bits")
    }
    box.ciphertext.withUnsafeBytes { target.copyMemory(from: $0) }
    box.tag.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[plain.count...]).copyMemory(from: $0) }
  }

  /// Decrypts `sealed` into `target`, which has room for all but the tag, and may be where `sealed` is.
  /// - Returns: false if the bytes, or what they are bound to, are not those that were sealed.
  static func open(
    _ sealed: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ key: SymmetricKey,
    number: UInt64 = 0, authenticating header: UnsafeRawBufferPointer
  ) -> Bool {
    precondition(target.count + tagSize == sealed.count)
    let text = UnsafeRawBufferPointer(rebasing: sealed[..<target.count])
    let tag = UnsafeRawBufferPointer(rebasing: sealed[target.count...])
    guard let box = try? AES.GCM.SealedBox(nonce: nonce(number), ciphertext: text, tag: tag),
      let plain = try? AES.GCM.open(box, using: key, authenticating: header)
    else { return false }
    plain.withUnsafeBytes { target.copyMemory(from: $0) }
    return true
  }

  /// 96 bits: a number, which is 0 where the key is for one text only.
  private static func nonce(_ number: UInt64) -> AES.GCM.Nonce {
    withUnsafeTemporaryAllocation(byteCount: 12, alignment: 8) { bytes in
      bytes.storeBytes(of: 0, toByteOffset: 8, as: UInt32.self)
      bytes.storeLittleEndian(number, at: 0)
      guard let nonce = try? AES.GCM.Nonce(data: UnsafeRawBufferPointer(bytes)) else {
        preconditionFailure("a nonce has 12 bytes")
      }
      return nonce
    }
  }
}
