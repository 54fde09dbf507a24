/// A data folder that is being made. It has a temporary name, and no manifest, until everything in it is complete and
/// durable: whatever a crash leaves behind cannot be taken for a whole folder.
struct UnfinishedFolder {
  let disk: any Disk
  /// The name that it gets in the end.
  let path: String

  private static let suffix = ".partial"

  init(_ path: String, disk: any Disk) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    self.disk = disk
  }

  /// The name that it has until then.
  var temporary: String { path + Self.suffix }

  /// Throws if its name is taken, or its temporary one.
  func checkName() throws {
    try checkPath()
    guard !disk.exists(temporary) else { throw CopyError.unfinished(path: temporary) }
  }

  /// Throws if its name is taken. An empty folder of that name is replaced.
  func checkPath() throws {
    if disk.exists(path), try !disk.names(in: path).isEmpty { throw CopyError.notEmpty(path: path) }
  }

  func make() throws {
    try disk.createDirectory(temporary)
    do {
      for subfolder in FolderName.subfolders { try disk.createDirectory(DiskPath.join(temporary, subfolder)) }
    } catch {
      discard()
      throw error
    }
  }

  /// Gives it its manifest and then its name, once everything in it is durable.
  ///
  /// - Parameter aside: the name that a folder gets that is still there.
  /// - Throws: `Unsettled` if that folder may not have its name again, so that this one must stay for `resume`.
  func finish(_ manifest: [UInt8], keeping aside: String? = nil) throws {
    for name in [FolderName.manifestCopy, FolderName.manifest] {
      try disk.replaceFile(DiskPath.join(temporary, name), with: manifest)
    }
    for subfolder in FolderName.subfolders { try disk.syncDirectory(DiskPath.join(temporary, subfolder)) }
    try disk.syncDirectory(temporary)
    guard let aside, disk.exists(path) else { return try takeName() }
    do {
      try disk.rename(path, to: aside)
      // Names may become durable in any order, and nothing may take this one from the folder that is kept.
      try syncNames(aside)
      try takeName()
    } catch {
      do {
        if !disk.exists(path) { try disk.rename(aside, to: path) }
        try syncNames(aside)
      } catch let undoing {
        throw Unsettled(error: error, undoing: undoing)
      }
      throw error
    }
  }

  /// Neither was this folder given its name, nor is it certain that the one that had it has it again.
  struct Unsettled: Error {
    let error: any Error
    let undoing: any Error
  }

  /// Makes the names durable, first the one that a folder was put aside under.
  private func syncNames(_ aside: String) throws(DiskError) {
    let (there, here) = (DiskPath.parent(of: aside), DiskPath.parent(of: path))
    if there != here { try disk.syncDirectory(there) }
    try disk.syncDirectory(here)
  }

  private func takeName() throws(DiskError) {
    // An empty folder of that name is replaced; the rename fails if it is not empty any more.
    try disk.rename(temporary, to: path)
    do throws(DiskError) {
      try disk.syncDirectory(DiskPath.parent(of: path))
    } catch {
      // A copy that may not be durable must not have the final name.
      try? disk.rename(path, to: temporary)
      throw error
    }
  }

  /// Whether everything of it is there, and only its name is not the final one yet.
  var isComplete: Bool { disk.exists(DiskPath.join(temporary, FolderName.manifest)) }

  /// Gives it its name if a crash came right before that: while a folder is put aside for it, there is neither.
  ///
  /// - Returns: whether there was one.
  func resume() throws(DiskError) -> Bool {
    guard !disk.exists(path), isComplete else { return false }
    // That the other folder was put aside may not be durable yet.
    try disk.syncDirectory(DiskPath.parent(of: path))
    try takeName()
    return true
  }

  /// Deletes it after a failure, because half a copy is useless.
  func discard() { DataFolder.delete(temporary, on: disk) }
}
