internal import Glibc

/// What the side file says: through which LSN the log was durable, and in which epoch.
package struct Witness: Sendable, Equatable {
  package var epoch: UInt64
  package var durableLSN: UInt64
  /// Counts the times it was written; the copy with the larger number holds.
  var sequence: UInt64

  package init(epoch: UInt64, durableLSN: UInt64, sequence: UInt64 = 0) {
    self.epoch = epoch
    self.durableLSN = durableLSN
    self.sequence = sequence
  }
}

/// The side file. Two copies lie in two pages of the disk and are written in turn, each synced before the other
/// is touched, so that one of them is whole whenever the power goes.
///
/// | offset in a copy | size | |
/// | --- | --- | --- |
/// | 0 | 8 | magic `GHWITNES` |
/// | 8 | 2 | format version |
/// | 10 | 2 | smallest version of a reader that understands it |
/// | 16 | 16 | the folder's id |
/// | 32 | 8 | sequence |
/// | 40 | 8 | epoch |
/// | 48 | 8 | durable LSN |
/// | 112 | 16 | hash of the 112 bytes before |
package struct WitnessFile {
  private static let magic: UInt64 = 0x5345_4E54_4957_4847
  private static let copyDistance: UInt64 = 4096
  private static let fileSize = 8192

  private let file: any DiskFile
  private let folderID: Hash128
  private(set) var current: Witness

  /// Opens the side file for writing, which `read` has found good.
  init(_ location: LogLocation, current: Witness) throws(DiskError) {
    file = try location.disk.openFile(location.path(LogFormat.witnessName), .write)
    folderID = location.folderID
    self.current = current
  }

  /// Writes the copy whose turn it is, and syncs it.
  mutating func write(epoch: UInt64, durableLSN: UInt64) throws(DiskError) {
    let next = Witness(epoch: epoch, durableLSN: durableLSN, sequence: current.sequence + 1)
    try Self.encode(next, folderID).withUnsafeBufferPointer { bytes throws(DiskError) in
      try file.writeAll(UnsafeRawBufferPointer(bytes), at: (next.sequence % 2) * Self.copyDistance)
    }
    try file.sync()
    current = next
  }

  /// Makes the side file of a log; used for a new log, and for one that was copied to another folder.
  package static func create(_ location: LogLocation, _ witness: Witness) throws(DiskError) {
    let copy = encode(witness, location.folderID)
    let padding = [UInt8](repeating: 0, count: Int(copyDistance) - copy.count)
    try location.disk.replaceFile(location.path(LogFormat.witnessName), with: copy + padding + copy + padding)
  }

  /// What the side file says.
  /// - Returns: nil where there is none.
  package static func read(_ location: LogLocation) throws(LogError) -> Witness? {
    let name = LogFormat.witnessName
    let bytes: [UInt8]
    do throws(DiskError) {
      bytes = try location.disk.readFile(location.path(name), limit: 2 * fileSize)
    } catch {
      if error.code == ENOENT { return nil }
      throw LogError(error, segment: name)
    }
    var newest: Witness?
    for copy in 0..<2 {
      let start = copy * Int(copyDistance)
      guard bytes.count >= start + LogFormat.headerSize else { continue }
      let witness = try bytes.withUnsafeBufferPointer { bytes throws(LogError) in
        try decode(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start...]), location.folderID)
      }
      if let witness, witness.sequence >= newest?.sequence ?? 0 { newest = witness }
    }
    guard let newest else { throw LogError(.corrupt, segment: name, "both copies of the witness are damaged") }
    return newest
  }

  private static func encode(_ witness: Witness, _ folderID: Hash128) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: LogFormat.headerSize)
    bytes.withUnsafeMutableBytes { bytes in
      bytes.storeLittleEndian(magic, at: 0)
      bytes.storeLittleEndian(LogFormat.version, at: 8)
      bytes.storeLittleEndian(LogFormat.smallestReader, at: 10)
      folderID.store(to: UnsafeMutableRawBufferPointer(rebasing: bytes[16...]))
      bytes.storeLittleEndian(witness.sequence, at: 32)
      bytes.storeLittleEndian(witness.epoch, at: 40)
      bytes.storeLittleEndian(witness.durableLSN, at: 48)
      Hash128(of: UnsafeRawBufferPointer(rebasing: bytes[..<LogFormat.hashOffset]))
        .store(to: UnsafeMutableRawBufferPointer(rebasing: bytes[LogFormat.hashOffset...]))
    }
    return bytes
  }

  /// - Returns: nil for a damaged copy.
  private static func decode(_ bytes: UnsafeRawBufferPointer, _ folderID: Hash128) throws(LogError) -> Witness? {
    let hash = Hash128(of: UnsafeRawBufferPointer(rebasing: bytes[..<LogFormat.hashOffset]))
    guard bytes.littleEndian(0, as: UInt64.self) == magic,
      Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes[LogFormat.hashOffset...])) == hash
    else { return nil }
    let reader = bytes.littleEndian(10, as: UInt16.self)
    guard reader <= LogFormat.version else {
      throw LogError(.unsupported, segment: LogFormat.witnessName, "it is for readers of version \(reader) or later")
    }
    guard Hash128(loading: UnsafeRawBufferPointer(rebasing: bytes[16...])) == folderID else {
      throw LogError(.stranger, segment: LogFormat.witnessName, "it belongs to another data folder")
    }
    return Witness(
      epoch: bytes.littleEndian(40, as: UInt64.self), durableLSN: bytes.littleEndian(48, as: UInt64.self),
      sequence: bytes.littleEndian(32, as: UInt64.self))
  }
}
