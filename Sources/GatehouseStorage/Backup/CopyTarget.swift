internal import Glibc

/// Why a folder was not copied. Every text says what to do about it.
package enum CopyError: Error, Equatable {
  case notEmpty(path: String)
  case inside(path: String, source: String)
  case unfinished(path: String)
  /// There is no way to the state as of a record: `first` is the first record that there is without a gap.
  case unreachable(lsn: UInt64, first: UInt64, snapshots: [UInt64])
  /// The source has no record so late, or so early.
  case noSuchRecord(wanted: String, last: UInt64)
  /// The copy does not hold what was copied.
  case unsound([Verification.Problem])
}

extension CopyError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notEmpty(let path):
      "\(path) is there and not empty; name a folder that is not there yet: nothing is ever overwritten"
    case .inside(let path, let source): "\(path) is inside \(source); name a folder elsewhere, best on another disk"
    case .unfinished(let path): "\(path) is what an interrupted copy has left; delete it, then start again"
    case .unreachable(let lsn, let first, let snapshots):
      "the state as of record \(lsn) cannot be had: archive and log begin with record \(first), and "
        + (snapshots.isEmpty
          ? "there is no sound snapshot"
          : "the snapshots are of records \(snapshots.map(String.init).joined(separator: ", "))")
        + "; name a later point, or use an older backup"
    case .noSuchRecord(let wanted, let last): "there is no record \(wanted): the last one is \(last)"
    case .unsound(let problems):
      "the copy is not sound and was not kept: " + problems.prefix(4).map(\.description).joined(separator: "; ")
        + "; see to the disk that it was written to"
    }
  }
}

/// How far a copy is, in bytes or, for the verification, in records.
package struct CopyProgress: Sendable, Equatable {
  package enum Part: Sendable {
    case snapshots
    case log
    case archive
    case verification
  }

  package var part: Part
  package var done: UInt64
}

/// The folder that a copy is made in: under a name of its own until it is whole and on the disk.
struct CopyTarget {
  let folder: DataFolder
  private let path: String

  private static let suffix = ".partial"

  init(path: String, source: DataFolder) throws {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let disk = source.disk
    let (real, realSource) = (disk.realPath(ofNew: path), disk.realPath(ofNew: source.path))
    guard real != realSource, !real.hasPrefix(realSource + "/") else {
      throw CopyError.inside(path: path, source: source.path)
    }
    if disk.exists(path), try !disk.list(path).isEmpty { throw CopyError.notEmpty(path: path) }
    let temporary = path + Self.suffix
    guard !disk.exists(temporary) else { throw CopyError.unfinished(path: temporary) }
    self.path = path
    folder = DataFolder(path: temporary, disk: disk, manifest: source.manifest, warnings: [], lock: nil)
    try disk.createDirectory(temporary)
    do {
      for subfolder in FolderName.subfolders { try disk.createDirectory(DiskPath.join(temporary, subfolder)) }
    } catch {
      discard()
      throw error
    }
  }

  /// Gives the copy its name, once everything in it is durable.
  func finish() throws {
    let disk = folder.disk
    let manifest = folder.manifest.encoded()
    try disk.replaceFile(DiskPath.join(folder.path, FolderName.manifestCopy), with: manifest)
    try disk.replaceFile(DiskPath.join(folder.path, FolderName.manifest), with: manifest)
    for subfolder in FolderName.subfolders { try disk.syncDirectory(DiskPath.join(folder.path, subfolder)) }
    try disk.syncDirectory(folder.path)
    // An empty folder in its place is replaced, which only works as long as it is empty.
    try disk.rename(folder.path, to: path)
    try disk.syncDirectory(DiskPath.parent(of: path))
  }

  /// Copies a file that does not change any more, and syncs it.
  func copy(_ source: String, to name: String, _ progress: (UInt64) throws -> Void) throws {
    let disk = folder.disk
    let from = try disk.openFile(source, .read)
    defer { from.close() }
    let to = try disk.openFile(DiskPath.join(folder.path, name), .create)
    defer { to.close() }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var offset: UInt64 = 0
    while true {
      let count = try buffer.withMutableRawBytes { bytes throws(DiskError) in
        let count = try from.readAll(into: bytes, at: offset)
        try to.writeAll(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
        return count
      }
      if count == 0 { break }
      offset += UInt64(count)
      try progress(UInt64(count))
    }
    try to.sync()
  }

  /// Removes what was copied, after a failure: half a copy is of no use to anybody.
  func discard() {
    let disk = folder.disk
    for subfolder in FolderName.subfolders {
      let path = DiskPath.join(folder.path, subfolder)
      for name in (try? disk.list(path)) ?? [] { try? disk.remove(DiskPath.join(path, name)) }
      try? disk.remove(path)
    }
    for name in (try? disk.list(folder.path)) ?? [] { try? disk.remove(DiskPath.join(folder.path, name)) }
    try? disk.remove(folder.path)
  }
}
