/// The header of a segment; `LogFormat` shows its layout.
package struct SegmentHeader: Sendable, Equatable {
  package var alignment: UInt32
  package var folderID: Hash128
  package var firstLSN: UInt64
  package var epoch: UInt64
  /// The hash of the last frame before this segment.
  package var previousHash: Hash128
  /// The number of the data key that was current when the segment was begun; 0 for none. Its frames name their own.
  package var dataKey: UInt32

  /// "GHLOGSEG"
  static let magic: UInt64 = 0x4745_5347_4F4C_4847

  enum Fault: Error, Equatable {
    case damaged
    case unsupported(String)
    case foreign
  }

  init(
    alignment: UInt32, folderID: Hash128, firstLSN: UInt64, epoch: UInt64, previousHash: Hash128, dataKey: UInt32 = 0
  ) {
    self.alignment = alignment
    self.folderID = folderID
    self.firstLSN = firstLSN
    self.epoch = epoch
    self.previousHash = previousHash
    self.dataKey = dataKey
  }

  /// Decodes and checks a header.
  init(loading bytes: UnsafeRawBufferPointer, folderID: Hash128) throws(Fault) {
    guard bytes.count >= LogFormat.headerSize, bytes.littleEndian(0, as: UInt64.self) == Self.magic,
      Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes[LogFormat.hashOffset...])) == Self.hash(of: bytes)
    else { throw .damaged }
    let version = bytes.littleEndian(8, as: UInt16.self)
    let reader = bytes.littleEndian(10, as: UInt16.self)
    guard reader <= LogFormat.version else {
      throw .unsupported("format version \(version), for readers of version \(reader) or later")
    }
    alignment = bytes.littleEndian(12, as: UInt32.self)
    self.folderID = Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes[16...]))
    firstLSN = bytes.littleEndian(32, as: UInt64.self)
    epoch = bytes.littleEndian(40, as: UInt64.self)
    previousHash = Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes[48...]))
    dataKey = bytes.littleEndian(64, as: UInt32.self)
    guard self.folderID == folderID else { throw .foreign }
    guard alignment == 512 || alignment == 4096 else { throw .damaged }
  }

  /// The 128 bytes of the header.
  func encoded() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: LogFormat.headerSize)
    bytes.withUnsafeMutableBytes { bytes in
      bytes.storeLittleEndian(Self.magic, at: 0)
      bytes.storeLittleEndian(LogFormat.version, at: 8)
      bytes.storeLittleEndian(LogFormat.smallestReader, at: 10)
      bytes.storeLittleEndian(alignment, at: 12)
      folderID.store(to: UnsafeMutableRawBufferPointer(rebasing: bytes[16...]))
      bytes.storeLittleEndian(firstLSN, at: 32)
      bytes.storeLittleEndian(epoch, at: 40)
      previousHash.store(to: UnsafeMutableRawBufferPointer(rebasing: bytes[48...]))
      bytes.storeLittleEndian(dataKey, at: 64)
      Self.hash(of: UnsafeRawBufferPointer(bytes))
        .store(to: UnsafeMutableRawBufferPointer(rebasing: bytes[LogFormat.hashOffset...]))
    }
    return bytes
  }

  private static func hash(of bytes: UnsafeRawBufferPointer) -> Hash128 {
    Hash128(of: UnsafeRawBufferPointer(rebasing: bytes[..<LogFormat.hashOffset]))
  }
}

/// What is known of a segment from its name and its neighbours.
package struct SegmentInfo: Sendable, Equatable {
  package let firstLSN: UInt64
  /// Nil for the segment that is being written.
  package let lastLSN: UInt64?
  /// The size of the file.
  package let bytes: UInt64

  package var name: String { LogFormat.segmentName(firstLSN) }
}
