/// The snapshots of a folder.
package struct SnapshotCatalog: Sendable {
  /// A file with a snapshot's name, whether it is sound or not.
  package struct Entry: Sendable, Equatable {
    package let lsn: UInt64
    package let path: String
  }

  private let folder: DataFolder

  package init(_ folder: DataFolder) { self.folder = folder }

  /// All snapshots, newest first.
  package func entries() throws(DiskError) -> [Entry] {
    try folder.disk.names(in: folder.snapshotsPath)
      .compactMap { name in
        Snapshot.lsn(ofName: name).map { Entry(lsn: $0, path: DiskPath.join(folder.snapshotsPath, name)) }
      }
      .sorted { $0.lsn > $1.lsn }
  }

  /// Names that no snapshot has, and that no crash could have left.
  func strangers() throws(DiskError) -> [String] {
    try folder.disk.names(in: folder.snapshotsPath)
      .filter { Snapshot.lsn(ofName: $0) == nil && !$0.hasSuffix(FolderName.temporarySuffix) }
  }

  /// Opens a snapshot; the caller closes it.
  package func open(_ entry: Entry) throws(BlockFileError) -> SnapshotReader {
    try SnapshotReader(path: entry.path, lsn: entry.lsn, folder: folder)
  }

  /// Opens a snapshot after checking the hash of every block; the caller closes it.
  package func openSound(_ entry: Entry) throws(BlockFileError) -> SnapshotReader {
    let reader = try open(entry)
    do throws(BlockFileError) {
      try reader.checkHashes()
    } catch {
      reader.close()
      throw error
    }
    return reader
  }

  /// The record through which the log may go into the archive: that of the *older* kept snapshot, so that either of the
  /// two needs only the log. Nil until there are two sound ones.
  package func coveredThrough() throws(DiskError) -> UInt64? {
    var sound = 0
    for entry in try entries() where isSound(entry) {
      sound += 1
      if sound == Snapshot.kept { return entry.lsn }
    }
    return nil
  }

  private func isSound(_ entry: Entry) -> Bool {
    guard let reader = try? openSound(entry) else { return false }
    reader.close()
    return true
  }

  /// Deletes snapshots older than the two newest sound ones. A damaged one does not count, so the folder never depends
  /// on a single file, except before its second snapshot.
  /// - Parameter newestVerified: the snapshot that was just read back and need not be checked again.
  func deleteOld(newestVerified: UInt64) throws(BlockFileError) {
    let entries = try blockFile { () throws(DiskError) -> [Entry] in try self.entries() }
    var sound = 0
    for entry in entries {
      if sound == Snapshot.kept {
        try blockFile { () throws(DiskError) in try folder.disk.remove(entry.path) }
      } else if entry.lsn == newestVerified || isSound(entry) {
        sound += 1
      }
    }
    try blockFile { () throws(DiskError) in try folder.disk.syncDirectory(folder.snapshotsPath) }
  }

  /// Whether all snapshots are encrypted as new files are.
  package func areCurrent() throws -> Bool {
    try entries().allSatisfy { entry in
      let reader = try open(entry)
      defer { reader.close() }
      return reader.dataKey == folder.cipher.currentNumber
    }
  }

  /// Writes the snapshots anew that are not encrypted with the current data key. Each replaces the one of its name.
  /// - Parameter durable: the record through which the log is durable.
  func rewrite(durable: UInt64) throws {
    for entry in try entries() {
      let reader = try openSound(entry)
      defer { reader.close() }
      guard reader.dataKey != folder.cipher.currentNumber else { continue }
      let writer = try SnapshotWriter(in: folder, createdAt: reader.info.createdAt)
      for section in reader.sections {
        let bytes = try reader.read(section)
        try bytes.withUnsafeBytes { try writer.add(owner: section.owner, lsn: section.lsn, bytes: $0) }
      }
      _ = try writer.finish(durable: durable)
    }
  }

  /// Removes half-written files that a crash left. Only the folder's owner may call it, and not while it writes a
  /// snapshot.
  func deleteTemporaries() throws(DiskError) {
    precondition(folder.isOwned)
    for name in try folder.disk.names(in: folder.snapshotsPath) where name.hasSuffix(FolderName.temporarySuffix) {
      try folder.disk.remove(DiskPath.join(folder.snapshotsPath, name))
    }
  }
}
