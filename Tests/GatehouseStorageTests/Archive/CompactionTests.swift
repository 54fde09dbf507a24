import Glibc
import Testing

@testable import GatehouseStorage

@Suite("Compaction", .inClearAndEncrypted)
struct CompactionTests {
  @Test func movesSegmentsCoveredByBothSnapshots() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    let segments = try store.folder.sealedSegments()
    let report = try store.compact()
    // The older snapshot covers the log through record 119.
    let covered = segments.filter { $0.lastLSN <= 119 }
    #expect(covered.count > 2 && covered.count < segments.count)
    #expect(report.removed == covered.map(\.name))
    #expect(report.archived.count > 1)
    #expect(report.archived.first?.records.lowerBound == 1)
    #expect(report.archived.last?.records.upperBound == covered.last?.lastLSN)
    #expect(report.warnings.isEmpty)
    #expect(try store.folder.sealedSegments() == Array(segments.dropFirst(covered.count)))
    #expect(try StoreFixture.hasWholeHistory(store.folder, through: 185))
    #expect(try store.compact() == CompactionReport())
    store.stop()
    let again = try StoreFixture(on: disk)
    #expect(again.recovered == 185)
    #expect(again.report.warnings.isEmpty)
  }

  @Test func runsWhileTheLogIsWritten() throws {
    let store = try StoreFixture(on: SimulatedDisk())
    for _ in 0..<6 {
      try store.append(40)
      try store.snapshot()
      _ = try store.compact()
    }
    #expect(try StoreFixture.hasWholeHistory(store.folder, through: 240))
    #expect(try ArchiveCatalog(store.folder).entries().count > 3)
  }

  @Test func keepsSegmentsCoveredByOneSnapshotOnly() throws {
    let store = try StoreFixture(on: SimulatedDisk())
    try store.append(100)
    #expect(try store.compact() == CompactionReport())
    try store.snapshot()
    #expect(try store.compact() == CompactionReport())
    #expect(try LogListing(store.folder.logLocation).segments.first == 1)
  }

  @Test func keepsSegmentsBeyondTheGivenRecord() throws {
    let store = try StoreFixture.prepare(on: SimulatedDisk())
    let report = try StoreFixture.compactor(store.folder, through: 185).compact(coveredThrough: 70)
    #expect(try #require(report.archived.last).records.upperBound <= 70)
    #expect(try StoreFixture.hasWholeHistory(store.folder, through: 185))
  }

  @Test func deletesArchivesAfterTheirRetention() throws {
    let store = try StoreFixture.prepare(on: SimulatedDisk())
    let archived = try store.compact().archived
    // Now is second 186: everything younger than a hundred seconds is in record 87 or later.
    #expect(ChainWalk.run(store.folder, from: 1, through: 185).deletedThrough == nil)
    let report = try store.compact(retention: 100_000)
    #expect(report.expired.map(\.records) == archived.map(\.records).filter { $0.upperBound < 86 })
    #expect(!report.expired.isEmpty && report.expired.count < archived.count)
    let first = try #require(report.expired.last).records.upperBound + 1
    #expect(try History(store.folder, keys: RecordFixture.keys).firstLSN() == first)
    #expect(try StoreFixture.hasWholeHistory(store.folder, from: first, through: 185))
    // What the retention deleted is told apart from what is missing.
    let walk = ChainWalk.run(store.folder, from: 1, through: 185)
    #expect(walk.deletedThrough == first - 1 && walk.problem == nil && walk.from == first)
    #expect(try store.compact(retention: 100_000) == CompactionReport())
    store.stop()
    #expect(try StoreFixture(on: store.folder.disk).recovered == 185)
  }

  /// An unreadable archive may be young. It is deleted together with a later, and so younger, one.
  @Test func keepsAnUnreadableArchiveUntilALaterOneExpires() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    _ = try store.compact()
    let entries = try ArchiveCatalog(store.folder).entries()
    try #require(entries.count == 2)
    try FolderFixture.edit(entries[0].path, on: disk) { $0.removeLast() }
    // Now is second 186, and nothing in the second archive is older than its first record.
    let kept = try store.compact(retention: (186 - entries[1].records.upperBound) * 1000)
    #expect(kept.expired.isEmpty && kept.warnings.count == 1)
    let gone = try store.compact(retention: 1)
    #expect(gone.expired.map(\.records) == entries.map(\.records) && gone.warnings.isEmpty)
  }

  /// One damaged byte: the segment is set aside unchanged, and everything else is still moved.
  @Test(arguments: [0, 40, 4096, 4100, 4096 + 200])
  func aDamagedSegmentHoldsUpNothing(byte: Int) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    let covered = try store.folder.sealedSegments().filter { $0.lastLSN <= 119 }
    let damaged = covered[1]
    let path = store.folder.logLocation.path(damaged.name)
    try FolderFixture.edit(path, on: disk) { $0[byte] ^= 1 }
    let bytes = try disk.readFile(path)
    let report = try store.compact()
    #expect(report.removed == covered.filter { $0 != damaged }.map(\.name))
    #expect(report.setAside.count == 1 && report.setAside[0].contains(damaged.name))
    #expect(report.damage.count == 1)
    let name = try #require(try ArchiveCatalog(store.folder).setAside().first)
    #expect(name.records == damaged.firstLSN...damaged.lastLSN)
    #expect(try disk.readFile(name.path) == bytes, "nothing of it is thrown away")
    #expect(try store.folder.sealedSegments().first?.firstLSN == covered.last.map { $0.lastLSN + 1 })

    // The damage stays known but blocks nothing.
    try store.append(40)
    try store.snapshot()
    let again = try store.compact()
    #expect(again.setAside.isEmpty && again.damage == report.damage && !again.removed.isEmpty)
    #expect(try StoreFixture.hasWholeHistory(store.folder, from: damaged.lastLSN + 1, through: 225))
    let problems = try Verification.run(store.folder).problems
    #expect(problems.count == 1 && problems[0].file == "archive/" + DiskPath.name(of: name.path), "\(problems)")
    #expect(ChainWalk.run(store.folder, from: 1, through: 225).problem?.contains(".damaged") == true)
    store.stop()
    let started = try StoreFixture(on: disk)
    #expect(started.recovered == 225)
    // A valid copy in its place makes the history complete again.
    try FolderFixture.edit(name.path, on: disk) { $0[byte] ^= 1 }
    #expect(try StoreFixture.hasWholeHistory(started.folder, through: 225))
  }

  /// A part of a segment that the disk can no longer read counts as damage; if the second try succeeds, it does not.
  @Test(arguments: [false, true])
  func anUnreadableSegmentHoldsUpNothing(forGood: Bool) throws {
    let base = SimulatedDisk()
    let store = try StoreFixture.prepare(on: base)
    store.stop()
    let damaged = try store.folder.sealedSegments()[1]
    let disk = UnreadableDisk(base, path: store.folder.logLocation.path(damaged.name), times: forGood ? .max : 1)
    let folder = try FolderFixture.make(on: disk)
    let report = try StoreFixture.compactor(folder, through: 185).compact()
    #expect(report.setAside.count == (forGood ? 1 : 0))
    #expect(report.removed.count == (forGood ? 2 : 3))
    folder.close()
    let again = try StoreFixture(on: base)
    #expect(try again.recovered == 185 && StoreFixture.hasWholeHistory(again.folder, through: 185))
  }

  /// Power fails before any operation of a compaction: every record is in the log, in the archive or in both, the
  /// server starts, and the next compaction gives the same result.
  @Test func losesNothingToACrashAnywhere() throws {
    let first: Int
    let last: Int
    let expected: [ArchiveCatalog.Entry]
    do {
      let disk = SimulatedDisk()
      let store = try StoreFixture.prepare(on: disk, records: 24)
      store.writer.tick()
      first = disk.operations
      _ = try store.compact()
      last = disk.operations
      expected = try ArchiveCatalog(store.folder).entries()
    }
    #expect(last - first > 10)
    for operation in first...last {
      for seed in 0..<3 as Range<UInt64> {
        let disk = SimulatedDisk()
        let store = try StoreFixture.prepare(on: disk, records: 24)
        store.writer.tick()
        disk.powerOff(before: operation)
        _ = try? store.compact()
        disk.powerOff()
        let again = try StoreFixture(on: disk.survivor(seed: seed))
        #expect(again.recovered == 77, "operation \(operation), seed \(seed)")
        #expect(again.report.warnings.isEmpty)
        #expect(try StoreFixture.hasWholeHistory(again.folder, through: 77))
        _ = try again.compact()
        #expect(try ArchiveCatalog(again.folder).entries() == expected)
        let records = expected.last!.records
        #expect(try LogListing(again.folder.logLocation).segments.first == records.upperBound + 1)
        #expect(try StoreFixture.hasWholeHistory(again.folder, through: 77))
      }
    }
  }

  @Test(arguments: [false, true])
  func aFailingCallCostsNoRecord(forGood: Bool) throws {
    var call = 0
    while true {
      let disk = FaultyDisk(SimulatedDisk())
      let store = try StoreFixture.prepare(on: disk, records: 24)
      store.writer.tick()
      disk.arm(.init(call: call, fault: .error(call & 1 == 0 ? EIO : ENOSPC), forGood: forGood))
      _ = try? StoreFixture.compactor(store.folder, through: 77).compact()
      let isOver = disk.failures == 0
      disk.arm(nil)
      #expect(try StoreFixture.hasWholeHistory(store.folder, through: 77), "call \(call)")
      _ = try store.compact()
      #expect(try StoreFixture.hasWholeHistory(store.folder, through: 77), "call \(call)")
      if isOver { break }
      call += forGood ? 7 : 3
    }
    #expect(call > 50)
  }

  /// After a crash both log and archive have the records. The log's are not deleted if the archive is damaged.
  @Test func aDamagedArchiveCostsNoSegment() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    var removals = 0
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try StoreFixture.compactor(store.folder, archiveBytes: 1 << 20, through: 185).compact { step in
        if case .removing = step {
          removals += 1
          if removals == 2 { throw Stop() }
        }
      }
    }
    let before = try LogListing(store.folder.logLocation).segments
    #expect(before.first != 1)
    let entry = try ArchiveCatalog(store.folder).entries()[0]
    let sound = try disk.readFile(entry.path)
    try FolderFixture.edit(entry.path, on: disk) { $0[$0.count / 2] ^= 1 }
    let report = try store.compact()
    #expect(report.removed.isEmpty && report.damage.count == 1 && report.damage[0].contains(entry.path))
    #expect(try LogListing(store.folder.logLocation).segments == before)
    try FolderFixture.edit(entry.path, on: disk) { $0 = sound }
    #expect(try !store.compact().removed.isEmpty)
    #expect(try StoreFixture.hasWholeHistory(store.folder, through: 185))
  }
}
