/// Copies a data folder while a server uses it.
package enum Backup {
  /// Copies the folder at `path` to `target`. The copy is a data folder of its own, with the same identity, keys,
  /// snapshots, log and archive.
  /// - Parameters:
  ///   - target: must not exist or must be an empty folder. The copy gets this name only once it is complete, durable,
  ///     and was read back.
  ///   - lsn: the last record wanted. A server passes the last durable one; without it, the copy gets every whole frame
  ///     that is found.
  ///   - leavesOutHistory: whether to copy only the snapshots and the records after them, because the past may be
  ///     damaged.
  ///   - key: of an encrypted folder. Without it the copy is made all the same, and checked as far as that is possible.
  ///   - progress: receives the number of bytes copied since the last call; may throw to stop.
  /// - Throws: `FolderError`, `CopyError`, `LogError`, `BlockFileError` or `DiskError`. Nothing is left behind then.
  package static func copy(
    from path: String, to target: String, through lsn: UInt64? = nil, leavesOutHistory: Bool = false,
    disk: any Disk = PosixDisk(), key: MasterKey? = nil,
    dictionaries: [ZstdDictionary] = ZstdDictionary.known, progress: (CopyProgress) throws -> Void = { _ in }
  ) throws -> CopyReport {
    let source = try DataFolder.look(at: path, disk: disk, key: key)
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
