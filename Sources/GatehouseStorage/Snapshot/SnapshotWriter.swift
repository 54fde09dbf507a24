internal import Synchronization

/// Writes one snapshot, section after section, while the server keeps working.
///
/// It counts only once `finish` returns. Until then it has a temporary name, which everybody ignores.
package final class SnapshotWriter: Sendable {
  private struct State: ~Copyable, Sendable {
    var file: BlockFileWriter
    var sections: [SnapshotSection] = []
    var isFinished = false
  }

  let folder: DataFolder
  private let createdAt: UInt64
  private let state: Mutex<State>

  private static let temporaryName = "snapshot" + FolderName.temporarySuffix

  /// Begins a snapshot of the state stored in `folder`, which this process must own. Only one at a time.
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
            level: Snapshot.compressionLevel, cipher: folder.cipher)))
    } catch {
      throw .file(error)
    }
  }

  deinit {
    // An abandoned snapshot takes up room that a full disk may need.
    state.withLock { state in if !state.isFinished { discard(state.file.path) } }
  }

  /// Adds the section of `owner`: its state after the record `lsn` and before any later one. Compresses and writes on
  /// the calling thread, so never call this on a lane.
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

  /// The largest LSN of the sections so far. The log must be durable through it before `finish`.
  package var largestLSN: UInt64 { state.withLock { $0.sections.lazy.map(\.lsn).max() ?? 0 } }

  /// Makes the snapshot valid: it is synced, read back from the disk and compared, renamed, and the name synced. Only
  /// then are snapshots older than the two newest sound ones deleted.
  /// - Parameter durable: the record through which the log is durable. A snapshot must not contain more: after a crash,
  ///   the log would give the same LSNs to other records.
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

  /// Removes the temporary file, if it still has that name. If that fails, the next start removes it.
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
