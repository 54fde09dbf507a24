/// What a frame contains.
package enum FrameType: Sendable, Equatable {
  case records
  /// Written when the log is closed cleanly; contains no record.
  case cleanEnd
  /// A type that this version does not know, but may skip.
  case skippable(UInt8)

  package var code: UInt8 {
    switch self {
    case .records: 1
    case .cleanEnd: 2
    case .skippable(let code): code
    }
  }

  /// Nil for an unknown type that must not be skipped.
  package init?(code: UInt8) {
    switch code {
    case 1: self = .records
    case 2: self = .cleanEnd
    case 128...: self = .skippable(code)
    default: return nil
    }
  }
}

/// The fixed beginning of a frame; `LogFormat` shows its layout.
package struct FrameHeader: Sendable, Equatable {
  package var type: FrameType
  package var isCompressed: Bool
  package var epoch: UInt64
  package var firstLSN: UInt64
  package var recordCount: UInt32
  package var bodyLength: UInt32
  package var storedLength: UInt32
  package var dictionaryID: UInt32
  package var durableLSN: UInt64
  package var previousHash: Hash128
  package var bodyHash: Hash128
  /// The hash of the body before compression; nil in frames of version 0.1.0.
  package var contentHash: Hash128?
  /// Whether the stored body is encrypted.
  package var isEncrypted = false
  /// The number of the data key that the stored body is encrypted with, if it is.
  package var dataKey: UInt32 = 0
  /// The number of the data key that the hash of the content is made with; 0 for a hash without a key.
  package var contentKey: UInt32 = 0
  /// The frame's hash in the chain. Set by `store`.
  package var hash = Hash128.zero

  /// The LSN after this frame.
  package var nextLSN: UInt64 { firstLSN + UInt64(recordCount) }
  /// Header and stored body, without the padding before the next frame.
  package var frameLength: Int { LogFormat.headerSize + Int(storedLength) }

  /// The length of the stored body before it was encrypted.
  var clearLength: Int { Int(storedLength) - (isEncrypted ? FrameSeal.overhead : 0) }

  static let magic: UInt32 = 0x5246_4847  // "GHFR"
  private static let compressedFlag: UInt8 = 1
  private static let contentFlag: UInt8 = 2
  private static let encryptedFlag: UInt8 = 4
  private static let keyedFlag: UInt8 = 8
  private static let knownFlags = compressedFlag | contentFlag | encryptedFlag | keyedFlag
}

extension FrameHeader {
  /// Why 128 bytes are not a valid header.
  enum Fault: Error, Equatable {
    /// Nothing was written here.
    case zeros
    /// Not a header, or a damaged one.
    case damaged
    /// Valid, but of a version or a type that this reader does not know.
    case unsupported(String)
  }

  /// Decodes and checks a header.
  init(loading bytes: UnsafeRawBufferPointer, folderID: Hash128) throws(Fault) {
    precondition(bytes.count >= LogFormat.headerSize)
    guard bytes.littleEndian(0, as: UInt32.self) == Self.magic else {
      let header = UnsafeRawBufferPointer(rebasing: bytes[..<LogFormat.headerSize])
      throw header.countWithoutTrailingZeros == 0 ? .zeros : .damaged
    }
    let stored = Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes[LogFormat.hashOffset...]))
    guard stored == Self.hash(of: bytes, folderID) else { throw .damaged }
    let version = bytes.littleEndian(4, as: UInt16.self)
    guard version == LogFormat.version else { throw .unsupported("frame version \(version)") }
    guard let type = FrameType(code: bytes[6]) else { throw .unsupported("frame type \(bytes[6])") }
    guard bytes[7] & ~Self.knownFlags == 0 else {
      throw .unsupported("frame flags \(bytes[7])")
    }
    self.type = type
    isCompressed = bytes[7] & Self.compressedFlag != 0
    isEncrypted = bytes[7] & Self.encryptedFlag != 0
    epoch = bytes.littleEndian(8, as: UInt64.self)
    firstLSN = bytes.littleEndian(16, as: UInt64.self)
    recordCount = bytes.littleEndian(24, as: UInt32.self)
    bodyLength = bytes.littleEndian(28, as: UInt32.self)
    storedLength = bytes.littleEndian(32, as: UInt32.self)
    dictionaryID = bytes.littleEndian(36, as: UInt32.self)
    durableLSN = bytes.littleEndian(40, as: UInt64.self)
    previousHash = Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes[48...]))
    bodyHash = Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes[64...]))
    if bytes[7] & Self.contentFlag != 0 {
      contentHash = Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes[Self.contentOffset...]))
      hash = Self.chainHash(of: bytes, folderID)
    } else {
      hash = stored
    }
    if bytes[7] & Self.keyedFlag != 0 { contentKey = bytes.littleEndian(Self.contentKeyOffset, as: UInt32.self) }
    if isEncrypted { dataKey = bytes.littleEndian(Self.dataKeyOffset, as: UInt32.self) }
    // But for what the encryption adds, a stored body is never larger than the raw one, and bodies are bounded; anything
    // else is not ours.
    guard bodyLength <= LogFormat.maximumBody, (0...Int(bodyLength)).contains(clearLength),
      isCompressed || clearLength == bodyLength, firstLSN > 0, firstLSN <= .max - UInt64(recordCount)
    else { throw .damaged }
  }

  /// Encodes the header into 128 bytes, with its hash at the end.
  mutating func store(to bytes: UnsafeMutableRawBufferPointer, folderID: Hash128) {
    storeFields(to: bytes)
    let own = Self.hash(of: UnsafeRawBufferPointer(bytes), folderID)
    own.store(to: UnsafeMutableRawBufferPointer(rebasing: bytes[LogFormat.hashOffset...]))
    hash = contentHash == nil ? own : Self.chainHash(of: UnsafeRawBufferPointer(bytes), folderID)
  }

  /// What the encryption of a body is bound to: all fields, but for the hash of what it results in.
  func withSealedFields<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    var header = self
    header.bodyHash = .zero
    return try withUnsafeTemporaryAllocation(byteCount: LogFormat.headerSize, alignment: 8) { bytes in
      header.storeFields(to: bytes)
      return try body(UnsafeRawBufferPointer(rebasing: bytes[..<LogFormat.hashOffset]))
    }
  }

  private func storeFields(to bytes: UnsafeMutableRawBufferPointer) {
    precondition(bytes.count >= LogFormat.headerSize)
    UnsafeMutableRawBufferPointer(rebasing: bytes[..<LogFormat.headerSize]).initializeMemory(
      as: UInt8.self, repeating: 0)
    bytes.storeLittleEndian(Self.magic, at: 0)
    bytes.storeLittleEndian(LogFormat.version, at: 4)
    bytes[6] = type.code
    bytes[7] =
      (isCompressed ? Self.compressedFlag : 0) | (contentHash == nil ? 0 : Self.contentFlag)
      | (isEncrypted ? Self.encryptedFlag : 0) | (contentKey == 0 ? 0 : Self.keyedFlag)
    bytes.storeLittleEndian(epoch, at: 8)
    bytes.storeLittleEndian(firstLSN, at: 16)
    bytes.storeLittleEndian(recordCount, at: 24)
    bytes.storeLittleEndian(bodyLength, at: 28)
    bytes.storeLittleEndian(storedLength, at: 32)
    bytes.storeLittleEndian(dictionaryID, at: 36)
    bytes.storeLittleEndian(durableLSN, at: 40)
    previousHash.store(to: UnsafeMutableRawBufferPointer(rebasing: bytes[48...]))
    bodyHash.store(to: UnsafeMutableRawBufferPointer(rebasing: bytes[64...]))
    contentHash?.store(to: UnsafeMutableRawBufferPointer(rebasing: bytes[Self.contentOffset...]))
    bytes.storeLittleEndian(contentKey, at: Self.contentKeyOffset)
    bytes.storeLittleEndian(dataKey, at: Self.dataKeyOffset)
  }

  private static let contentOffset = 80
  private static let contentKeyOffset = 96
  private static let dataKeyOffset = 100

  /// The hash of the frame's content, independent of how the body is stored.
  private static func chainHash(of bytes: UnsafeRawBufferPointer, _ folderID: Hash128) -> Hash128 {
    withUnsafeTemporaryAllocation(byteCount: LogFormat.hashOffset, alignment: 8) { said in
      said.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<LogFormat.hashOffset]))
      said[7] &= ~(compressedFlag | encryptedFlag)
      said.storeLittleEndian(UInt64(0), at: 32)
      said.storeLittleEndian(UInt32(0), at: dataKeyOffset)
      Hash128.zero.store(to: UnsafeMutableRawBufferPointer(rebasing: said[64...]))
      return hash(of: UnsafeRawBufferPointer(said), folderID)
    }
  }

  /// The folder's id is hashed first, so that a frame of another folder is never accepted.
  private static func hash(of bytes: UnsafeRawBufferPointer, _ folderID: Hash128) -> Hash128 {
    withUnsafeTemporaryAllocation(byteCount: Hash128.size, alignment: 8) { id in
      folderID.store(to: id)
      return Hash128(
        of: UnsafeRawBufferPointer(id), then: UnsafeRawBufferPointer(rebasing: bytes[..<LogFormat.hashOffset]))
    }
  }
}

extension UnsafeRawBufferPointer {
  @inline(__always)
  func littleEndian<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as: Number.Type) -> Number {
    Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
  }
}

extension UnsafeMutableRawBufferPointer {
  @inline(__always)
  func storeLittleEndian<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number, at offset: Int) {
    storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
  }
}
