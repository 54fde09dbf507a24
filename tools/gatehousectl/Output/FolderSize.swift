import Foundation
import GatehouseStorage

/// The bytes of a folder's files, for how far a copy of them is. Files that come or go meanwhile make it a little wrong.
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
}
