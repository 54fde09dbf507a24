/// Reads a snapshot. Opening it checks that it is complete; each section is checked when it is read. Several threads
/// may read sections at once.
package struct SnapshotReader: Sendable {
  package let path: String
  /// The smallest LSN of the sections; replay starts after it.
  package let lsn: UInt64
  package let largestLSN: UInt64
  package let sections: [SnapshotSection]
  private let file: BlockFileReader

  /// - Parameter lsn: the LSN in the file's name, which must be the smallest of its sections.
  init(path: String, lsn: UInt64, folder: DataFolder) throws(BlockFileError) {
    self.path = path
    file = try BlockFileReader(
      path: path, disk: folder.disk, kind: Snapshot.kind, folderID: folder.manifest.folderID,
      cipher: folder.cipher)
    do throws(MalformedBytes) {
      sections = try SnapshotTable.decoded(file.table, blocks: file.entries)
      self.lsn = sections.lazy.map(\.lsn).min() ?? 0
      largestLSN = sections.lazy.map(\.lsn).max() ?? 0
      guard self.lsn == lsn else { throw MalformedBytes() }
    } catch {
      throw .damaged(path: path, offset: file.tableOffset, reason: "its sections do not fit its blocks or its name")
    }
    let owners = Set(sections.map(\.owner))
    guard owners == Set(Snapshot.owners(partitionCount: folder.manifest.partitionCount)) else {
      throw .damaged(path: path, offset: file.tableOffset, reason: "it does not have the folder's sections")
    }
  }

  /// Whether the content is encrypted and the key for it is not at hand.
  package var isLocked: Bool { file.isLocked }

  /// The number of the data key that the content is encrypted with; 0 for none.
  var dataKey: UInt32 { file.header.encryption?.dataKey ?? 0 }

  package var info: SnapshotInfo {
    SnapshotInfo(
      path: path, lsn: lsn, largestLSN: largestLSN, createdAt: file.header.createdAt,
      sectionCount: sections.count, rawBytes: sections.reduce(0) { $0 + UInt64($1.rawLength) },
      fileBytes: file.length)
  }

  /// The bytes of a section.
  package func read(_ section: SnapshotSection) throws(BlockFileError) -> ContiguousArray<UInt8> {
    var decompressor = ZstdDecompressor()
    var scratch: [UInt8] = []
    var failure: BlockFileError?
    let bytes = ContiguousArray<UInt8>(unsafeUninitializedCapacity: section.rawLength) { buffer, count in
      do throws(BlockFileError) {
        for number in section.blocks {
          let end = count + file.entries[number].rawLength
          try file.read(
            number, into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count..<end]),
            scratch: &scratch, &decompressor)
          count = end
        }
      } catch {
        failure = error
        count = 0
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Reads, decrypts and decompresses every block. Without the key, only the hashes of what is stored are checked.
  /// - Parameter progress: called after each block; may throw to stop.
  package func verify(_ progress: () throws -> Void) throws {
    var buffers = BlockFileReader.Buffers()
    for number in file.entries.indices {
      try file.restore(number, &buffers)
      try progress()
    }
  }

  /// Checks every block against its hash, which is several times faster than decompressing them.
  /// - Parameter progress: called after each block; may throw to stop.
  func checkHashes(_ progress: () throws -> Void) throws {
    var scratch: [UInt8] = []
    for number in file.entries.indices {
      try file.check(number, scratch: &scratch)
      try progress()
    }
  }

  func checkHashes() throws(BlockFileError) {
    var scratch: [UInt8] = []
    for number in file.entries.indices { try file.check(number, scratch: &scratch) }
  }

  /// Compares what was written with what is on the disk, bypassing the page cache.
  func readBack(expecting written: [SnapshotSection]) throws(BlockFileError) {
    guard sections == written else {
      throw .damaged(path: path, offset: file.tableOffset, reason: "its sections are not those that were written")
    }
    try file.forgetCached()
    var buffers = BlockFileReader.Buffers()
    for number in file.entries.indices { try file.restore(number, &buffers) }
  }

  package func close() { file.close() }
}
