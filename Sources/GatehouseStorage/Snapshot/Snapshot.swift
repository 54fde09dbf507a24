/// A snapshot is the state of a whole server in one file: `snapshots/<20-digit LSN>.snapshot`.
///
/// It is a block file (`BlockFile`) with one section per owner: each partition, by its index, and the directory.
/// Partitions are copied one after the other while the server keeps working, so each section is the state as of an LSN
/// of its own. The file is named by the smallest of them; replay starts after it. A section is cut into blocks of at
/// most 1 MiB, in the order of the sections, and the table adds
///
/// ```
/// count u32 · a section: owner u16 · zero u16 · blocks u32 · LSN u64 · raw length u64
/// ```
///
/// What the bytes of a section mean is not known here.
package enum Snapshot {
  /// The owner number of the directory.
  package static let directoryOwner: UInt16 = .max

  static let kind = BlockFileKind(
    magic: BlockFile.magic("GATESNAP"), format: 1, reader: 1, blockLimit: blockSize)
  static let blockSize = 1 << 20
  static let compressionLevel: Int32 = 1
  static let suffix = ".snapshot"
  /// How many sound snapshots are kept. If the newest turns out damaged, the one before it is used.
  package static let kept = 2

  static func name(_ lsn: UInt64) -> String { NumberedName.text(lsn) + suffix }

  static func lsn(ofName name: String) -> UInt64? {
    name.hasSuffix(suffix) ? NumberedName.number(name.dropLast(suffix.count)) : nil
  }

  /// The owners whose sections a complete snapshot has.
  static func owners(partitionCount: Int) -> [UInt16] {
    (0..<partitionCount).map { UInt16($0) } + [directoryOwner]
  }
}

/// One owner's state in a snapshot.
package struct SnapshotSection: Sendable, Equatable {
  package let owner: UInt16
  /// The last record that the state has applied.
  package let lsn: UInt64
  package let rawLength: Int
  /// The file's blocks that hold it.
  let blocks: Range<Int>
}

/// Facts about a complete snapshot.
package struct SnapshotInfo: Sendable, Equatable {
  package let path: String
  /// The smallest LSN of its sections; replay starts after it.
  package let lsn: UInt64
  package let largestLSN: UInt64
  /// Unix milliseconds.
  package let createdAt: UInt64
  package let sectionCount: Int
  package let rawBytes: UInt64
  package let fileBytes: UInt64
}

/// Why a snapshot was not written.
package enum SnapshotError: Error, Equatable {
  /// An owner has two sections, or none.
  case repeated(owner: UInt16)
  case incomplete(missing: [UInt16])
  /// A section contains records that a crash could still take back. Finish once the log is durable through `largest`.
  case ahead(largest: UInt64, durable: UInt64)
  case file(BlockFileError)
}

extension SnapshotError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .repeated(let owner): "the snapshot has two sections of owner \(owner)"
    case .incomplete(let missing):
      "the snapshot lacks \(missing.count) sections (owner \(missing.prefix(8).map(String.init).joined(separator: ", ")))"
    case .ahead(let largest, let durable):
      "the snapshot reaches record \(largest), but the log is durable through \(durable) only"
    case .file(let error): error.description
    }
  }
}

/// The table that a snapshot adds to its block file.
enum SnapshotTable {
  static func encoded(_ sections: [SnapshotSection]) -> [UInt8] {
    var bytes = FieldWriter()
    bytes.put(UInt32(sections.count))
    for section in sections {
      bytes.put(section.owner)
      bytes.put(UInt16(0))
      bytes.put(UInt32(section.blocks.count))
      bytes.put(section.lsn)
      bytes.put(UInt64(section.rawLength))
    }
    return bytes.bytes
  }

  /// Decodes the sections of a table. Together they must cover all `blocks`, in order.
  static func decoded(_ table: [UInt8], blocks: [BlockEntry]) throws(MalformedBytes) -> [SnapshotSection] {
    var reader = FieldReader(table)
    var sections: [SnapshotSection] = []
    var next = 0
    let count: UInt32 = try reader.take()
    for _ in 0..<count {
      let owner: UInt16 = try reader.take()
      let zero: UInt16 = try reader.take()
      let blockCount: UInt32 = try reader.take()
      let lsn: UInt64 = try reader.take()
      let rawLength: UInt64 = try reader.take()
      guard zero == 0, Int(blockCount) <= blocks.count - next else { throw MalformedBytes() }
      let range = next..<(next + Int(blockCount))
      guard blocks[range].reduce(0, { $0 + UInt64($1.rawLength) }) == rawLength,
        !sections.contains(where: { $0.owner == owner })
      else { throw MalformedBytes() }
      sections.append(SnapshotSection(owner: owner, lsn: lsn, rawLength: Int(rawLength), blocks: range))
      next = range.upperBound
    }
    guard !sections.isEmpty, next == blocks.count, reader.remaining == 0 else { throw MalformedBytes() }
    return sections
  }
}
