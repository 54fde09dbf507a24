import Foundation
import GatehouseStorage

/// The sizes of a folder's files, for the progress of a copy. Approximate, because files come and go meanwhile.
struct FolderSize {
  let snapshots: UInt64
  let log: UInt64
  let archive: UInt64

  init(path: String) {
    func bytes(_ name: String) -> UInt64 {
      let folder = DiskPath.join(path, name)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.reduce(0) { sum, name in
        let attributes = try? FileManager.default.attributesOfItem(atPath: DiskPath.join(folder, name))
        return sum + ((attributes?[.size] as? NSNumber)?.uint64Value ?? 0)
      }
    }
    snapshots = bytes("snapshots")
    log = bytes("log")
    archive = bytes("archive")
  }

  /// Of files that are fetched.
  init(_ files: [ArrivingFile]) {
    func bytes(_ name: String) -> UInt64 {
      files.reduce(0) { $0 + ($1.name.hasPrefix(name + "/") ? $1.size : 0) }
    }
    snapshots = bytes("snapshots")
    log = bytes("log")
    archive = bytes("archive")
  }
}
