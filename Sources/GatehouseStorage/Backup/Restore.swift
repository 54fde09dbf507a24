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
  /// the archive's later records. The frame of the last record is cut after it and made anew, so the log goes on
  /// from there as a chain of its own.
  /// - Parameters:
  ///   - target: not there yet, or an empty folder; nothing is ever overwritten.
  ///   - keys: tells a record's time.
  ///   - progress: is told the bytes copied since it was called before; may throw to stop.
  /// - Throws: `FolderError`, `CopyError`, `LogError`, `BlockFileError` or `DiskError`; nothing is left behind then.
  package static func run(
    from path: String, to target: String, until point: Point = .end, disk: any Disk = PosixDisk(),
    dictionaries: [ZstdDictionary] = ZstdDictionary.known, keys: @escaping RecordKeys,
    progress: (CopyProgress) throws -> Void = { _ in }
  ) throws -> CopyReport {
    let source = try DataFolder.look(at: path, disk: disk)
    let last: UInt64? =
      switch point {
      case .end: nil
      case .lsn(let lsn): lsn
      case .time(let time): try lastRecord(before: time, in: source, dictionaries, keys)
      }
    if last == 0 { throw CopyError.noSuchRecord(wanted: "0", last: try lastLSN(of: source, dictionaries)) }
    return try withoutActuallyEscaping(progress) { progress in
      var report = try FolderCopy(
        source: source, target: CopyTarget(path: target, source: source), last: last, cutsFrames: last != nil,
        dictionaries: dictionaries, progress: progress
      ).run()
      report.path = target
      return report
    }
  }

  /// The last record before the first that is later than `time`.
  private static func lastRecord(
    before time: UInt64, in folder: DataFolder, _ dictionaries: [ZstdDictionary], _ keys: @escaping RecordKeys
  ) throws -> UInt64 {
    let last = try lastLSN(of: folder, dictionaries)
    guard last > 0 else { throw CopyError.noSuchRecord(wanted: "of time \(time) or before", last: 0) }
    var found: UInt64?
    var ids: [UInt64] = []
    try History(folder, dictionaries: dictionaries, keys: keys).forEach(History.Query(1...last)) { lsn, record in
      ids.removeAll(keepingCapacity: true)
      guard keys(record, &ids) <= time else { return false }
      found = lsn
      return true
    }
    guard let found else { throw CopyError.noSuchRecord(wanted: "of time \(time) or before", last: last) }
    return found
  }

  /// The last record of the log, or of the archive where there is no log; 0 where there is nothing.
  private static func lastLSN(of folder: DataFolder, _ dictionaries: [ZstdDictionary]) throws -> UInt64 {
    var options = LogOptions()
    options.dictionaries = dictionaries
    let archive = try ArchiveReach(folder)
    let log = try LogRecovery(
      folder.logLocation, options: options, forWriting: false,
      firstLSN: archive.records.map { $0.upperBound + 1 } ?? 1, previousHash: archive.lastHash)
    return try log.verify().lastLSN
  }
}
