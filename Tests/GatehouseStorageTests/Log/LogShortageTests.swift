import GatehouseStorage
import Glibc
import Testing

/// A log without space is full, whichever call found out, and accepts records again once a write has succeeded.
@Suite(.inClearAndEncrypted) struct LogShortageTests {
  /// The calls that the log makes while writing, rotating and housekeeping.
  static let calls = [
    "open", "pwrite", "fdatasync", "posix_fallocate", "rename", "fsync", "remove", "ftruncate", "statvfs",
  ]

  /// Every call of each kind fails once, and several times in a row. A quota is to the log what a full disk is
  /// (`DiskTrouble`).
  @Test(arguments: calls, [ENOSPC, EMFILE])
  func noCallWithoutSpaceEndsTheLog(kind: String, code: Int32) throws {
    for failures in [1, 3] {
      let records: UInt64 = 120
      var call = 0
      while true {
        let (disk, log) = try TestLog.onSimulatedDisk()
        let faulty = FaultyDisk(disk)
        let writer = try log.on(faulty).openDriven()
        writer.tick()
        var expected: [[UInt8]] = []
        faulty.arm(.init(call: call, fault: .error(code), times: failures, kinds: [kind]))
        for number in 0..<records {
          if try writer.takes(testRecord(number)) { expected.append(testRecord(number)) }
          _ = writer.turn()
          writer.tick()
        }
        let failed = faulty.failures
        faulty.arm(nil)
        // A repeated shortage outlasts this test: accepted records are still written.
        while writer.turn() == .stalled {}
        let what = "call \(call) of \(kind) failed \(failed) times with \(code)"
        #expect(writer.state == .open || writer.state == .full, "\(what): \(writer.state)")
        #expect(writer.durableLSN == UInt64(expected.count), "\(what)")
        if failures == 1 { #expect(expected.count > 100, "\(what)") }
        disk.powerOff()
        let survivor = log.on(disk.survivor(seed: UInt64(call)))
        #expect(try survivor.recover().records == expected, "\(what)")
        if failed < failures { break }
        // There are many writes and syncs, all alike.
        call += call < 12 ? 1 : 7
      }
    }
  }

  /// XFS needs space to rename: the reserve is given up, and the next segment created in its place.
  @Test func aRenameWithoutSpaceGivesUpTheReserve() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let writer = try log.on(faulty).openDriven()
    writer.tick()
    try writer.append([1])
    #expect(writer.turn() == .idle)
    faulty.arm(.init(call: 0, fault: .error(ENOSPC), kinds: ["rename"]))
    writer.rotate()
    #expect(writer.turn() == .idle)
    #expect(writer.statistics.rotations == 1 && writer.state == .full)
    #expect(writer.shortage?.call == "rename")
    #expect(!disk.exists("/log/" + LogFormat.reserveName))
    #expect(throws: LogRefusal.full) { try writer.append([2]) }
    writer.tick()
    #expect(writer.state == .open && writer.shortage == nil)
    try writer.append([2])
    writer.close()
    #expect(try log.recover().records == [[1], [2]])
  }

  /// The rename succeeded but its sync found no space: the spare gets its old name back, because repeating the sync
  /// would prove nothing.
  @Test func aDirectorySyncWithoutSpaceIsNotRetried() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let writer = try log.on(faulty).openDriven()
    writer.tick()
    try writer.append([1])
    #expect(writer.turn() == .idle)
    faulty.arm(.init(call: 0, fault: .error(ENOSPC), times: 2, kinds: ["fsync"]))
    writer.rotate()
    #expect(writer.turn() == .stalled)
    #expect(!disk.exists("/log/" + LogFormat.segmentName(2)))
    writer.rotate()
    #expect(writer.turn() == .idle && writer.statistics.rotations == 1)
    writer.tick()
    try writer.append([2])
    #expect(writer.turn() == .idle)
    disk.powerOff()
    #expect(try log.on(disk.survivor(seed: 1)).recover().records == [[1], [2]])
  }

  /// A sync without space may have dropped the frames: they are written again, not only synced.
  @Test func aSyncWithoutSpaceWritesAgain() throws {
    for seed in 0..<8 as Range<UInt64> {
      let (disk, log) = try TestLog.onSimulatedDisk()
      let writer = try log.on(disk).openDriven()
      writer.tick()
      disk.failNextSync(code: ENOSPC)
      try writer.append([1])
      #expect(writer.turn() == .stalled)
      #expect(writer.durableLSN == 0 && writer.state == .full)
      #expect(writer.turn() == .idle && writer.durableLSN == 1)
      writer.tick()
      #expect(writer.state == .open)
      disk.powerOff()
      #expect(try log.on(disk.survivor(seed: seed)).recover().records == [[1]])
    }
  }

  /// The file system reports free space, but no write finds any: the log stays full.
  @Test func reportedFreeSpaceDoesNotOpenTheLog() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let states = Recorder<LogState>()
    var handlers = LogHandlers()
    handlers.onStateChange = { states.record($0) }
    let writer = try log.on(faulty).openDriven(handlers)
    writer.tick()
    faulty.arm(.init(call: 0, fault: .error(EDQUOT), forGood: true, kinds: ["pwrite"]))
    try writer.append([1])
    for _ in 0..<20 {
      #expect(writer.turn() == .stalled)
      writer.tick()
      #expect(throws: LogRefusal.full) { try writer.append([2]) }
    }
    #expect(states.all == [.full] && writer.durableLSN == 0)
    faulty.arm(nil)
    // Space alone is not enough while the writer still holds unwritten records.
    writer.tick()
    #expect(writer.state == .full)
    #expect(writer.turn() == .idle && writer.durableLSN == 1)
    writer.tick()
    #expect(writer.state == .open && states.all == [.full, .open])
    writer.close()
    #expect(try log.recover().records == [[1]])
  }

  /// Space that comes and goes: each write first fails, and then succeeds.
  @Test func theStateDoesNotFlap() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let states = Recorder<LogState>()
    var handlers = LogHandlers()
    handlers.onStateChange = { states.record($0) }
    let writer = try log.on(faulty).openDriven(handlers)
    writer.tick()
    var accepted: [[UInt8]] = []
    for number in 0..<100 as Range<UInt64> {
      faulty.arm(.init(call: 0, fault: .error(ENOSPC), kinds: ["pwrite"]))
      if try writer.takes(testRecord(number)) { accepted.append(testRecord(number)) }
      #expect(writer.turn() == .idle)
      faulty.arm(nil)
      writer.tick()
    }
    #expect(states.all == [.full, .open, .full], "then it waits a second and more")
    #expect(accepted.count == 2 && writer.durableLSN == 2)
  }

  /// If the disk is full at the end, accepted records are durable, and only the clean end is missing.
  @Test func aStopOnAFullDiskLosesNothing() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let writer = try log.on(faulty).openDriven()
    try writer.append([1])
    #expect(writer.turn() == .idle)
    faulty.arm(.init(call: 0, fault: .error(ENOSPC), forGood: true))
    writer.close()
    #expect(writer.state == .closed)
    let (records, end) = try log.recover()
    #expect(records == [[1]] && !end.isClean)
  }

  /// A start that needs a new segment uses the reserve left by an earlier run.
  @Test func aStartOnAFullDiskTakesTheReserve() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let writer = try log.openDriven()
    writer.tick()
    var expected: [[UInt8]] = []
    while writer.statistics.currentSegmentBytes < log.options.segmentBytes {
      expected.append([UInt8](repeating: 1, count: 100))
      try writer.append(expected.last!)
      #expect(writer.turn() == .idle)
    }
    disk.setCapacity(disk.usedBytes)
    let again = try log.on(disk.afterKill(capacity: disk.usedBytes)).openDriven()
    #expect(again.statistics.currentSegment == UInt64(expected.count) + 1)
    try again.append([2])
    #expect(again.turn() == .idle)
    again.tick()
    #expect(again.state == .full)
  }
}

extension LogWriter {
  /// Whether the log accepts a record.
  fileprivate func takes(_ record: [UInt8]) throws -> Bool {
    do throws(LogRefusal) {
      try append(record)
      return true
    } catch {
      guard error == .full else { throw error }
      return false
    }
  }
}
