internal import Synchronization

/// A data folder: everything that one Gatehouse server stores.
///
/// ```
/// manifest         what the folder is (`Manifest`), and how far its log is known to reach
/// manifest.copy    a copy: without its keys, an otherwise sound folder would be lost
/// keys             what the keys of people are derived from (`KeyStore`)
/// keys.copy        a copy: without it, an otherwise sound folder would know nobody
/// keyring          of an encrypted folder: the keys of its files (`FolderCipher`), wrapped by the operator's key
/// keyring.copy     a copy: without it an encrypted folder would be lost
/// lock             names the process that owns the folder
/// log/             segments of the write-ahead log
/// snapshots/       states of all partitions, each as of a record (`SnapshotWriter`)
/// archive/         the part of the log that snapshots cover, recompressed and indexed (`ArchiveWriter`)
/// cut/             what was cut off the log because the other nodes of a cluster do not have it (`CutTail`)
/// ```
///
/// One process owns a folder at a time. It holds an advisory lock on the folder itself, so that removing a file does
/// not remove the lock, and on the files `lock` and `manifest`, for file systems that cannot lock a folder. Other
/// processes may read the folder without the lock: files that never change once they have their name, and a log up to
/// the end they happen to find.
///
/// A folder that was emptied, or whose `log/` was replaced by an older copy, is refused, because the manifest says how
/// far the log reached (`LogMark`). Nothing inside the folder can reveal two cases. One is a folder that was set back
/// as a whole, with its manifest. The other is a `log/` that was set back, after the server was killed, to a copy made
/// since the newest of these: the server's start, its newest complete segment, its newest snapshot. Only a head noted
/// elsewhere (`LogHead`) reveals them.
package final class DataFolder: Sendable {
  /// The path without a trailing slash.
  package let path: String
  package let disk: any Disk
  /// The same disk, if this process owns the folder: it knows which files make up the folder.
  let watch: WatchedDisk?
  /// Encrypts and decrypts what the folder holds.
  package let cipher: FolderCipher
  /// The manifest as of opening the folder. `logMark` is what it says of the log now.
  package let manifest: Manifest
  /// The keys under which something is said of people; nil if the folder has none yet, or this process only reads and
  /// cannot use them.
  package let keys: KeyStore?
  /// What was repaired when the folder was opened, for the server's log.
  package let warnings: [String]
  /// Whether the folder was just created.
  package let isNew: Bool
  private let mark: Mutex<LogMark?>
  /// What the manifest says of the key ring now. Written under `mark`.
  private let encryption: Mutex<ManifestEncryption?>
  /// Held while this process owns the folder; empty if it only reads.
  private let locks: [any DiskFile]

  /// A folder that this process does not own.
  convenience init(
    path: String, disk: any Disk, manifest: Manifest, cipher: FolderCipher, keys: KeyStore?, warnings: [String] = []
  ) {
    self.init(
      path: path, disk: disk, watch: nil, manifest: manifest, cipher: cipher, keys: keys, warnings: warnings,
      isNew: false, locks: [])
  }

  /// A folder that this process owns while `locks` are open.
  convenience init(
    path: String, watch: WatchedDisk, manifest: Manifest, cipher: FolderCipher, keys: KeyStore, warnings: [String],
    isNew: Bool, locks: [any DiskFile]
  ) {
    self.init(
      path: path, disk: watch, watch: watch, manifest: manifest, cipher: cipher, keys: keys, warnings: warnings,
      isNew: isNew, locks: locks)
  }

  private init(
    path: String, disk: any Disk, watch: WatchedDisk?, manifest: Manifest, cipher: FolderCipher, keys: KeyStore?,
    warnings: [String], isNew: Bool, locks: [any DiskFile]
  ) {
    self.cipher = cipher
    self.path = path
    self.disk = disk
    self.watch = watch
    self.manifest = manifest
    self.keys = keys
    self.warnings = warnings
    self.isNew = isNew
    mark = Mutex(manifest.log)
    encryption = Mutex(manifest.encryption)
    self.locks = locks
  }

  deinit { close() }

  package var logPath: String { DiskPath.join(path, FolderName.log) }
  package var snapshotsPath: String { DiskPath.join(path, FolderName.snapshots) }
  package var archivePath: String { DiskPath.join(path, FolderName.archive) }

  /// Whether this process holds the locks, and so may write.
  package var isOwned: Bool { watch != nil }

  /// What the manifest says of the log; nil if the folder's version recorded nothing.
  package var logMark: LogMark? { mark.withLock { $0 } }

  /// Changes what the manifest says of the log, durably.
  func note(_ change: (inout LogMark?) -> Void) throws(DiskError) {
    precondition(isOwned)
    try mark.withLock { mark throws(DiskError) in
      var changed = mark
      change(&changed)
      guard changed != mark else { return }
      try overwriteManifest(changed, encryption.withLock { $0 })
      mark = changed
    }
  }

  /// Changes what the manifest says of the key ring, durably.
  func note(encryption changed: ManifestEncryption?) throws(DiskError) {
    precondition(isOwned)
    try mark.withLock { mark throws(DiskError) in
      try overwriteManifest(mark, changed)
      encryption.withLock { $0 = changed }
    }
  }

  private func overwriteManifest(_ mark: LogMark?, _ encryption: ManifestEncryption?) throws(DiskError) {
    var manifest = manifest
    manifest.log = mark
    manifest.encryption = encryption
    try FolderOpening(path: path, disk: disk).overwrite(manifest)
  }

  /// Reads what the manifest says of the log now, since another process may own the folder.
  func readLogMark() -> LogMark? {
    (try? FolderOpening(path: path, disk: disk).lookAtManifest().log) ?? logMark
  }

  /// Deletes the folder at a path with everything in it, as far as that is possible.
  static func delete(_ path: String, on disk: any Disk) {
    // First what makes it one: whatever a crash leaves behind has no manifest.
    for name in [FolderName.manifest, FolderName.manifestCopy] { try? disk.remove(DiskPath.join(path, name)) }
    try? disk.syncDirectory(path)
    for subfolder in FolderName.subfolders {
      let directory = DiskPath.join(path, subfolder)
      for name in (try? disk.list(directory)) ?? [] { try? disk.remove(DiskPath.join(directory, name)) }
      try? disk.remove(directory)
    }
    for name in (try? disk.list(path)) ?? [] { try? disk.remove(DiskPath.join(path, name)) }
    try? disk.remove(path)
  }

  /// Deletes a folder that was made for something that has failed then. One that was there before stays as it is.
  package func deleteIfNew() { if isNew { Self.delete(path, on: disk) } }

  /// Releases the folder to other processes. This object must not write afterwards.
  package func close() { for lock in locks { lock.close() } }
}

/// The names of the files and folders in a data folder.
enum FolderName {
  static let manifest = "manifest"
  static let manifestCopy = "manifest.copy"
  static let keys = "keys"
  static let keysCopy = "keys.copy"
  static let keyRing = "keyring"
  static let keyRingCopy = "keyring.copy"
  static let lock = "lock"
  static let log = "log"
  static let snapshots = "snapshots"
  static let archive = "archive"
  /// Only where something was cut off. It is no part of what a start reads, and is not copied.
  static let cut = "cut"
  /// The suffix of incomplete files. One that a crash left behind has no meaning.
  static let temporarySuffix = ".tmp"

  /// The files that a folder may have before it has a manifest.
  static let early = [lock, keys, keysCopy, keyRing, keyRingCopy]
  static let subfolders = [log, snapshots, archive]
  /// Everything in the folder itself.
  static let known = [manifest, manifestCopy, cut] + early + subfolders

  /// Whether a name, relative to the folder, is that of a file that one machine hands out to another.
  static func mayTravel(_ name: String) -> Bool {
    if [manifest, keys, keysCopy, keyRing, keyRingCopy].contains(name) { return true }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    return parts.count == 2 && subfolders.contains(parts[0]) && isOwn(parts[1], in: parts[0])
  }

  /// Whether a name in a subfolder is that of a file that belongs to the folder.
  static func isOwn(_ name: String, in subfolder: String) -> Bool {
    switch subfolder {
    case log: LogFormat.isOwn(name)
    case snapshots: Snapshot.lsn(ofName: name) != nil
    default: Archive.range(ofName: name) != nil
    }
  }
}

extension DataFolder {
  /// Opens the folder at `path` as its owner. If it is missing or empty, creates it with the parameters in `create`, if
  /// given.
  /// - Parameter key: opens an encrypted folder. A folder that is not encrypted is from now on, unless somebody has
  ///   turned that off.
  package static func open(
    _ path: String, disk: any Disk = PosixDisk(), create: FolderParameters? = nil, key: MasterKey? = nil
  ) throws(FolderError) -> DataFolder {
    var random = SystemRandomNumberGenerator()
    return try open(path, disk: disk, create: create, key: key, random: &random)
  }

  /// Like `open`, with a given source of randomness for a new folder's identity and keys.
  package static func open(
    _ path: String, disk: any Disk, create: FolderParameters?, key: MasterKey? = nil,
    random: inout some RandomNumberGenerator
  ) throws(FolderError) -> DataFolder {
    try FolderOpening(path: trimmed(path), disk: disk, key: key).own(create: create, random: &random)
  }

  /// Opens the folder at `path` read-only: without the lock, so that it works beside a running server, and without
  /// changing anything.
  /// - Parameter key: opens an encrypted folder. Without it, files can be checked and copied, but no content is read.
  package static func look(
    at path: String, disk: any Disk = PosixDisk(), key: MasterKey? = nil
  ) throws(FolderError) -> DataFolder {
    try FolderOpening(path: trimmed(path), disk: disk, key: key).look()
  }

  private static func trimmed(_ path: String) -> String {
    var path = path[...]
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return String(path)
  }
}
