/// Makes a data folder from a backup or a damaged folder, as of some point.
package enum Restore {
  /// The point to restore to.
  package enum Point: Sendable, Equatable {
    case end
    /// Up to and including this record.
    case lsn(UInt64)
    /// Up to the last record before the first one later than this time, in unix milliseconds.
    case time(UInt64)
  }

  /// Copies the folder at `path` to `target` without what came after `point`: later snapshots, and later records of the
  /// log and the archive. A frame with records on both sides of the point is cut and encoded anew; from there on the
  /// log is a chain of its own.
  /// - Parameters:
  ///   - target: must not exist or must be an empty folder; nothing is ever overwritten.
  ///   - leavesOutHistory: whether to take only the snapshots and the records after them, because the past may be
  ///     damaged.
  ///   - key: of an encrypted folder.
  ///   - keys: returns a record's time.
  ///   - progress: receives the number of bytes copied since the last call; may throw to stop.
  /// - Throws: `FolderError`, `CopyError`, `RecoveryError`, `LogError`, `BlockFileError` or `DiskError`. Nothing is
  ///   left behind then.
  package static func run(
    from path: String, to target: String, until point: Point = .end, leavesOutHistory: Bool = false,
    disk: any Disk = PosixDisk(), key: MasterKey? = nil, dictionaries: [ZstdDictionary] = ZstdDictionary.known,
    keys: @escaping RecordKeys,
    progress: (CopyProgress) throws -> Void = { _ in }
  ) throws -> CopyReport {
    let source = try DataFolder.look(at: path, disk: disk, key: key)
    return try withoutActuallyEscaping(progress) { progress in
      let search = PointSearch(source: source, dictionaries: dictionaries, keys: keys, progress: progress)
      let last = try search.lastRecord(of: point, leavesOutHistory: leavesOutHistory)
      do {
        var report = try FolderCopy(
          source: source, target: CopyTarget(path: target, source: source), last: last, cutsFrames: last != nil,
          leavesOutHistory: leavesOutHistory, dictionaries: dictionaries, progress: progress
        ).run()
        report.path = target
        return report
      } catch CopyError.unreachable(let lsn, let first, let snapshots, nil) {
        throw CopyError.unreachable(lsn: lsn, first: first, snapshots: snapshots, earliest: search.earliest())
      } catch CopyError.noSuchRecord(let wanted, let last, nil) {
        throw CopyError.noSuchRecord(
          wanted: wanted, last: last.map { search.moment(of: $0.lsn) ?? $0 }, search.earliest())
      }
    }
  }
}
