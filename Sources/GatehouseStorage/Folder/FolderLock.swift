internal import Glibc

/// What keeps a second process out of a data folder.
///
/// Removing a locked file takes its lock out of everybody's sight, so a file alone is not enough: the lock is on the
/// folder itself. Network file systems cannot lock a folder. There the lock is on the manifest, without which nobody opens
/// the folder. The file `lock` is locked too, as earlier versions know no other, and says who has it.
struct FolderLock {
  let path: String
  let disk: any Disk

  private var lockPath: String { DiskPath.join(path, FolderName.lock) }

  /// Locks the lock file, and writes into it who has it.
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

  /// Locks the manifest, once it is there.
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
  /// - Returns: nil where the file system has no such lock.
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
      // The note is for people. A full disk must not keep a server from starting that could at least answer reads.
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
