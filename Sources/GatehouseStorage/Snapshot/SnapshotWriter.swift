internal import Synchronization

/// Writes one snapshot, section after section, while the server works on.
///
/// It counts only when `finish` returns: until then it has a temporary name, which means nothing to anybody.
package final class SnapshotWriter: Sendable {
  private struct State: ~Copyable, Sendable {
    var file: BlockFileWriter
    var sections: [SnapshotSection] = []
    var isFinished = false
  }

  private let folder: DataFolder
  private let createdAt: UInt64
  private let state: Mutex<State>

  private static let temporaryName = "snapshot" + FolderName.temporarySuffix

  /// Begins a snapshot of the state that `folder`, owned by this process, is the memory of. One at a time.
  /// - Parameter createdAt: unix milliseconds.
  package init(in folder: DataFolder, createdAt: UInt64) throws(SnapshotError) {
    precondition(folder.isOwned)
    self.folder = folder
    self.createdAt = createdAt
    do throws(BlockFileError) {
      state = Mutex(
        State(
          file: try BlockFileWriter(
            path: DiskPath.join(folder.snapshotsPath, Self.temporaryName), disk: folder.disk, kind: Snapshot.kind,
            header: BlockFileHeader(folderID: folder.manifest.folderID, createdAt: createdAt),
            level: Snapshot.compressionLevel)))
    } catch {
      throw .file(error)
    }
  }

  deinit {
    // One that was given up takes room that a full disk may need.
    state.withLock { state in if !state.isFinished { discard(state.file.path) } }
  }

  /// Adds the section of `owner`: its state when it had applied the record `lsn`, and none after it.
  /// Compresses and writes on the calling thread, so never call this on a lane.
  package func add(owner: UInt16, lsn: UInt64, bytes: UnsafeRawBufferPointer) throws(SnapshotError) {
    try state.withLock { state throws(SnapshotError) in
      precondition(!state.isFinished)
      guard !state.sections.contains(where: { $0.owner == owner }) else { throw .repeated(owner: owner) }
      let first = state.file.entries.count
      do throws(BlockFileError) {
        for start in stride(from: 0, to: bytes.count, by: Snapshot.blockSize) {
          let end = min(start + Snapshot.blockSize, bytes.count)
          try state.file.append(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
      } catch {
        throw .file(error)
      }
      state.sections.append(
        SnapshotSection(
          owner: owner, lsn: lsn, rawLength: bytes.count, blocks: first..<state.file.entries.count))
    }
  }

  /// The largest record number of the sections so far: the log must be durable through it before `finish`.
  package var largestLSN: UInt64 { state.withLock { $0.sections.lazy.map(\.lsn).max() ?? 0 } }

  /// Makes the snapshot count: synced, read back from the disk and compared, renamed, and the name synced.
  /// Then, and only then, older ones than the two newest sound snapshots are deleted.
  /// - Parameter durable: the record that the log is durable through. State that a crash could take back must
  ///   not outlive it: the log would give its record numbers to other records.
  package func finish(durable: UInt64) throws(SnapshotError) -> SnapshotInfo {
    try state.withLock { state throws(SnapshotError) in
      precondition(!state.isFinished)
      let owners = Set(state.sections.map(\.owner))
      let missing = Snapshot.owners(partitionCount: folder.manifest.partitionCount).filter { !owners.contains($0) }
      guard missing.isEmpty else { throw .incomplete(missing: missing) }
      let largest = state.sections.lazy.map(\.lsn).max() ?? 0
      guard largest <= durable else { throw .ahead(largest: largest, durable: durable) }
      state.isFinished = true
      do throws(BlockFileError) {
        return try complete(&state)
      } catch {
        discard(state.file.path)
        throw .file(error)
      }
    }
  }

  /// Removes the temporary file, if it still has that name; where that fails too, the next start does it.
  private func discard(_ temporary: String) {
    if folder.disk.exists(temporary) { try? folder.disk.remove(temporary) }
  }

  private func complete(_ state: inout State) throws(BlockFileError) -> SnapshotInfo {
    _ = try state.file.finish(table: SnapshotTable.encoded(state.sections))
    let temporary = state.file.path
    let lsn = state.sections.lazy.map(\.lsn).min() ?? 0
    let path = DiskPath.join(folder.snapshotsPath, Snapshot.name(lsn))
    do {
      let written = try SnapshotReader(path: temporary, lsn: lsn, folder: folder)
      defer { written.close() }
      try written.readBack(expecting: state.sections)
    }
    try blockFile { () throws(DiskError) in
      try folder.disk.rename(temporary, to: path)
      try folder.disk.syncDirectory(folder.snapshotsPath)
    }
    let reader = try SnapshotReader(path: path, lsn: lsn, folder: folder)
    defer { reader.close() }
    try SnapshotCatalog(folder).deleteOld(newestVerified: lsn)
    return reader.info
  }
}
