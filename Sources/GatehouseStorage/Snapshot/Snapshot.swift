/// A snapshot is the state of a whole server in one file: `snapshots/<20-digit record number>.snapshot`.
///
/// It is a block file (`BlockFile`) of one section an owner. An owner is a partition, by its index, or the
/// directory. Partitions are copied one after the other while the server works on, so each section is a
/// state as of its own record number; the file is named by the smallest of them, from which on the log is
/// replayed. A section is cut into blocks of at most 1 MiB, in the order of the sections, and the table adds
///
/// ```
/// count u32 · a section: owner u16 · zero u16 · blocks u32 · LSN u64 · raw length u64
/// ```
///
/// What the bytes of a section mean is not known here.
package enum Snapshot {
  /// Who a section with this owner belongs to is not a partition, but the directory.
  package static let directoryOwner: UInt16 = .max

  static let kind = BlockFileKind(
    magic: BlockFile.magic("GATESNAP"), format: 1, reader: 1, blockLimit: blockSize)
  static let blockSize = 1 << 20
  static let compressionLevel: Int32 = 1
  static let suffix = ".snapshot"
  /// How many sound snapshots are kept: should the newest be damaged one day, the one before it opens.
  package static let kept = 2

  static func name(_ lsn: UInt64) -> String { NumberedName.text(lsn) + suffix }

  static func lsn(ofName name: String) -> UInt64? {
    name.hasSuffix(suffix) ? NumberedName.number(name.dropLast(suffix.count)) : nil
  }

  /// The owners whose sections make a snapshot of a folder whole.
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
  /// Which of the file's blocks hold it.
  let blocks: Range<Int>
}

/// What there is to say about a snapshot that is whole.
package struct SnapshotInfo: Sendable, Equatable {
  package let path: String
  /// The smallest record number of its sections: the log is replayed from the next one on.
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
  /// An owner has handed in two sections, or none.
  case repeated(owner: UInt16)
  case incomplete(missing: [UInt16])
  /// A section knows of records that a crash could still take back. Finish when the log is durable through
  /// `largest`.
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

  /// The sections of a table whose blocks are `blocks`: they must share out all blocks, in order.
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
