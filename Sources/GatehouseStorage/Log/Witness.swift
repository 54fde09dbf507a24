internal import Glibc

/// The content of the witness file: through which LSN the log was durable, and in which epoch.
package struct Witness: Sendable, Equatable {
  package var epoch: UInt64
  package var durableLSN: UInt64
  /// Counts how often it was written; the copy with the larger number is valid.
  var sequence: UInt64

  package init(epoch: UInt64, durableLSN: UInt64, sequence: UInt64 = 0) {
    self.epoch = epoch
    self.durableLSN = durableLSN
    self.sequence = sequence
  }
}

/// The witness file. It has two copies in two pages, written alternately, each synced before the other is touched. So
/// after a power loss at least one of them is whole.
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

  /// Opens the file for writing, after `read` has accepted it.
  init(_ location: LogLocation, current: Witness) throws(DiskError) {
    file = try location.disk.openFile(location.path(LogFormat.witnessName), .write)
    folderID = location.folderID
    self.current = current
  }

  /// Writes the older copy, and syncs it.
  mutating func write(epoch: UInt64, durableLSN: UInt64) throws(DiskError) {
    let next = Witness(epoch: epoch, durableLSN: durableLSN, sequence: current.sequence + 1)
    // Write the whole page, so that nothing is left of an earlier torn write.
    try Self.page(next, folderID).withRawBytes { bytes throws(DiskError) in
      try file.writeAll(bytes, at: (next.sequence % 2) * Self.copyDistance)
    }
    try file.sync()
    current = next
  }

  /// Creates the witness file, for a new log or a copied one.
  package static func create(_ location: LogLocation, _ witness: Witness) throws(DiskError) {
    try location.disk.replaceFile(
      location.path(LogFormat.witnessName), with: contents(witness, location.folderID))
  }

  /// The bytes of a new file.
  static func contents(_ witness: Witness, _ folderID: Hash128) -> [UInt8] {
    let page = page(witness, folderID)
    return page + page
  }

  /// Reads the witness.
  /// - Returns: nil if there is no file.
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

  /// What is wrong with the file although it can be read: a damaged copy, or bytes that should be zero. Empty if there
  /// is no file.
  static func faults(_ location: LogLocation) throws(LogError) -> [Fault] {
    var common: Set<Fault>?
    // A live writer may be writing a copy. A damaged copy stays damaged, so report only what three reads agree on.
    for _ in 0..<3 {
      let bytes: [UInt8]
      do throws(DiskError) {
        bytes = try location.disk.readFile(location.path(LogFormat.witnessName), limit: 2 * fileSize)
      } catch {
        if error.code == ENOENT { return [] }
        throw LogError(error, segment: LogFormat.witnessName)
      }
      let found = try faults(in: bytes, location.folderID)
      common = common.map { $0.intersection(found) } ?? found
      if common?.isEmpty ?? false { break }
    }
    return (common ?? []).sorted { $0.offset < $1.offset }
  }

  struct Fault: Hashable {
    var offset: UInt64
    var text: String
  }

  private static func faults(in bytes: [UInt8], _ folderID: Hash128) throws(LogError) -> Set<Fault> {
    var faults: Set<Fault> = []
    for copy in 0..<2 {
      let start = copy * Int(copyDistance)
      let end = start + Int(copyDistance)
      guard bytes.count >= end else {
        faults.insert(Fault(offset: UInt64(bytes.count), text: "it ends too early"))
        break
      }
      let witness = try bytes.withRawBytes { bytes throws(LogError) in
        try decode(UnsafeRawBufferPointer(rebasing: bytes[start...]), folderID)
      }
      if witness == nil {
        faults.insert(Fault(offset: UInt64(start), text: "one of two copies is damaged: the next start writes it anew"))
      }
      if let at = bytes[(start + LogFormat.headerSize)..<end].firstIndex(where: { $0 != 0 }) {
        faults.insert(Fault(offset: UInt64(at), text: "there is something where nothing should be"))
      }
    }
    if bytes.count > fileSize { faults.insert(Fault(offset: UInt64(fileSize), text: "it goes on behind its end")) }
    return faults
  }

  /// A copy, padded with zeros to a page.
  private static func page(_ witness: Witness, _ folderID: Hash128) -> [UInt8] {
    let copy = encode(witness, folderID)
    return copy + [UInt8](repeating: 0, count: Int(copyDistance) - copy.count)
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

  /// - Returns: nil if the copy is damaged.
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
