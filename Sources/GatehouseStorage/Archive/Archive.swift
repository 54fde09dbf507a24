/// The archive is the log's past: what both kept snapshots cover, packed tighter and indexed, but otherwise
/// as the log wrote it. Its files are `archive/<first LSN>-<last LSN>.archive`, each of some whole segments.
///
/// A segment that is damaged cannot be packed: it is set aside as it is, as `archive/<first LSN>-<last LSN>.damaged`.
/// What of it is sound is read from there. Whoever has a sound copy of the segment, in a backup, may put it in its place.
///
/// ## File
/// A block file (`BlockFile`). The first blocks hold frames, one behind the other: the frame's header, byte
/// for byte as in the log, and its body, decompressed. Blocks end between frames, after about 1 MiB, and are
/// compressed anew, much harder than the log has time for. The blocks after them are the pages of the index.
/// The table adds
///
/// ```
/// first LSN u64 · last LSN u64 · hash of the frame before 16 · hash of the last frame 16
/// · blocks of frames u32 · pages u32
/// a block of frames: first LSN u64 · records u32 · frames u32 · earliest time u64 · latest time u64
/// a page: the first id in it u64
/// ```
///
/// A page lists ids in ascending order, each with the blocks that have records about it:
/// `ids varint`, then for each id `distance from the one before varint · blocks varint · distances varint…`.
///
/// ## The chain
/// The headers are kept whole, so the chain runs through the archive into the log (`LogFormat`): whoever changes, drops or
/// adds a frame in the past breaks it. What the log had *stored* of a body is not kept, but the chain covers its content.
///
/// Frames of version 0.1.0 have no hash of their content. For their bodies the archive's trailer stands
/// (`ArchiveInfo.hash`), which the server puts into a record of the log.
package enum Archive {
  /// Since format 2 the index has the records about workspaces, products and services, too, and those that can be placed by
  /// a home alone; before it had those about people only.
  static let kind = BlockFileKind(
    magic: BlockFile.magic("GATEARCH"), format: 2, reader: 1,
    blockLimit: blockSize + LogFormat.headerSize + LogFormat.maximumBody)
  /// A block ends with the frame that takes it to this length.
  static let blockSize = 1 << 20
  static let suffix = ".archive"
  /// The end of the name of a segment that a compaction has set aside, as it was, because it is damaged.
  static let damagedSuffix = ".damaged"
  /// How many ids a page of the index holds: a look-up reads one page.
  static let pageSize = 4096

  static func name(_ range: ClosedRange<UInt64>, suffix: String = suffix) -> String {
    NumberedName.text(range.lowerBound) + "-" + NumberedName.text(range.upperBound) + suffix
  }

  static func range(ofName name: String, suffix: String = suffix) -> ClosedRange<UInt64>? {
    guard name.hasSuffix(suffix) else { return nil }
    let numbers = name.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false)
    guard numbers.count == 2, let first = NumberedName.number(numbers[0]), let last = NumberedName.number(numbers[1]),
      first > 0, first <= last
    else { return nil }
    return first...last
  }
}

/// What storage must know of a record's meaning, and nothing more: the ids of the contacts that it concerns,
/// which are appended to the array, and its time in unix milliseconds, which is returned.
package typealias RecordKeys = @Sendable (_ record: UnsafeRawBufferPointer, _ ids: inout [UInt64]) -> UInt64

/// What there is to say about an archive file.
package struct ArchiveInfo: Sendable, Equatable {
  package let path: String
  package let records: ClosedRange<UInt64>
  /// The hash of the frame before the first, and that of the last frame.
  package let previousHash: Hash128
  package let lastHash: Hash128
  /// Unix milliseconds; nil where no record has a time.
  package let times: ClosedRange<UInt64>?
  package let fileBytes: UInt64
  /// Stands for every byte of the file.
  package let hash: Hash128
}

/// One block of frames, as the table has it.
struct ArchiveBlock: Sendable, Equatable {
  var firstLSN: UInt64
  var recordCount: UInt32
  var frameCount: UInt32
  /// The times of its records; the earliest is above the latest where there is none.
  var earliest: UInt64
  var latest: UInt64

  var nextLSN: UInt64 { firstLSN + UInt64(recordCount) }

  init(firstLSN: UInt64, recordCount: UInt32 = 0, frameCount: UInt32 = 0, earliest: UInt64 = .max, latest: UInt64 = 0) {
    self.firstLSN = firstLSN
    self.recordCount = recordCount
    self.frameCount = frameCount
    self.earliest = earliest
    self.latest = latest
  }
}
