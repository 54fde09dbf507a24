internal import Synchronization

/// The disk of a process that owns a data folder. It remembers which files make up the folder, to notice when somebody
/// else removes or replaces one.
///
/// Writing to an open file keeps succeeding after the file is unlinked: everything is acknowledged, and then lost with
/// the last descriptor. So every file that this process creates, renames or removes is noted here, and `stray` checks
/// that each name still leads to the file that was noted.
package final class WatchedDisk: Disk {
  /// What was noted about a name.
  private struct Note: Equatable {
    let identity: FileStatus.Identity
    /// The file's size, once nobody writes to it any more.
    var size: UInt64?
  }

  private struct State {
    var notes: [String: Note] = [:]
    /// The names in the order in which they are checked; nil after a change.
    var order: [String]?
    /// Where the next check begins.
    var next = 0

    mutating func set(_ note: Note?, for path: String) {
      notes[path] = note
      order = nil
    }
  }

  private let base: any Disk
  private let root: String
  private let state = Mutex(State())

  /// - Parameter root: the data folder; nothing outside it is noted.
  init(_ base: any Disk, root: String) {
    self.base = base
    self.root = root
  }

  // MARK: Noting

  /// Notes existing files.
  func admit(_ paths: [String]) throws(DiskError) {
    for path in paths {
      let found = try status(path)
      note(path, Note(identity: found.identity, size: nil))
    }
  }

  /// Notes an existing file that nobody writes to.
  func admitFinished(_ path: String) throws(DiskError) {
    let found = try status(path)
    note(path, Note(identity: found.identity, size: found.size))
  }

  private func note(_ path: String, _ note: Note?) {
    guard path == root || path.hasPrefix(root + "/") else { return }
    state.withLock { $0.set(note, for: path) }
  }

  /// Removes the notes of names while a call changes them. If the call fails, the notes are restored.
  private func changing<Result>(
    _ paths: [String], _ call: (_ noted: [String: Note]) throws(DiskError) -> Result
  ) throws(DiskError) -> Result {
    let noted = state.withLock { state in
      var noted: [String: Note] = [:]
      for path in paths {
        noted[path] = state.notes[path]
        state.set(nil, for: path)
      }
      return noted
    }
    do throws(DiskError) {
      return try call(noted)
    } catch {
      for (path, old) in noted { note(path, old) }
      throw error
    }
  }

  /// A file was closed after writing, so its size is final.
  fileprivate func finished(_ status: FileStatus) {
    state.withLock { state in
      for (path, note) in state.notes where note.identity == status.identity { state.notes[path]?.size = status.size }
    }
  }

  // MARK: Checking

  /// Checks some of the names, in turn, and says what is wrong with the first that no longer leads to its file.
  /// - Parameter limit: how many names are checked.
  package func stray(limit: Int = 1024) -> String? {
    let paths = state.withLock { state in
      let order = state.order ?? state.notes.keys.sorted()
      state.order = order
      guard order.count > limit else { return order }
      let start = state.next % order.count
      state.next = (start + limit) % order.count
      return Array((order + order)[start..<start + limit])
    }
    for path in paths {
      // Check twice: this process may have changed the name itself between reading the note and the file.
      if problem(path) != nil, let problem = problem(path) { return "\(path) \(problem)" }
    }
    return nil
  }

  private func problem(_ path: String) -> String? {
    guard let note = state.withLock({ $0.notes[path] }) else { return nil }
    let found: String?
    do throws(DiskError) {
      let status = try uninterrupted { () throws(DiskError) in try base.status(path) }
      if status.identity != note.identity {
        found = "was replaced by another file"
      } else if let size = note.size, size != status.size {
        found = "has \(status.size) bytes and had \(size) when it was finished"
      } else {
        found = nil
      }
    } catch {
      // If the check itself fails, the file may still exist.
      found = error.isAbsence ? "is gone" : nil
    }
    return state.withLock { $0.notes[path] == note } ? found : nil
  }

  // MARK: Disk

  package func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let file = try base.open(path, mode)
    switch mode {
    case .read: return file
    case .write: state.withLock { $0.notes[path]?.size = nil }
    case .create: note(path, Note(identity: try file.status().identity, size: nil))
    }
    return WatchedFile(file, of: self)
  }

  package func createDirectory(_ path: String) throws(DiskError) {
    try base.createDirectory(path)
    note(path, Note(identity: try base.status(path).identity, size: nil))
  }

  package func rename(_ path: String, to target: String) throws(DiskError) {
    try changing([path, target]) { noted throws(DiskError) in
      try base.rename(path, to: target)
      note(target, noted[path])
    }
  }

  package func remove(_ path: String) throws(DiskError) {
    try changing([path]) { _ throws(DiskError) in try base.remove(path) }
  }

  package func list(_ directory: String) throws(DiskError) -> [String] { try base.list(directory) }
  package func syncDirectory(_ path: String) throws(DiskError) { try base.syncDirectory(path) }
  package func exists(_ path: String) -> Bool { base.exists(path) }
  package func realPath(_ path: String) -> String? { base.realPath(path) }
  package func status(_ path: String) throws(DiskError) -> FileStatus { try base.status(path) }
  package func openDirectory(_ path: String) throws(DiskError) -> any DiskFile { try base.openDirectory(path) }
  package func freeBytes(_ path: String) throws(DiskError) -> UInt64 { try base.freeBytes(path) }
}

/// A file that tells its disk when it is closed.
private final class WatchedFile: DiskFile {
  private let base: any DiskFile
  private let disk: WatchedDisk
  private let isClosed = Atomic(false)

  init(_ base: any DiskFile, of disk: WatchedDisk) {
    self.base = base
    self.disk = disk
  }

  deinit { close() }

  func close() {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    if let status = try? base.status() { disk.finished(status) }
    base.close()
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    try base.read(into: buffer, at: offset)
  }
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    try base.write(bytes, at: offset)
  }
  func sync() throws(DiskError) { try base.sync() }
  func size() throws(DiskError) -> UInt64 { try base.size() }
  func status() throws(DiskError) -> FileStatus { try base.status() }
  func truncate(to size: UInt64) throws(DiskError) { try base.truncate(to: size) }
  func allocate(_ size: UInt64) throws(DiskError) { try base.allocate(size) }
  func lock() throws(DiskError) -> Bool { try base.lock() }
  func forgetCached() throws(DiskError) { try base.forgetCached() }
}
