/// A data folder: everything that one Gatehouse server keeps.
///
/// ```
/// manifest         what the folder is (`Manifest`); replaced whole, never changed in place
/// manifest.copy    the same again: without its keys, a folder that is otherwise sound would be lost
/// lock             held by the process that owns the folder, for as long as it lives
/// log/             segments of the write-ahead log
/// snapshots/       states of all partitions, each as of a record (`SnapshotWriter`)
/// archive/         the log's past that snapshots cover, recompressed and indexed (`ArchiveWriter`)
/// ```
///
/// One process owns a folder at a time. Others may look at it meanwhile without the lock: they read files
/// that never change once they have their name, and a log whose end they take as it comes.
package final class DataFolder: Sendable {
  /// The path without a slash at its end.
  package let path: String
  package let disk: any Disk
  package let manifest: Manifest
  /// What was put right when the folder was opened, for the server's log.
  package let warnings: [String]
  /// Open, and locked, for as long as this process owns the folder; nil when it only looks.
  private let lock: (any DiskFile)?

  init(path: String, disk: any Disk, manifest: Manifest, warnings: [String], lock: (any DiskFile)?) {
    self.path = path
    self.disk = disk
    self.manifest = manifest
    self.warnings = warnings
    self.lock = lock
  }

  deinit { close() }

  package var logPath: String { DiskPath.join(path, FolderName.log) }
  package var snapshotsPath: String { DiskPath.join(path, FolderName.snapshots) }
  package var archivePath: String { DiskPath.join(path, FolderName.archive) }

  /// Whether this process holds the lock, and so may write.
  package var isOwned: Bool { lock != nil }

  /// Gives the folder up to other processes. The object must not be used to write afterwards.
  package func close() { lock?.close() }
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
