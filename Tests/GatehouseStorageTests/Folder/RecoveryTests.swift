import Glibc
import Testing

@testable import GatehouseStorage

@Suite("Recovery", .inClearAndEncrypted)
struct RecoveryTests {
  @Test func aNewFolderStartsEmpty() throws {
    let store = try StoreFixture(on: SimulatedDisk())
    #expect(store.recovered == 0)
    #expect(store.report == RecoveryReport())
  }

  @Test func withoutASnapshotTheLogIsReplayed() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture(on: disk)
    try store.append(50)
    store.stop()
    #expect(try StoreFixture(on: disk).recovered == 50)
  }

  @Test func theNewestSnapshotIsUsed() throws {
    let disk = SimulatedDisk()
    try StoreFixture.prepare(on: disk).stop()
    let again = try StoreFixture(on: disk)
    #expect(again.recovered == 185)
    #expect(again.report.snapshot?.lsn == 179)
    #expect(again.report.replayFrom == 180)
    #expect(again.report.warnings.isEmpty)
  }

  /// The state would be complete then, but the log is also the audit trail and must have no gaps.
  @Test func aGapBeforeTheSnapshotIsRefused() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    let log = store.folder.logLocation
    store.stop()
    let segments = try LogListing(log).segments
    let needed = try #require(segments.lastIndex { $0 <= 180 })
    #expect(needed > 4)
    for gone in 1..<needed {
      let copy = disk.afterKill()
      try copy.remove(log.path(LogFormat.segmentName(segments[gone])))
      let error = #expect(throws: LogError.self) { try StoreFixture(on: copy) }
      #expect(error?.code == .missing && error?.segment == LogFormat.segmentName(segments[gone + 1]))
    }
    // A compaction removes the oldest first.
    let copy = disk.afterKill()
    try copy.remove(log.path(LogFormat.segmentName(segments[0])))
    #expect(try StoreFixture(on: copy).recovered == 185)
  }

  @Test(arguments: [false, true])
  func aDamagedSnapshotIsSkipped(compacted: Bool) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    if compacted { #expect(try !store.compact().removed.isEmpty) }
    store.stop()
    let newest = try SnapshotCatalog(store.folder).entries()[0]
    try FolderFixture.edit(newest.path, on: disk) { $0[100] ^= 1 }
    let again = try StoreFixture(on: disk)
    #expect(again.recovered == 185)
    #expect(again.report.snapshot?.lsn == 119)
    #expect(again.report.warnings.count == 1)
    #expect(again.report.warnings[0].contains(newest.path))
  }

  @Test func withoutAValidSnapshotTheArchiveIsReplayed() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    #expect(try !store.compact().removed.isEmpty)
    store.stop()
    for entry in try SnapshotCatalog(store.folder).entries() {
      try FolderFixture.edit(entry.path, on: disk) { $0.removeLast() }
    }
    let again = try StoreFixture(on: disk)
    #expect(again.recovered == 185)
    #expect(again.report.fromArchive > 0)
    #expect(again.report.warnings.count == 3)
    again.stop()
    // Without the archive too, there is nothing to start from.
    try disk.remove(ArchiveCatalog(store.folder).entries()[0].path)
    do {
      _ = try StoreFixture(on: disk)
      Issue.record("opened with a gap")
    } catch let error as RecoveryError {
      guard case .unreachable(from: 1, _, let warnings) = error else { throw error }
      #expect(warnings.count == 2)
      #expect("\(error)".contains("gatehousectl restore"))
    }
  }

  /// Unreadable data may be intact: this is reported as a disk failure, not as damage.
  @Test(arguments: [(EIO, true), (EACCES, false), (EMFILE, false)])
  func anUnreadableSnapshotIsNotDamage(code: Int32, mayBePassedOver: Bool) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    #expect(try !store.compact().removed.isEmpty)
    store.stop()
    let plan = FaultyDisk.Plan(
      call: 0, fault: .error(code), forGood: true, kinds: ["open"], suffix: ".snapshot")
    func open() throws -> UInt64 { try StoreFixture(on: FaultyDisk(disk, plan)).recovered }
    if mayBePassedOver {
      #expect(try open() == 185, "out of the archive")
      try disk.remove(ArchiveCatalog(store.folder).entries()[0].path)
    }
    let error = #expect(throws: DiskError.self) { try open() }
    #expect(error?.code == code && error?.path.hasSuffix(".snapshot") == true)
  }

  @Test func aLogThatEndsBeforeTheSnapshotIsRefused() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture(on: disk)
    try store.append(40)
    // If the end of the log and its witness are removed, the snapshot reveals it.
    try SnapshotFixture.write(in: store.folder, lsn: 40)
    store.stop()
    #expect(throws: RecoveryError.behind(snapshot: 41, log: 40)) { try StoreFixture(on: disk) }
  }

  @Test func aLogOfAnotherChainIsRefused() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    #expect(try !store.compact().removed.isEmpty)
    store.stop()
    let entry = try #require(try ArchiveCatalog(store.folder).entries().last)
    // The same records in frames with other boundaries: the same numbers, another chain.
    let genesis = LogFormat.genesis(store.folder.manifest.folderID)
    let temporary = store.folder.archivePath + "/other.tmp"
    var writer = try ArchiveWriter(
      path: temporary, folder: store.folder, firstLSN: entry.records.lowerBound, previousHash: genesis, createdAt: 1,
      level: 3, keys: RecordFixture.keys)
    var frames: [(FrameHeader, [UInt8], [UInt8])] = []
    RecordFixture.frames(
      folderID: store.folder.manifest.folderID, cipher: store.folder.cipher, from: entry.records.lowerBound,
      count: entry.records.count * 2,
      recordsPerFrame: 1, after: genesis
    ) { header, headerBytes, body in frames.append((header, Array(headerBytes), Array(body))) }
    for (header, headerBytes, body) in frames where header.firstLSN <= entry.records.upperBound {
      try headerBytes.withUnsafeBytes { head in
        try body.withUnsafeBytes { try writer.append(header, headerBytes: head, body: $0) }
      }
    }
    #expect(try writer.finish() == entry.records)
    try disk.rename(temporary, to: entry.path)
    #expect(throws: RecoveryError.unchained(at: entry.records.upperBound + 1)) { try StoreFixture(on: disk) }
  }

  /// Whatever happens to the newest snapshot, the state is complete: from it if it is valid, else from the other.
  @Test func anyDamageToTheNewestSnapshotLosesNothing() throws {
    let disk = SimulatedDisk()
    try StoreFixture.prepare(on: disk, records: 20).stop()
    let path = "/data/snapshots/00000000000000000059.snapshot"
    let sound = try disk.readFile(path)
    for at in stride(from: 0, to: sound.count, by: 7) {
      try FolderFixture.edit(path, on: disk) { $0 = at % 2 == 0 ? Array(sound.prefix(at)) : sound }
      if at % 2 == 1 { try FolderFixture.edit(path, on: disk) { $0[at] ^= 0x20 } }
      let folder = try FolderFixture.make(on: disk)
      let recovery = try Recovery.open(folder, log: StoreFixture.options)
      #expect(recovery.snapshot?.lsn == 39)
      #expect(recovery.report.warnings.count == 1)
      var last: UInt64 = 39
      let end = try recovery.read { lsn, record in
        #expect(lsn == last + 1 && Array(record) == RecordFixture.record(lsn))
        last = lsn
      }
      #expect(end.lastLSN == 65 && last == 65)
      folder.close()
    }
  }
}
