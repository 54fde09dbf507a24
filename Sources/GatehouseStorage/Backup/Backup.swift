/// Copies a data folder while a server uses it.
package enum Backup {
  /// Copies the folder at `path` to `target`, which then is a data folder of its own: with the same identity, keys,
  /// snapshots, log and archive.
  /// - Parameters:
  ///   - target: not there yet, or an empty folder. It has this name only once it is whole, durable, and was read back.
  ///   - lsn: the last record wanted. A server gives the one that is durable; without it, the copy has every whole
  ///     frame that was found.
  ///   - leavesOutHistory: whether only the snapshots are copied and what came after them: the past may be damaged.
  ///   - progress: is told the bytes copied since it was called before; may throw to stop.
  /// - Throws: `FolderError`, `CopyError`, `LogError`, `BlockFileError` or `DiskError`; nothing is left behind then.
  package static func copy(
    from path: String, to target: String, through lsn: UInt64? = nil, leavesOutHistory: Bool = false,
    disk: any Disk = PosixDisk(),
    dictionaries: [ZstdDictionary] = ZstdDictionary.known, progress: (CopyProgress) throws -> Void = { _ in }
  ) throws -> CopyReport {
    let source = try DataFolder.look(at: path, disk: disk)
    return try withoutActuallyEscaping(progress) { progress in
      var report = try FolderCopy(
        source: source, target: CopyTarget(path: target, source: source), last: lsn, cutsFrames: false,
        leavesOutHistory: leavesOutHistory, dictionaries: dictionaries, progress: progress
      ).run()
      report.path = target
      return report
    }
  }
}
