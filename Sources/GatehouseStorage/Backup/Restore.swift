/// Makes a data folder out of a backup, or out of a damaged folder, as it was at some point.
package enum Restore {
  /// The point up to which records are taken.
  package enum Point: Sendable, Equatable {
    case end
    /// This record is the last.
    case lsn(UInt64)
    /// The last record before the first that is later than this, in unix milliseconds.
    case time(UInt64)
  }

  /// Copies the folder at `path` to `target`, and leaves out what came after `point`: later snapshots, the log's and
  /// the archive's later records. A frame that goes on behind the last record is cut and made anew, so the log goes
  /// on from there as a chain of its own.
  /// - Parameters:
  ///   - target: not there yet, or an empty folder; nothing is ever overwritten.
  ///   - leavesOutHistory: whether only the snapshots are taken and what came after them: the past may be damaged.
  ///   - keys: tells a record's time.
  ///   - progress: is told the bytes copied since it was called before; may throw to stop.
  /// - Throws: `FolderError`, `CopyError`, `RecoveryError`, `LogError`, `BlockFileError` or `DiskError`; nothing is left
  ///   behind then.
  package static func run(
    from path: String, to target: String, until point: Point = .end, leavesOutHistory: Bool = false,
    disk: any Disk = PosixDisk(), dictionaries: [ZstdDictionary] = ZstdDictionary.known, keys: @escaping RecordKeys,
    progress: (CopyProgress) throws -> Void = { _ in }
  ) throws -> CopyReport {
    let source = try DataFolder.look(at: path, disk: disk)
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
