import Testing

@testable import GatehouseStorage

/// Uses a data folder like a server, with records derived from their numbers (`RecordFixture`). So the state is just a
/// number, and anything read can be compared with the expected value.
final class StoreFixture {
  let folder: DataFolder
  let writer: LogWriter
  let report: RecoveryReport
  /// The last record replayed at the start.
  let recovered: UInt64

  /// A few records fill a segment, so that a dozen segments are quickly written.
  static let options: LogOptions = {
    var options = LogOptions()
    options.segmentBytes = 8 << 10
    options.maximumFrameBytes = 4 << 10
    options.fillsSegments = false
    return options
  }()

  /// Opens the folder like a server at its start, and checks everything recovered.
  init(on disk: any Disk, at path: String = FolderFixture.path, sectionBytes: Int = 40) throws {
    folder = try FolderFixture.make(on: disk, at: path)
    let recovery = try Recovery.open(folder, log: Self.options)
    if let snapshot = recovery.snapshot { #expect(try SnapshotFixture.holds(snapshot, sectionBytes: sectionBytes)) }
    var last = recovery.snapshot?.lsn ?? 0
    let end = try recovery.read { lsn, record in
      guard lsn == last + 1, Array(record) == RecordFixture.record(lsn) else { throw WrongRecord(lsn: lsn) }
      last = lsn
    }
    #expect(end.lastLSN == last)
    recovered = last
    report = recovery.report
    recovery.snapshot?.close()
    writer = try folder.openLog(
      continuing: end, keptFrom: recovery.report.firstLSN, options: Self.options, isDriven: true)
  }

  struct WrongRecord: Error { let lsn: UInt64 }

  /// Writes `count` more records, each batch in its own frame.
  func append(_ count: Int, batch: Int = 4) throws {
    for at in 0..<count {
      try writer.append(RecordFixture.record(writer.appendedLSN + 1))
      if at % batch == batch - 1 { _ = writer.turn() }
    }
    _ = writer.turn()
    guard writer.durableLSN == writer.appendedLSN else { throw DiskError(call: "write", path: "log", code: 5) }
  }

  /// A snapshot with sections as of the last but one and the last record.
  func snapshot() throws {
    writer.tick()
    try SnapshotFixture.write(in: folder, lsn: writer.durableLSN - 1)
  }

  func compact(retention: UInt64? = nil, archiveBytes: UInt64 = 16 << 10) throws -> CompactionReport {
    writer.tick()
    return try Self.compactor(folder, retention: retention, archiveBytes: archiveBytes, through: writer.durableLSN)
      .compact()
  }

  /// A compactor for which now is one second after the last record.
  static func compactor(
    _ folder: DataFolder, retention: UInt64? = nil, archiveBytes: UInt64 = 16 << 10, through last: UInt64
  ) -> Compactor {
    var options = CompactionOptions(now: RecordFixture.time(last + 1))
    options.level = 3
    options.archiveBytes = archiveBytes
    options.retention = retention
    return Compactor(folder, options: options, keys: RecordFixture.keys)
  }

  func stop() {
    folder.closeLog(writer)
    folder.close()
  }

  /// Whether archive and log together have every record from `first` on, unchanged.
  static func hasWholeHistory(_ folder: DataFolder, from first: UInt64 = 1, through last: UInt64) throws -> Bool {
    guard last > 0 else { return try History(folder, keys: RecordFixture.keys).firstLSN() ?? 1 == 1 }
    var next = first
    try History(folder, keys: RecordFixture.keys).forEach(History.Query(first...last)) { lsn, record in
      guard lsn == next, Array(record) == RecordFixture.record(lsn) else { throw WrongRecord(lsn: lsn) }
      next += 1
      return true
    }
    return next == last + 1
  }

  /// A folder after three snapshots, of which two are kept, with an uncompacted log of many segments.
  static func prepare(on disk: any Disk, records: Int = 60) throws -> StoreFixture {
    let store = try StoreFixture(on: disk)
    for _ in 0..<3 {
      try store.append(records)
      try store.snapshot()
    }
    try store.append(5)
    return store
  }
}
