internal import Glibc

/// Keeps a second process out of a data folder.
///
/// The lock is on the folder itself, because removing a locked file would hide its lock from everybody else. Network
/// file systems cannot lock a folder; there the lock is on the manifest, without which no process opens the folder. The
/// file `lock` is locked too, since earlier versions lock only that, and it names the owner.
struct FolderLock {
  let path: String
  let disk: any Disk

  private var lockPath: String { DiskPath.join(path, FolderName.lock) }

  /// Locks the lock file, and writes the owner into it.
  func takeLockFile() throws(FolderError) -> any DiskFile {
    let file = try lock(try openLockFile())
    do throws(FolderError) {
      try writeNote(file)
      return file
    } catch {
      file.close()
      throw error
    }
  }

  /// Locks the manifest, once it exists.
  func takeManifest() throws(FolderError) -> any DiskFile {
    try lock(try attempt { () throws(DiskError) in try disk.open(DiskPath.join(path, FolderName.manifest), .write) })
  }

  private func lock(_ file: any DiskFile) throws(FolderError) -> any DiskFile {
    do throws(FolderError) {
      guard try attempt({ () throws(DiskError) in try file.lock() }) else { throw locked() }
      return file
    } catch {
      file.close()
      throw error
    }
  }

  /// Locks the folder, which leaves no trace in it.
  /// - Returns: nil if the file system cannot lock a folder.
  func takeFolder() throws(FolderError) -> (any DiskFile)? {
    let folder = try attempt { () throws(DiskError) in try disk.openDirectory(path) }
    do throws(DiskError) {
      if try uninterrupted({ () throws(DiskError) in try folder.lock() }) { return folder }
      folder.close()
    } catch {
      folder.close()
      guard [EBADF, EINVAL, EISDIR, ENOLCK, ENOSYS, ENOTSUP].contains(error.code) else {
        throw FolderError(error, path: path)
      }
      return nil
    }
    throw locked()
  }

  private func openLockFile() throws(FolderError) -> any DiskFile {
    try attempt { () throws(DiskError) in
      do throws(DiskError) {
        return try disk.open(lockPath, .write)
      } catch  where error.code == ENOENT {
        return try disk.open(lockPath, .create)
      }
    }
  }

  private func writeNote(_ file: any DiskFile) throws(FolderError) {
    let note = Array("process \(getpid())\n".utf8)
    do throws(DiskError) {
      try uninterrupted { () throws(DiskError) in try file.truncate(to: 0) }
      try note.withRawBytes { bytes throws(DiskError) in try file.writeAll(bytes, at: 0) }
    } catch {
      // The note is for people only. A full disk must not keep a server from starting that could at least answer reads.
      guard error.isShortage else { throw FolderError(error, path: path) }
    }
  }

  private func locked() -> FolderError {
    let holder = (try? disk.readFile(lockPath, limit: 256)) ?? []
    return .locked(path: path, holder: String(decoding: holder.prefix { $0 >= 32 && $0 < 127 }, as: UTF8.self))
  }

  private func attempt<Result>(_ call: () throws(DiskError) -> Result) throws(FolderError) -> Result {
    do throws(DiskError) {
      return try uninterrupted(call)
    } catch {
      throw FolderError(error, path: path)
    }
  }
}
