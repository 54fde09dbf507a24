import Testing

@testable import GatehouseStorage

/// Folders that were emptied, or of which a part was replaced by an older copy.
@Suite("What the manifest says of the log", .inClearAndEncrypted)
struct LogMarkTests {
  let disk = SimulatedDisk()

  /// 185 records, the first 96 of them in the archive.
  func prepare() throws {
    let store = try StoreFixture.prepare(on: disk)
    _ = try store.compact()
    store.stop()
  }

  func empty(_ subfolder: String) throws {
    for name in try disk.list("/data/\(subfolder)") { try disk.remove("/data/\(subfolder)/\(name)") }
  }

  func copy(_ subfolder: String) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for name in try disk.list("/data/\(subfolder)") { files[name] = try disk.readFile("/data/\(subfolder)/\(name)") }
    return files
  }

  func replace(_ subfolder: String, with files: [String: [UInt8]]) throws {
    try empty(subfolder)
    for (name, bytes) in files { try disk.replaceFile("/data/\(subfolder)/\(name)", with: bytes) }
  }

  func problems() throws -> [Verification.Problem] {
    try Verification.run(DataFolder.look(at: FolderFixture.path, disk: disk, key: Encrypted.key)).problems
  }

  func expectRefusal(_ isExpected: (RecoveryError) -> Bool) throws {
    let error = #expect(throws: RecoveryError.self) { try StoreFixture(on: disk) }
    let found = try #require(error)
    #expect(isExpected(found), "\(found)")
    #expect("\(found)".contains("gatehousectl restore"), "says what to do: \(found)")
    #expect(try problems().contains { $0.file == "log" && $0.text == "\(found)" })
    #expect(throws: RecoveryError.self) {
      try Backup.copy(from: FolderFixture.path, to: BackupTests.target, disk: disk, key: Encrypted.key)
    }
    #expect(!disk.exists(BackupTests.target) && !disk.exists(BackupTests.target + ".partial"))
  }

  func isEmptied(_ error: RecoveryError) -> Bool { if case .emptied = error { true } else { false } }
  func isSetBack(_ error: RecoveryError) -> Bool { if case .setBack = error { true } else { false } }

  @Test func isWrittenAtEveryStartAndRotation() throws {
    let store = try StoreFixture(on: disk)
    #expect(store.folder.isNew && store.folder.manifest.log == LogMark())
    #expect(store.folder.logMark == LogMark(epoch: 1))
    try store.append(200)
    store.writer.tick()
    let sealed = try #require(try store.folder.sealedSegments().last?.lastLSN)
    #expect(store.folder.logMark == LogMark(epoch: 1, durableLSN: sealed))
    store.stop()
    let found = try DataFolder.look(at: FolderFixture.path, disk: disk, key: Encrypted.key)
    #expect(!found.isNew && found.manifest.log == LogMark(epoch: 1, durableLSN: 200, isClosed: true))
    #expect(try StoreFixture(on: disk).folder.logMark == LogMark(epoch: 2, durableLSN: 200))
  }

  @Test func anEmptiedFolderIsRefused() throws {
    try prepare()
    for subfolder in ["log", "snapshots", "archive"] { try empty(subfolder) }
    try expectRefusal(isEmptied)
  }

  @Test func onlyTheArchiveIsLeft() throws {
    try prepare()
    for subfolder in ["log", "snapshots"] { try empty(subfolder) }
    try expectRefusal(isEmptied)
    // The remaining records can be restored by naming the last of them.
    let report = try Restore.run(
      from: FolderFixture.path, to: BackupTests.target, until: .lsn(96), disk: disk, key: Encrypted.key,
      keys: RecordFixture.keys)
    #expect(report.lastLSN == 96)
    try BackupTests.check(disk, through: 96)
  }

  /// Only the witness is restored, and it covers less than the archive has.
  @Test func aWitnessWithoutALogIsNotEnough() throws {
    let store = try StoreFixture(on: disk)
    let early = try copy("log").filter { $0.key == "witness" }
    try store.append(60)
    for _ in 0..<2 {
      try store.append(60)
      try store.snapshot()
    }
    _ = try store.compact()
    store.stop()
    try replace("log", with: early)
    try expectRefusal(isEmptied)
  }

  @Test func anOlderLogIsRefused() throws {
    try prepare()
    let older = try copy("log")
    let store = try StoreFixture(on: disk)
    try store.append(7)
    store.stop()
    try replace("log", with: older)
    try empty("snapshots")
    try expectRefusal(isSetBack)
  }

  /// The end of the log is missing, and the witness that names it is an older one.
  @Test(arguments: [false, true])
  func aSegmentLessWithAnOlderWitnessIsRefused(isKilled: Bool) throws {
    let store = try StoreFixture(on: disk)
    try store.append(20)
    store.writer.tick()
    let witness = try copy("log").filter { $0.key == "witness" }
    try store.append(100)
    store.writer.tick()
    // After a kill there is no mark of the end, but every completed segment left one.
    if isKilled { store.folder.close() } else { store.stop() }
    var files = try copy("log")
    for name in files.keys.filter({ $0.hasSuffix(".log") }).sorted().suffix(2) { files[name] = nil }
    try replace("log", with: files.merging(witness) { _, old in old })
    try expectRefusal(isSetBack)
  }

  @Test func aLostArchiveIsReportedButDoesNotPreventStarting() throws {
    try prepare()
    try empty("archive")
    #expect(try problems().contains { $0.file == "archive" && $0.text.contains("records from 1 to 96 are gone") })
    let store = try StoreFixture(on: disk)
    #expect(store.recovered == 185)
    #expect(store.report.warnings.contains { $0.contains("the history before record 97 is gone") })
    #expect(store.folder.logMark?.firstLSN == 1, "it stays missing")
    let report = try Backup.copy(from: FolderFixture.path, to: BackupTests.target, disk: disk, key: Encrypted.key)
    #expect(report.warnings.contains("records 1 to 96 are gone from the source, and so from the copy"))
  }

  @Test func archivesDeletedByRetentionAreNotMissed() throws {
    try prepare()
    let store = try StoreFixture(on: disk)
    #expect(try !store.compact(retention: 1).expired.isEmpty)
    #expect(store.folder.logMark?.firstLSN == 97)
    #expect(try problems().isEmpty)
    store.stop()
    #expect(try StoreFixture(on: disk).report.warnings.isEmpty)
  }

  /// A folder of a version without marks is opened unchanged, and marked from then on.
  @Test func anOlderManifestIsAccepted() throws {
    try prepare()
    var manifest = try DataFolder.look(at: FolderFixture.path, disk: disk, key: Encrypted.key).manifest
    manifest.log = nil
    for name in ["manifest", "manifest.copy"] { try disk.replaceFile("/data/\(name)", with: manifest.encoded()) }
    #expect(try problems().isEmpty)
    let store = try StoreFixture(on: disk)
    #expect(store.recovered == 185 && store.report.warnings.isEmpty)
    #expect(store.folder.logMark == LogMark(epoch: 2, durableLSN: 185))
    store.stop()

    for name in ["manifest", "manifest.copy"] { try disk.replaceFile("/data/\(name)", with: manifest.encoded()) }
    for subfolder in ["log", "snapshots", "archive"] { try empty(subfolder) }
    try expectRefusal(isEmptied)
  }

  /// The mark never claims too much: whenever power fails, the folder opens.
  @Test func aCrashAnywhereLeavesAFolderThatOpens() throws {
    func story(_ disk: SimulatedDisk) throws {
      let store = try StoreFixture(on: disk)
      try store.append(40)
      store.writer.tick()
      try store.append(20)
      store.stop()
    }
    let whole = SimulatedDisk()
    try story(whole)
    for operation in 0..<whole.operations {
      for seed in 0..<3 as Range<UInt64> {
        let disk = SimulatedDisk()
        disk.powerOff(before: operation)
        _ = try? story(disk)
        disk.powerOff()
        let again = try StoreFixture(on: disk.survivor(seed: seed))
        try again.append(4)
        again.stop()
        let problems = try Verification.run(again.folder).problems
        #expect(problems.isEmpty, "operation \(operation), seed \(seed): \(problems)")
      }
    }
  }
}
