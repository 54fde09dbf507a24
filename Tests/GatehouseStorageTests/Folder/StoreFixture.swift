import Testing

@testable import GatehouseStorage

/// What a server does with a data folder, with records of which each follows from its number (`RecordFixture`).
/// So the state is no more than a number, and what is read can be held against what it must be.
final class StoreFixture {
  let folder: DataFolder
  let writer: LogWriter
  let report: RecoveryReport
  /// The last record that was replayed at the start.
  let recovered: UInt64

  /// A few records fill a segment, and a dozen segments are no work.
  static let options: LogOptions = {
    var options = LogOptions()
    options.segmentBytes = 8 << 10
    options.maximumFrameBytes = 4 << 10
    options.fillsSegments = false
    return options
  }()

  /// Opens the folder as a server does at its start, and checks all that is recovered.
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

  /// Writes so many more records, each batch in a frame of its own.
  func append(_ count: Int, batch: Int = 4) throws {
    for at in 0..<count {
      try writer.append(RecordFixture.record(writer.appendedLSN + 1))
      if at % batch == batch - 1 { _ = writer.turn() }
    }
    _ = writer.turn()
    guard writer.durableLSN == writer.appendedLSN else { throw DiskError(call: "write", path: "log", code: 5) }
  }

  /// A snapshot whose sections are as of the last record but one, and the last.
  func snapshot() throws {
    writer.tick()
    try SnapshotFixture.write(in: folder, lsn: writer.durableLSN - 1)
  }

  func compact(retention: UInt64? = nil, archiveBytes: UInt64 = 16 << 10) throws -> CompactionReport {
    writer.tick()
    return try Self.compactor(folder, retention: retention, archiveBytes: archiveBytes, through: writer.durableLSN)
      .compact()
  }

  /// A compactor that finds it is one second after the last record.
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

  /// Whether archive and log together have every record from `first` on, as it was.
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

  /// A folder with three snapshots taken, two of them kept, and a log of many segments that nobody has compacted.
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
