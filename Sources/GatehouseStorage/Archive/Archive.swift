/// The archive: the part of the log that both kept snapshots cover, compressed harder and indexed. Its files are named
/// `archive/<first LSN>-<last LSN>.archive`, and each holds one or more whole segments.
///
/// A damaged segment cannot be compressed anew. It is set aside unchanged, as `archive/<first LSN>-<last LSN>.damaged`,
/// and its sound part is read from there. If a backup has a sound copy of the segment, the copy may be put in its
/// place.
///
/// ## File
/// A block file (`BlockFile`). The first blocks hold frames: for each frame its header, byte for byte as in the log, and
/// its body, decompressed. A block ends between two frames, after about 256 KiB (1 MiB in files of older programs), and is
/// compressed much harder than the log has time for. Who looks for a record decodes its whole block. The blocks after them are the pages of the index. The table adds
///
/// ```
/// first LSN u64 · last LSN u64 · hash of the frame before 16 · hash of the last frame 16
/// · blocks of frames u32 · pages u32
/// a block of frames: first LSN u64 · records u32 · frames u32 · earliest time u64 · latest time u64
/// a page: the first id in it u64
/// ```
///
/// In an encrypted folder each block of frames is two: the bodies, encrypted, and after them the headers, in clear. So
/// the chain can be followed through the file without the key. But a header whose hash of the content is made without
/// a key, of a frame written before the folder was encrypted, would give the content away to whoever guesses it; a block
/// with such a frame has its headers encrypted too. The first ids of the pages are not in the table, but in one more
/// block at the end, encrypted.
///
/// A page lists ids in ascending order, each with the blocks that have records about it: `ids varint`, then for each id
/// `difference from the previous id varint · blocks varint · differences varint…`.
///
/// ## The chain
/// Frame headers are kept whole, so the hash chain runs through the archive into the log (`LogFormat`): changing,
/// dropping or adding a frame breaks it. The stored (compressed) form of a body is not kept, but the chain covers its
/// content.
///
/// Frames of version 0.1.0 have no hash of their content. Their bodies are covered by the archive's trailer instead
/// (`ArchiveInfo.hash`), which the server records in the log.
package enum Archive {
  /// Since format 2 the index also has the records about workspaces, products and services, and those that can be
  /// placed by a home alone. Before, it had those about people only. Since format 3 it has what each record changes of
  /// what decisions read.
  static let kind = BlockFileKind(
    magic: BlockFile.magic("GATEARCH"), format: 3, reader: 1,
    blockLimit: largestBlock + LogFormat.headerSize + LogFormat.maximumBody)
  /// A block ends with the frame that brings it to this length.
  static let blockSize = 256 << 10
  /// The same in files of older programs.
  private static let largestBlock = 1 << 20
  static let suffix = ".archive"
  /// The suffix of a damaged segment that a compaction has set aside.
  static let damagedSuffix = ".damaged"
  /// How many ids a page of the index holds. A look-up reads one page.
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

/// All that storage knows of a record's meaning. Appends the keys of what the record concerns to `ids`, and returns the
/// record's time in unix milliseconds.
package typealias RecordKeys = @Sendable (_ record: UnsafeRawBufferPointer, _ ids: inout [UInt64]) -> UInt64

/// Facts about an archive file.
package struct ArchiveInfo: Sendable, Equatable {
  package let path: String
  package let records: ClosedRange<UInt64>
  /// The hash of the frame before the first, and of the last frame.
  package let previousHash: Hash128
  package let lastHash: Hash128
  /// Unix milliseconds; nil if no record has a time.
  package let times: ClosedRange<UInt64>?
  package let fileBytes: UInt64
  /// Covers every byte of the file.
  package let hash: Hash128
}

/// One block of frames, as the table describes it.
struct ArchiveBlock: Sendable, Equatable {
  var firstLSN: UInt64
  var recordCount: UInt32
  var frameCount: UInt32
  /// The times of its records; earliest > latest if none has a time.
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
