/// The log: every change that Gatehouse ever accepted, in one total order, in a folder of files.
///
/// ## Guarantees
/// - An acknowledged record is never lost. With `LogDurability.always` a record counts as durable once its frame is
///   written and synced, and the directory too if the frame opened a new segment.
/// - A partial record is never seen. A frame is read only if its header, its body and its position in the chain are
///   correct.
/// - Corruption is detected and reported, never served. A damaged frame ends the log only if nothing shows that it was
///   ever durable. Otherwise the log refuses to open, and names segment, offset and LSN.
/// - Any error of a write or a sync stops the log for good, and no sync is repeated. A full disk is the exception,
///   whichever call finds it: a spare segment is held in reserve, so that accepted records are still written, and new
///   ones are refused until a write has shown that there is room again (`LogRoom`).
/// - Removing or replacing a file under the writer stops the log too, because what would be written to it would be
///   lost.
///
/// One ambiguity remains, which cannot be resolved without a second copy. If the very last frames are damaged, and no
/// later frame and no witness has recorded yet that they were durable, the damage looks like a write torn by a power
/// loss. The witness follows within about 100 ms.
///
/// ## Files
/// | name | what it is |
/// | --- | --- |
/// | `<20 digits>.log` | a segment, named by the LSN of its first record |
/// | `witness` | the LSN through which the log was durable, in two copies |
/// | `next` | the next segment, made ahead so that a rotation does not wait |
/// | `reserve` | the spare segment for when the disk is full |
///
/// All numbers are little-endian. An LSN is the number of a record; the first record is 1.
///
/// ## Segment
/// A header of 128 bytes, zeros up to offset 4096, then frames, then zeros up to the allocated size. A frame begins at a
/// multiple of the segment's alignment, so that a torn write cannot damage a sector of an earlier frame. The padding
/// between frames is zero and has no meaning.
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
/// | 64 | 4 | number of the data key that was current when the segment was begun, 0 for none |
/// | 68 | 44 | zeros |
/// | 112 | 16 | hash of the 112 bytes before |
///
/// A segment is begun only after everything before it is synced, so its existence is itself a witness.
///
/// ## Frame
/// | offset | size | frame header |
/// | --- | --- | --- |
/// | 0 | 4 | magic `GHFR` |
/// | 4 | 2 | format version |
/// | 6 | 1 | type: 1 records, 2 clean end. A reader skips an unknown type from 128 on and refuses any other |
/// | 7 | 1 | flags: bit 0, the body is compressed; bit 1, the frame has the hash of its content; bit 2, the stored body is encrypted; bit 3, the hash of the content is made with a key |
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
/// | 96 | 4 | number of the data key of the content's hash, with flag bit 3 |
/// | 100 | 4 | number of the data key of the stored body, with flag bit 2 |
/// | 104 | 8 | zeros |
/// | 112 | 16 | hash of the folder's id and the 112 bytes before |
///
/// The body follows. It holds the records one after the other, each as its length in LEB128 (7 bits a byte, lowest
/// first, the high bit set on all but the last byte) and its bytes. It is compressed as one zstd frame, unless that
/// would not make it smaller. In an encrypted folder it is then encrypted (`FolderCipher`): a salt of 16 bytes,
/// the encrypted body, a tag of 16 bytes. The stored body's hash covers what is stored, so a torn or damaged frame is told
/// without a key.
///
/// A frame's hash in the chain is that of the folder's id and the first 112 bytes of its header, with zeros for the
/// fields that say how the body is stored: bits 0 and 2 of the flags, the stored length, the dictionary, the stored
/// body's hash and data key. As it covers the content and the previous frame's hash, the hash of the last frame proves every record up to
/// it, however those are stored. So the chain stays the same in an archive that compresses them anew, and in a log that
/// a restore writes anew. Frames of version 0.1.0 have no hash of their content; their hash in the chain is their
/// header's.
///
/// ## Where the log ends
/// The first position without a good frame is the end only if both of these hold; otherwise the log is damaged.
/// - It is in the last segment, or the next segment's header names this LSN and the hash of the last good frame.
/// - The LSN that is missing there is above the witness, and above the durable LSN in every good header that follows
///   anywhere in the segment. A good frame that follows with a smaller durable LSN proves nothing: both frames were
///   being written when the power failed, and the later one got further.
///
/// Whatever follows the end is cut off and synced before the writer continues.
package enum LogFormat {
  package static let version: UInt16 = 1
  package static let smallestReader: UInt16 = 1

  /// Where the frames of a segment begin.
  package static let segmentStart: UInt64 = 4096
  package static let headerSize = 128
  /// The largest alignment of frames.
  static let largestAlignment = 4096
  /// The offset in a header of its own hash.
  static let hashOffset = 112

  /// The longest body of a frame before compression, which bounds what a reader allocates.
  package static let maximumBody = 64 << 20
  /// The longest record.
  package static let maximumRecord = 16 << 20

  package static let witnessName = "witness"
  package static let nextName = "next"
  package static let reserveName = "reserve"
  /// A segment that the writer creates itself if none was made ahead.
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

  /// The LSN in a segment's name; nil if it is not a segment's name.
  package static func firstLSN(ofSegment name: String) -> UInt64? {
    guard name.utf8.count == 24, name.hasSuffix(".log"), let lsn = UInt64(name.dropLast(4)), lsn > 0,
      segmentName(lsn) == name
    else { return nil }
    return lsn
  }

  /// The previous hash of the very first frame in a folder's log.
  package static func genesis(_ folderID: Hash128) -> Hash128 {
    withUnsafeTemporaryAllocation(byteCount: Hash128.size, alignment: 8) { bytes in
      folderID.store(to: bytes)
      return Hash128(of: UnsafeRawBufferPointer(bytes))
    }
  }

  /// The first offset at or after `offset` at which a frame may begin.
  static func aligned(_ offset: UInt64, _ alignment: UInt64) -> UInt64 {
    (offset + alignment - 1) / alignment * alignment
  }
}

/// The location of a log.
package struct LogLocation: Sendable {
  package let disk: any Disk
  /// The directory with the log's files; it must exist.
  package let directory: String
  /// The data folder's id, which is part of every header, so that a file of another folder is recognised.
  package let folderID: Hash128
  /// For the folder's owner: notices if a file is no longer the one that was opened.
  let watch: WatchedDisk?
  /// Encrypts and decrypts the frames.
  let cipher: FolderCipher

  package init(disk: any Disk, directory: String, folderID: Hash128, cipher: FolderCipher = FolderCipher()) {
    self.init(disk: disk, directory: directory, folderID: folderID, cipher: cipher, watch: nil)
  }

  init(disk: any Disk, directory: String, folderID: Hash128, cipher: FolderCipher, watch: WatchedDisk?) {
    self.watch = watch
    self.cipher = cipher
    self.disk = disk
    self.directory = directory
    self.folderID = folderID
  }

  package func path(_ name: String) -> String { DiskPath.join(directory, name) }
}
