internal import Synchronization

/// A data folder: everything that one Gatehouse server keeps.
///
/// ```
/// manifest         what the folder is (`Manifest`), and how far its log is known to reach
/// manifest.copy    the same again: without its keys, a folder that is otherwise sound would be lost
/// lock             says which process owns the folder
/// log/             segments of the write-ahead log
/// snapshots/       states of all partitions, each as of a record (`SnapshotWriter`)
/// archive/         the log's past that snapshots cover, recompressed and indexed (`ArchiveWriter`)
/// ```
///
/// One process owns a folder at a time: it holds a lock on the folder itself, so that no file that is removed takes the
/// lock with it, and on the files `lock` and `manifest`, for file systems that cannot lock a folder. Others may look at
/// it meanwhile without the lock: they read files that never change once they have their name, and a log whose end they
/// take as it comes.
///
/// A folder that was emptied, or of which `log/` was set back to an older copy, is refused: the manifest says how far
/// the log reached (`LogMark`). Two things cannot be noticed by anything that lies in the folder. The first is a folder
/// that was set back as a whole, manifest and all. The second is a `log/` that was set back, after the server was
/// killed, to a copy made since the newest of these: its start, its newest complete segment, its newest snapshot. Both
/// show only to who has noted a head elsewhere (`LogHead`).
package final class DataFolder: Sendable {
  /// The path without a slash at its end.
  package let path: String
  package let disk: any Disk
  /// The same disk, where this process owns the folder: it knows which files the folder consists of.
  let watch: WatchedDisk?
  /// As it was when the folder was opened; `logMark` is what it says of the log now.
  package let manifest: Manifest
  /// What was put right when the folder was opened, for the server's log.
  package let warnings: [String]
  /// Whether the folder has just been made.
  package let isNew: Bool
  private let mark: Mutex<LogMark?>
  /// Open, and locked, for as long as this process owns the folder; empty when it only looks.
  private let locks: [any DiskFile]

  /// A folder that this process does not own.
  convenience init(path: String, disk: any Disk, manifest: Manifest, warnings: [String] = []) {
    self.init(path: path, disk: disk, watch: nil, manifest: manifest, warnings: warnings, isNew: false, locks: [])
  }

  /// A folder that this process owns, as long as `locks` are open.
  convenience init(
    path: String, watch: WatchedDisk, manifest: Manifest, warnings: [String], isNew: Bool, locks: [any DiskFile]
  ) {
    self.init(
      path: path, disk: watch, watch: watch, manifest: manifest, warnings: warnings, isNew: isNew, locks: locks)
  }

  private init(
    path: String, disk: any Disk, watch: WatchedDisk?, manifest: Manifest, warnings: [String], isNew: Bool,
    locks: [any DiskFile]
  ) {
    self.path = path
    self.disk = disk
    self.watch = watch
    self.manifest = manifest
    self.warnings = warnings
    self.isNew = isNew
    mark = Mutex(manifest.log)
    self.locks = locks
  }

  deinit { close() }

  package var logPath: String { DiskPath.join(path, FolderName.log) }
  package var snapshotsPath: String { DiskPath.join(path, FolderName.snapshots) }
  package var archivePath: String { DiskPath.join(path, FolderName.archive) }

  /// Whether this process holds the locks, and so may write.
  package var isOwned: Bool { watch != nil }

  /// What the manifest says of the log; nil in a folder of a version that noted nothing.
  package var logMark: LogMark? { mark.withLock { $0 } }

  /// Changes what the manifest says of the log, durably.
  func note(_ change: (inout LogMark?) -> Void) throws(DiskError) {
    precondition(isOwned)
    try mark.withLock { mark throws(DiskError) in
      var changed = mark
      change(&changed)
      guard changed != mark else { return }
      var manifest = manifest
      manifest.log = changed
      try FolderOpening(path: path, disk: disk).overwrite(manifest)
      mark = changed
    }
  }

  /// What the manifest says of the log by now, where another process owns the folder and may have changed it.
  func readLogMark() -> LogMark? {
    (try? FolderOpening(path: path, disk: disk).look().manifest.log) ?? logMark
  }

  /// Gives the folder up to other processes. The object must not be used to write afterwards.
  package func close() { for lock in locks { lock.close() } }
}

/// The names of what lies in a data folder.
enum FolderName {
  static let manifest = "manifest"
  static let manifestCopy = "manifest.copy"
  static let lock = "lock"
  static let log = "log"
  static let snapshots = "snapshots"
  static let archive = "archive"
  /// The end of the names of files that are not whole yet: left behind by a crash, they mean nothing.
  static let temporarySuffix = ".tmp"

  static let subfolders = [log, snapshots, archive]

  /// Whether a name in a subfolder is that of a file that the folder consists of.
  static func isOwn(_ name: String, in subfolder: String) -> Bool {
    switch subfolder {
    case log: LogFormat.isOwn(name)
    case snapshots: Snapshot.lsn(ofName: name) != nil
    default: Archive.range(ofName: name) != nil
    }
  }
}

extension DataFolder {
  /// Opens the folder at `path` as its owner, and makes it first where it is missing or empty and `create`
  /// says with what.
  package static func open(
    _ path: String, disk: any Disk = PosixDisk(), create: FolderParameters? = nil
  ) throws(FolderError) -> DataFolder {
    var random = SystemRandomNumberGenerator()
    return try open(path, disk: disk, create: create, random: &random)
  }

  /// As `open`, with the source of the new folder's identity and keys.
  package static func open(
    _ path: String, disk: any Disk, create: FolderParameters?, random: inout some RandomNumberGenerator
  ) throws(FolderError) -> DataFolder {
    try FolderOpening(path: trimmed(path), disk: disk).own(create: create, random: &random)
  }

  /// Opens the folder at `path` to read it only: without the lock, so that it works beside a running
  /// server, and without changing anything.
  package static func look(at path: String, disk: any Disk = PosixDisk()) throws(FolderError) -> DataFolder {
    try FolderOpening(path: trimmed(path), disk: disk).look()
  }

  private static func trimmed(_ path: String) -> String {
    var path = path[...]
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return String(path)
  }
}
