internal import Crypto
internal import FoundationEssentials

/// The key that an operator keeps. It encrypts nothing but the key ring of a folder (envelope encryption): so it can be
/// replaced without rewriting what was encrypted before.
package struct MasterKey: Sendable {
  let secret: SecretMemory
  /// 16 hexadecimal digits of a hash of the key. It tells a wrong key from a damaged folder, and cannot be turned back
  /// into the key.
  package let id: String

  private init(_ secret: SecretMemory) {
    self.secret = secret
    id = secret.withBytes { bytes in
      var hasher = SHA256()
      hasher.update(data: Array("gatehouse master key id".utf8))
      hasher.update(bufferPointer: bytes)
      return Hexadecimal.text(hasher.finalize().prefix(8))
    }
  }

  /// Stands in for the master key once everything was decrypted. Anybody has it: the ring then holds nothing but what the
  /// hashes of frames that were encrypted once are made with, and what they hide is in clear.
  static let released = MasterKey(SecretMemory { _ in }, id: "none")

  private init(_ secret: SecretMemory, id: String) {
    self.secret = secret
    self.id = id
  }

  /// A new key, drawn from the kernel's random generator.
  package static func random() -> MasterKey { MasterKey(.random()) }

  /// Reads a key: 32 bytes as 64 hexadecimal digits or in base64. White space around it does not count.
  /// - Parameter source: where the text is from, for the error.
  package init(parsing text: [UInt8], source: String) throws(EncryptionError) {
    func fault(_ problem: String) -> EncryptionError { .malformedKey(source: source, problem: problem) }
    let blank: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0d]
    var digits = Array(text.drop { blank.contains($0) }.reversed().drop { blank.contains($0) }.reversed())
    defer { digits.wipe() }
    guard !digits.isEmpty else { throw fault("is empty; \(Self.expected)") }
    var bytes: [UInt8]
    if digits.count == 2 * SecretMemory.size, let decoded = Self.hexadecimal(digits) {
      bytes = decoded
    } else if let decoded = Self.base64(digits) {
      bytes = decoded
    } else {
      throw fault("is neither hexadecimal nor base64 (\(digits.count) characters); \(Self.expected)")
    }
    defer { bytes.wipe() }
    guard bytes.count == SecretMemory.size else { throw fault("has \(bytes.count) bytes; \(Self.expected)") }
    guard Set(bytes).count > 1 else { throw fault("is one byte repeated, which anybody can guess; \(Self.expected)") }
    self.init(SecretMemory { $0.copyBytes(from: bytes) })
  }

  private static let expected =
    "give 32 random bytes as 64 hexadecimal digits or 44 characters of base64, as `openssl rand -hex 32` prints them"

  private static func hexadecimal(_ digits: [UInt8]) -> [UInt8]? {
    let nibbles = digits.map { digit -> UInt8? in
      switch digit {
      case 0x30...0x39: digit - 0x30
      case 0x61...0x66: digit - 0x61 + 10
      case 0x41...0x46: digit - 0x41 + 10
      default: nil
      }
    }
    guard !nibbles.contains(nil) else { return nil }
    return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0]! << 4 | nibbles[$0 + 1]! }
  }

  private static func base64(_ digits: [UInt8]) -> [UInt8]? {
    var padded = Data(digits)
    while !padded.count.isMultiple(of: 4) { padded.append(0x3d) }
    return Data(base64Encoded: padded).map { Array($0) }
  }

  /// The key as 64 hexadecimal digits, to write it to a file.
  package var text: String { secret.withBytes { Hexadecimal.text($0) } }

  /// Derives the key that seals a ring.
  func wrappingKey(salt: [UInt8]) -> SymmetricKey {
    secret.withBytes {
      HKDF<SHA256>.deriveKey(
        inputKeyMaterial: SymmetricKey(data: $0), salt: salt, info: Array("gatehouse key ring".utf8),
        outputByteCount: SecretMemory.size)
    }
  }
}
