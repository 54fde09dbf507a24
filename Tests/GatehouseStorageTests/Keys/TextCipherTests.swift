import GatehouseCore
import Testing

@testable import GatehouseStorage

/// AES-256-GCM as NIST has it, and nothing that was changed is opened.
@Suite struct TextCipherTests {
  /// Test case 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), with the plain text first.
  private static let text = """
    d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657\
    ba637b39
    """
  private static let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
  private static let nonce = "cafebabefacedbaddecaf888"
  private static let bound = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
  private static let sealed = """
    522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a\
    bcc9f66276fc6ece0f4e1768cddf8853bb2d551b
    """

  private func bytes(_ hexadecimal: String) throws -> [UInt8] { try #require(Hexadecimal.bytes(hexadecimal)) }

  private func key(_ bytes: [UInt8]) -> KeyBytes { bytes.withUnsafeBytes { KeyBytes(loading: $0) } }

  private func seal(_ plain: [UInt8], _ bound: [UInt8]) throws -> [UInt8] {
    let (key, nonce) = (key(try bytes(Self.key)), try bytes(Self.nonce))
    var writer = ByteWriter()
    plain.withUnsafeBytes { plain in
      nonce.withUnsafeBytes { nonce in
        bound.withUnsafeBytes { TextCipher.seal(plain, key, nonce: nonce, authenticating: $0, into: &writer) }
      }
    }
    return Array(writer.bytes)
  }

  private func open(_ sealed: [UInt8], _ bound: [UInt8], _ key: KeyBytes? = nil) throws -> [UInt8]? {
    let key = try key ?? self.key(bytes(Self.key))
    var writer = ByteWriter()
    let isOpen = sealed.withUnsafeBytes { sealed in
      bound.withUnsafeBytes { TextCipher.open(sealed, key, authenticating: $0, into: &writer) }
    }
    if !isOpen { #expect(writer.count == 0, "something was written of what was refused") }
    return isOpen ? Array(writer.bytes) : nil
  }

  @Test func itIsTheStandard() throws {
    let (text, bound) = (try bytes(Self.text), try bytes(Self.bound))
    let sealed = try seal(text, bound)
    #expect(try sealed == bytes(Self.nonce + Self.sealed))
    #expect(try open(sealed, bound) == text)
  }

  @Test(arguments: [0, 1, 15, 16, 17, 4096]) func anyLengthComesBack(count: Int) throws {
    let text = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for bound in [[], text] {
      let sealed = try seal(text, bound)
      #expect(sealed.count == count + TextCipher.nonceSize + TextCipher.tagSize)
      #expect(try open(sealed, bound) == text)
    }
  }

  @Test func whatWasChangedIsRefused() throws {
    let bound = try bytes(Self.bound)
    let sealed = try seal(bytes(Self.text), bound)
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 1 << UInt8(index % 8)
      #expect(try open(changed, bound) == nil, "byte \(index)")
    }
    for count in 0..<sealed.count { #expect(try open(Array(sealed.prefix(count)), bound) == nil, "\(count) bytes") }
    #expect(try open(sealed, Array(bound.dropLast())) == nil)
    #expect(try open(sealed, bound, KeyBytes(a: 1, b: 2, c: 3, d: 4)) == nil)
    // What was refused leaves nothing behind.
    #expect(try open(sealed, bound) == bytes(Self.text))
  }
}
