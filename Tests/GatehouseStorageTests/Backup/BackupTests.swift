import Glibc
import Testing

@testable import GatehouseStorage

@Suite("Backup", .inClearAndEncrypted)
struct BackupTests {
  static let target = "/copy"

  /// Opens a copy like a server, and checks that everything through `last` is there.
  static func check(_ disk: any Disk, through last: UInt64, from first: UInt64 = 1) throws {
    #expect(try Verification.run(try DataFolder.look(at: target, disk: disk, key: Encrypted.key)).problems.isEmpty)
    let store = try StoreFixture(on: disk, at: target)
    #expect(store.recovered == last)
    // If the copied snapshots are older than the log, the server warns that recovery takes longer.
    #expect(store.report.warnings.allSatisfy { $0.contains("replayed from the archive") })
    #expect(try StoreFixture.hasWholeHistory(store.folder, from: first, through: last))
    try store.append(9)
    store.stop()
    let again = try StoreFixture(on: disk, at: target)
    #expect(again.recovered == last + 9)
    again.stop()
  }

  /// Neither a copy is there nor a part of one.
  static func expectNothing(on disk: any Disk, _ comment: Comment? = nil) {
    #expect(!disk.exists(target) && !disk.exists(target + ".partial"), comment)
  }

  /// Makes a copy again and again, each time with another call of the disk that fails, until none is left.
  static func failEachCall(of copy: (StoreFixture, FaultyDisk) throws -> CopyReport) throws {
    var call = 0
    while true {
      let disk = FaultyDisk(SimulatedDisk())
      let store = try StoreFixture.prepare(on: disk, records: 12)
      disk.arm(.init(call: call, fault: .error(call & 1 == 0 ? EIO : ENOSPC)))
      let report = try? copy(store, disk)
      let isOver = disk.failures == 0
      disk.arm(nil)
      if report != nil { try check(disk, through: 41) } else { expectNothing(on: disk, "call \(call)") }
      #expect(try Verification.run(store.folder).problems.isEmpty)
      if isOver { break }
      call += 3
    }
    #expect(call > 50)
  }

  @Test(arguments: [false, true])
  func copiesAFolderInUse(compacted: Bool) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    if compacted { _ = try store.compact() }
    let report = try Backup.copy(from: store.folder.path, to: Self.target, disk: disk, key: Encrypted.key)
    #expect(report == CopyReport(path: Self.target, snapshot: 179, firstLSN: 1, lastLSN: 185))
    let copied = try DataFolder.look(at: Self.target, disk: disk, key: Encrypted.key).manifest
    #expect(copied.isOfSameFolder(as: store.folder.manifest))
    #expect(copied.log == LogMark(epoch: 1, durableLSN: 185))
    try store.append(20)
    try Self.check(disk, through: 185)
    store.stop()
    #expect(try StoreFixture(on: disk).recovered == 205)
  }

  @Test func copiesOntoTheRealDisk() throws {
    let temporary = TemporaryFolder()
    let store = try StoreFixture(on: PosixDisk(), at: temporary.path + "/data")
    try store.append(50)
    try store.snapshot()
    try PosixDisk().createDirectory(temporary.path + "/backup")
    let report = try Backup.copy(from: temporary.path + "/data/", to: temporary.path + "/backup/", key: Encrypted.key)
    #expect(report.lastLSN == 50)
    let copy = try StoreFixture(on: PosixDisk(), at: temporary.path + "/backup")
    #expect(copy.recovered == 50)
  }

  @Test func aTargetInsideTheFolderIsDetectedUnderAnyName() throws {
    let temporary = TemporaryFolder()
    let data = temporary.path + "/data"
    try StoreFixture(on: PosixDisk(), at: data).stop()
    #expect(symlink(data, temporary.path + "/link") == 0)
    for target in ["/data/copy", "/data/../data/copy", "/./data/log/copy", "/link/copy", "/link", "/data"] {
      #expect(throws: CopyError.self) { try Backup.copy(from: data, to: temporary.path + target, key: Encrypted.key) }
      #expect(throws: CopyError.self) {
        try Backup.copy(from: temporary.path + "/link", to: temporary.path + target, key: Encrypted.key)
      }
    }
    #expect(throws: CopyError.inside(path: temporary.path + "/link/copy", source: data)) {
      try Backup.copy(from: data, to: temporary.path + "/link/copy", key: Encrypted.key)
    }
    _ = try Backup.copy(from: data, to: temporary.path + "/data-copy", key: Encrypted.key)
  }

  @Test func copiesAnEmptyFolder() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture(on: disk)
    #expect(try Backup.copy(from: store.folder.path, to: Self.target, disk: disk, key: Encrypted.key).lastLSN == 0)
    try Self.check(disk, through: 0)
  }

  /// Frames have four records, and only whole ones are copied.
  @Test(arguments: [(185, 185), (184, 184), (183, 180), (178, 176), (124, 124), (70, 68)] as [(UInt64, UInt64)])
  func copiesThroughARecord(lsn: UInt64, last: UInt64) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    #expect(
      try Backup.copy(from: store.folder.path, to: Self.target, through: lsn, disk: disk, key: Encrypted.key).lastLSN
        == last)
    try Self.check(disk, through: last)
  }

  @Test func overwritesNothing() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk, records: 20)
    try disk.createDirectory("/full")
    try FolderFixture.write("text", to: "/full/notes", on: disk)
    #expect(throws: CopyError.notEmpty(path: "/full")) {
      try Backup.copy(from: store.folder.path, to: "/full", disk: disk, key: Encrypted.key)
    }
    #expect(throws: CopyError.inside(path: "/data/copy", source: "/data")) {
      try Backup.copy(from: store.folder.path, to: "/data/copy", disk: disk, key: Encrypted.key)
    }
    try disk.createDirectory("/copy.partial")
    #expect(throws: CopyError.unfinished(path: "/copy.partial")) {
      try Backup.copy(from: store.folder.path, to: Self.target, disk: disk, key: Encrypted.key)
    }
  }

  /// While it is copied, the folder takes a snapshot and compacts, at each step of one kind.
  @Test(arguments: [CopyProgress.Part.snapshots, .log, .archive])
  func theSourceMayChangeMeanwhile(part: CopyProgress.Part) throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    if part == .archive { _ = try store.compact() }
    var steps = 0
    let report = try Backup.copy(from: store.folder.path, to: Self.target, disk: disk, key: Encrypted.key) { progress in
      guard progress.part == part, steps < 3 else { return }
      steps += 1
      try store.append(40)
      try store.snapshot()
      _ = try store.compact()
    }
    #expect(steps > 0)
    #expect(report.lastLSN >= 185)
    try Self.check(disk, through: report.lastLSN)
  }

  @Test func aDamagedSourceIsNamed() throws {
    let disk = SimulatedDisk()
    let store = try StoreFixture.prepare(on: disk)
    let segment = try store.folder.sealedSegments()[1]
    try FolderFixture.edit(store.folder.logLocation.path(segment.name), on: disk) { $0[4100] ^= 1 }
    do {
      _ = try Backup.copy(from: store.folder.path, to: Self.target, disk: disk, key: Encrypted.key)
      Issue.record("copied")
    } catch CopyError.damaged(let reason, let snapshot) {
      #expect(reason.contains(segment.name) && snapshot == 179)
    }
    Self.expectNothing(on: disk)
  }

  /// The copy gets its name only once it is complete and durable.
  @Test func isCompleteOrMissingAfterACrash() throws {
    func prepared() throws -> (SimulatedDisk, StoreFixture) {
      let disk = SimulatedDisk()
      let store = try StoreFixture.prepare(on: disk, records: 12)
      return (disk, store)
    }
    let (whole, wholeStore) = try prepared()
    let first = whole.operations
    _ = try Backup.copy(from: wholeStore.folder.path, to: Self.target, disk: whole, key: Encrypted.key)
    for operation in first...whole.operations {
      let (disk, store) = try prepared()
      disk.powerOff(before: operation)
      let report = try? Backup.copy(from: store.folder.path, to: Self.target, disk: disk, key: Encrypted.key)
      disk.powerOff()
      let survivor = disk.survivor(seed: UInt64(operation))
      if report != nil { #expect(survivor.exists(Self.target)) }
      if survivor.exists(Self.target) { try Self.check(survivor, through: 41) }
      #expect(try StoreFixture(on: survivor).recovered == 41)
    }
  }

  @Test func aFailingCallLeavesNothingBehind() throws {
    try Self.failEachCall { store, disk in
      try Backup.copy(from: store.folder.path, to: Self.target, disk: disk, key: Encrypted.key)
    }
  }
}
