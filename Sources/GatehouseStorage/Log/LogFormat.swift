/// The log: every change that Gatehouse ever accepted, in one order, in a folder of files.
///
/// ## What is promised
/// - An acknowledged record is never lost: with `LogDurability.always` a record counts as durable when the
///   frame it is in was written and synced, and the directory too where the frame opened a new segment.
/// - A record that was not whole is never seen: a frame is read only if its header, its body and its place in
///   the chain are all right.
/// - Corruption is found and named, never served: a damaged frame ends the log only where nothing shows that
///   it was ever durable. Otherwise the log refuses to open, with segment, offset and LSN.
/// - Any error of a write or a sync stops the log for good, and no sync is tried twice. A full disk is the
///   exception, whichever call finds it out: a spare segment is held in reserve, so that what was accepted is still
///   written; records are refused until a write has shown that there is room again (`LogRoom`).
/// - A file that is removed or replaced under the writer stops the log too: what would be written is lost already.
///
/// One ambiguity is left, and cannot be told apart without a second copy: where the very last frames are
/// damaged, and no later frame and no witness had said yet that they were durable, damage looks like a write
/// that the loss of power cut short. The witness follows within about 100 ms.
///
/// ## Files
/// | name | what it is |
/// | --- | --- |
/// | `<20 digits>.log` | a segment, named by the LSN of its first record |
/// | `witness` | through which LSN the log was durable, in two copies |
/// | `next` | the next segment, made ahead of need so that a rotation does not wait |
/// | `reserve` | the spare segment that a full disk is survived with |
///
/// All numbers are little endian. An LSN is the number of a record; the first record is 1.
///
/// ## Segment
/// A header of 128 bytes, zeros up to offset 4096, then frames, then zeros up to the size that was allocated. A
/// frame begins at a multiple of the segment's alignment, so that a later write cannot tear a sector with an
/// earlier frame in it. The bytes between frames are zero and mean nothing.
///
/// | offset | size | segment header |
/// | --- | --- | --- |
/// | 0 | 8 | magic `GHLOGSEG` |
/// | 8 | 2 | format version |
/// | 10 | 2 | smallest version of a reader that understands it |
/// | 12 | 4 | alignment of frames: 512 or 4096 |
/// | 16 | 16 | the folder's id |
/// | 32 | 8 | LSN of the first record |
/// | 40 | 8 | epoch in which the segment was begun |
/// | 48 | 16 | hash of the last frame of the segment before; of the folder's id in the very first |
/// | 64 | 48 | zeros |
/// | 112 | 16 | hash of the 112 bytes before |
///
/// A segment is begun only when everything before it was synced, so its existence is itself a witness.
///
/// ## Frame
/// | offset | size | frame header |
/// | --- | --- | --- |
/// | 0 | 4 | magic `GHFR` |
/// | 4 | 2 | format version |
/// | 6 | 1 | type: 1 records, 2 clean end. A reader skips an unknown type from 128 on and refuses any other |
/// | 7 | 1 | flags: bit 0, the body is compressed; bit 1, the frame has the hash of its content |
/// | 8 | 8 | epoch: one more at each start of the writer |
/// | 16 | 8 | LSN of the first record |
/// | 24 | 4 | number of records |
/// | 28 | 4 | length of the body |
/// | 32 | 4 | length of the body as it is stored |
/// | 36 | 4 | id of the zstd dictionary, 0 for none |
/// | 40 | 8 | the LSN that was durable when the frame was written |
/// | 48 | 16 | hash of the frame before in the chain |
/// | 64 | 16 | hash of the stored body |
/// | 80 | 16 | hash of the content, which is the body before compression |
/// | 96 | 16 | zeros |
/// | 112 | 16 | hash of the folder's id and the 112 bytes before |
///
/// The body follows: the records one after another, each as its length in a variable-length number (7 bits a
/// byte, the lowest first, the high bit set on all but the last byte) and its bytes; compressed as one zstd frame unless
/// that would not make it smaller.
///
/// A frame's hash in the chain is that of the folder's id and the 112 bytes before its header's hash, with zeros for what
/// says how the body is stored: bit 0 of the flags, the stored length, the dictionary, the stored body's hash. As it covers
/// the content and the previous frame's hash, the hash of the last frame proves every record up to it, however the past is
/// stored by then: an archive that compresses it anew, and a log that a restore lays out again, go on with the same chain.
/// Frames of version 0.1.0 have no hash of their content; their hash in the chain is their header's.
///
/// ## Where the log ends
/// The first place without a good frame is the end only if all of this holds; otherwise the log is damaged.
/// - It is in the last segment, or the next segment's header names this LSN and the hash of the last good frame.
/// - The LSN that is missing there is above the witness, and above the durable LSN in every good header that
///   follows anywhere in the segment. A good frame that follows with a smaller durable LSN proves nothing: both
///   were under way when the power went, and the later one got further.
///
/// What follows the end is cut off and synced before the writer goes on.
package enum LogFormat {
  package static let version: UInt16 = 1
  package static let smallestReader: UInt16 = 1

  /// Where the frames of a segment begin.
  package static let segmentStart: UInt64 = 4096
  package static let headerSize = 128
  /// What frames are aligned to at most.
  static let largestAlignment = 4096
  /// Where in a header its own hash lies.
  static let hashOffset = 112

  /// The longest body of a frame, before compression: what a reader is ready to allocate.
  package static let maximumBody = 64 << 20
  /// The longest record.
  package static let maximumRecord = 16 << 20

  package static let witnessName = "witness"
  package static let nextName = "next"
  package static let reserveName = "reserve"
  /// A segment that the writer makes for itself where none was made ahead.
  static let urgentName = "urgent"

  /// Whether a name in the log's directory is that of a file that a start needs or takes over.
  static func isOwn(_ name: String) -> Bool {
    firstLSN(ofSegment: name) != nil || [witnessName, nextName, reserveName].contains(name)
  }

  /// The name of the segment that begins with a record.
  package static func segmentName(_ firstLSN: UInt64) -> String {
    let digits = String(firstLSN)
    return String(repeating: "0", count: 20 - digits.count) + digits + ".log"
  }

  /// The LSN that a segment's name holds; nil for a name that is none.
  package static func firstLSN(ofSegment name: String) -> UInt64? {
    guard name.utf8.count == 24, name.hasSuffix(".log"), let lsn = UInt64(name.dropLast(4)), lsn > 0,
      segmentName(lsn) == name
    else { return nil }
    return lsn
  }

  /// What the first frame of a folder's log has in place of the frame before.
  package static func genesis(_ folderID: Hash128) -> Hash128 {
    withUnsafeTemporaryAllocation(byteCount: Hash128.size, alignment: 8) { bytes in
      folderID.store(to: bytes)
      return Hash128(of: UnsafeRawBufferPointer(bytes))
    }
  }

  /// The offset at which a frame may begin, at `offset` or after.
  static func aligned(_ offset: UInt64, _ alignment: UInt64) -> UInt64 {
    (offset + alignment - 1) / alignment * alignment
  }
}

/// Where a log is.
package struct LogLocation: Sendable {
  package let disk: any Disk
  /// The directory that holds the log's files; it must be there.
  package let directory: String
  /// The data folder's own id, of which every header knows: a file of another folder is not taken for ours.
  package let folderID: Hash128
  /// What notices that a file is no longer the one that was opened, for the folder's owner.
  let watch: WatchedDisk?

  package init(disk: any Disk, directory: String, folderID: Hash128) {
    self.init(disk: disk, directory: directory, folderID: folderID, watch: nil)
  }

  init(disk: any Disk, directory: String, folderID: Hash128, watch: WatchedDisk?) {
    self.watch = watch
    self.disk = disk
    self.directory = directory
    self.folderID = folderID
  }

  package func path(_ name: String) -> String { DiskPath.join(directory, name) }
}
