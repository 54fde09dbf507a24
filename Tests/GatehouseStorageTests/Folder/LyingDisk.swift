import GatehouseStorage

/// A disk that skips some syncs and reports success, as if the code above had forgotten them. Tests plant that bug to
/// prove that they would detect it.
struct LyingDisk: Disk {
  enum Lie: CaseIterable, Sendable {
    case none
    /// `fdatasync` of files.
    case files
    /// `fsync` of any directory.
    case directories
    case logDirectory
    case archiveDirectory
    case snapshotsDirectory
    case folderDirectory
  }

  let base: any Disk
  let lie: Lie

  init(_ base: any Disk, _ lie: Lie) {
    self.base = base
    self.lie = lie
  }

  func syncDirectory(_ path: String) throws(DiskError) {
    let isSkipped =
      switch lie {
      case .none, .files: false
      case .directories: true
      case .logDirectory: path.hasSuffix("/log")
      case .archiveDirectory: path.hasSuffix("/archive")
      case .snapshotsDirectory: path.hasSuffix("/snapshots")
      case .folderDirectory: path.hasSuffix("/data")
      }
    if !isSkipped { try base.syncDirectory(path) }
  }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let file = try base.open(path, mode)
    return lie == .files ? LyingFile(base: file) : file
  }

  func list(_ directory: String) throws(DiskError) -> [String] { try base.list(directory) }
  func createDirectory(_ path: String) throws(DiskError) { try base.createDirectory(path) }
  func rename(_ path: String, to target: String) throws(DiskError) { try base.rename(path, to: target) }
  func remove(_ path: String) throws(DiskError) { try base.remove(path) }
  func exists(_ path: String) -> Bool { base.exists(path) }

  func realPath(_ path: String) -> String? { base.realPath(path) }
  func status(_ path: String) throws(DiskError) -> FileStatus { try base.status(path) }
  func openDirectory(_ path: String) throws(DiskError) -> any DiskFile { try base.openDirectory(path) }
  func freeBytes(_ path: String) throws(DiskError) -> UInt64 { try base.freeBytes(path) }
}

private final class LyingFile: DiskFile {
  private let base: any DiskFile

  init(base: any DiskFile) { self.base = base }

  func sync() throws(DiskError) {}
  /// Unsynced data stay readable, as they would in the page cache.
  func forgetCached() throws(DiskError) {}

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    try base.read(into: buffer, at: offset)
  }
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    try base.write(bytes, at: offset)
  }
  func size() throws(DiskError) -> UInt64 { try base.size() }
  func status() throws(DiskError) -> FileStatus { try base.status() }
  func truncate(to size: UInt64) throws(DiskError) { try base.truncate(to: size) }
  func allocate(_ size: UInt64) throws(DiskError) { try base.allocate(size) }
  func lock() throws(DiskError) -> Bool { try base.lock() }
  func close() { base.close() }
}
