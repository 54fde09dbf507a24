internal import Glibc

/// Why a data folder cannot be opened. Each text says what to do about it.
package enum FolderError: Error, Equatable {
  case missing(path: String)
  case notADirectory(path: String)
  /// It is not empty but has no manifest; `names` are some of the files in it.
  case foreign(path: String, names: [String])
  case newer(path: String, format: UInt32, reader: UInt32)
  /// `holder` is what the other process wrote into the lock file.
  case locked(path: String, holder: String)
  case readOnly(path: String)
  case notPermitted(path: String)
  case full(path: String)
  /// The manifest and its copy are both unusable.
  case unreadable(path: String, reason: String)
  /// Neither copy of the key store can be used.
  case keys(path: String, reason: String)
  /// It is encrypted, or is to be, and cannot be opened with the key given.
  case encryption(path: String, EncryptionError)
  /// Other nodes have a part in its log, and it is to be written without them.
  case shared(path: String)
  case failed(path: String, DiskError)

  /// What a failed system call on the folder at `path` means for opening it.
  init(_ error: DiskError, path: String) {
    self =
      switch error.trouble {
      case .readOnly: .readOnly(path: path)
      case .notPermitted: .notPermitted(path: path)
      case .noSpace: .full(path: path)
      case .failed where error.code == ENOTDIR: .notADirectory(path: path)
      case .noDescriptors, .failed: .failed(path: path, error)
      }
  }
}

extension FolderError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missing(let path):
      "\(path): there is no such folder; check the path"
    case .notADirectory(let path):
      "\(path) is not a folder; name a folder, or a path where one can be made"
    case .foreign(let path, let names):
      "\(path) holds files of something else (\(names.joined(separator: ", "))) and no manifest; "
        + "name an empty folder for new data, or bring the manifest back from a backup if this was a data folder"
    case .newer(let path, let format, let reader):
      "\(path) was written by a newer version (format \(format), readable from \(reader) on; this program "
        + "reads up to \(Manifest.currentFormat)); start that version or a later one"
    case .locked(let path, let holder):
      "\(path) is in use by another process\(holder.isEmpty ? "" : " (\(holder))"); stop it first, or name another folder"
    case .readOnly(let path):
      "\(path) is on a file system mounted read-only; mount it for writing, then start again"
    case .notPermitted(let path):
      "\(path) may not be opened by this user; run as the folder's owner, or change its owner"
    case .full(let path):
      "\(path): the disk is full; make room, then start again"
    case .unreadable(let path, let reason):
      "\(path): the manifest and its copy cannot be used (\(reason)); bring the file back from a backup of this folder"
    case .keys(let path, let reason):
      "\(path): the key store cannot be used (\(reason)), and without it nobody can read what log and archive say of "
        + "people; bring back \(FolderName.keys) or \(FolderName.keysCopy) from a backup of this folder"
    case .encryption(let path, let error): "\(path): \(error)"
    case .shared(let path):
      "\(path) belongs to a node of a cluster, and what is written to it alone would part it from the others and be lost; "
        + "start the node with --replication, and make the change on the node that leads; or, if this folder is to leave "
        + "the cluster for good, start a server on it once with --follow alone and without --replication"
    case .failed(let path, let error):
      "\(path) cannot be opened: \(error); \(error.trouble.remedy)"
    }
  }
}
