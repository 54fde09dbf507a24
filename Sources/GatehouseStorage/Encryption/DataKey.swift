internal import Crypto
internal import FoundationEssentials

/// A key that files are encrypted with. The folder's key ring keeps it, wrapped by the master key.
///
/// From it comes a second key, which the hashes of frames' contents are made with. A hash in clear would let anybody who
/// can guess a record make sure of it. That key outlives the data key: an archive that was encrypted anew keeps the
/// headers of its frames, so a retired data key leaves it behind, and the chain can be proved for good.
package final class DataKey: Sendable {
  /// From 1 on; 0 stands for none.
  package let number: UInt32
  /// Unix seconds.
  package let createdAt: UInt64
  /// Nil once the key is retired.
  let secret: SecretMemory?
  let commitment: SecretMemory

  init(number: UInt32, createdAt: UInt64, secret: SecretMemory?, commitment: SecretMemory? = nil) {
    precondition(secret != nil || commitment != nil)
    self.number = number
    self.createdAt = createdAt
    self.secret = secret
    self.commitment =
      commitment
      ?? SecretMemory { target in
        Sealing.code(secret!, "gatehouse content", []).withUnsafeBytes { target.copyMemory(from: $0) }
      }
  }

  /// Without the secret: nothing can be decrypted with it any more.
  var retired: DataKey { DataKey(number: number, createdAt: createdAt, secret: nil, commitment: commitment) }

  /// The keyed hash of a frame's content. It covers the frame's place, so that equal contents do not look equal.
  func commit(to body: UnsafeRawBufferPointer, epoch: UInt64, firstLSN: UInt64) -> Hash128 {
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { place in
      place.storeLittleEndian(epoch, at: 0)
      place.storeLittleEndian(firstLSN, at: 8)
      return Sealing.code(commitment, "frame content", [UnsafeRawBufferPointer(place), body])
        .withUnsafeBytes { Hash128(loading: $0) }
    }
  }
}

// MARK: - Frames

/// The stored form of a frame's body in an encrypted log: a salt of 16 bytes, the text, the tag. `Sealing` says where the
/// salt is from.
enum FrameSeal {
  static let saltSize = 16
  static let overhead = saltSize + Sealing.tagSize

  /// Encrypts a compressed or raw body.
  /// - Parameters:
  ///   - session: drawn by the encoder that seals the frame.
  ///   - fields: the header's fields, with zeros for the hash of the stored body.
  ///   - target: has room for `overhead` more bytes than the body.
  static func seal(
    _ plain: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ key: SecretMemory,
    session: SecretMemory, fields: UnsafeRawBufferPointer
  ) {
    let salt = UnsafeMutableRawBufferPointer(rebasing: target[..<saltSize])
    Sealing.code(session, "gatehouse salt", [fields]).withUnsafeBytes {
      salt.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<saltSize]))
    }
    Sealing.seal(
      plain, into: UnsafeMutableRawBufferPointer(rebasing: target[saltSize...]),
      Sealing.key(key, "gatehouse frame", UnsafeRawBufferPointer(salt), fields), authenticating: fields)
  }

  /// - Returns: false if it was not sealed with this key for this header.
  static func open(
    _ stored: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ key: SecretMemory,
    fields: UnsafeRawBufferPointer
  ) -> Bool {
    let salt = UnsafeRawBufferPointer(rebasing: stored[..<saltSize])
    return Sealing.open(
      UnsafeRawBufferPointer(rebasing: stored[saltSize...]), into: target,
      Sealing.key(key, "gatehouse frame", salt, fields), authenticating: fields)
  }
}

// MARK: - Block files

/// Encrypts and decrypts the blocks of one file.
struct BlockSeal: Sendable {
  static let saltSize = 32

  private let key: SymmetricKey

  /// - Parameter salt: of the file's header.
  init(_ key: SecretMemory, salt: [UInt8]) {
    precondition(salt.count == Self.saltSize)
    self.key = salt.withUnsafeBytes { Sealing.key(key, "gatehouse file", $0) }
  }

  /// - Parameters:
  ///   - number: of the block in its file. A number is used once.
  ///   - target: has room for the tag, too.
  func seal(
    _ plain: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, number: Int, rawLength: Int
  ) {
    Self.withDescription(rawLength) {
      Sealing.seal(plain, into: target, key, number: UInt64(number), authenticating: $0)
    }
  }

  func open(
    _ sealed: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, number: Int, rawLength: Int
  ) -> Bool {
    Self.withDescription(rawLength) {
      Sealing.open(sealed, into: target, key, number: UInt64(number), authenticating: $0)
    }
  }

  private static func withDescription<Result>(_ rawLength: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeBytes(of: UInt64(rawLength).littleEndian, body)
  }
}
