import GatehouseStorage
import Glibc
import Testing

/// The n-th system call fails, for every n, once and always.
@Suite(.inClearAndEncrypted) struct LogFaultTests {
  static let faults: [(FaultyDisk.Fault, Bool)] = [
    (.error(EIO), false), (.error(EIO), true), (.error(ENOSPC), false), (.error(ENOSPC), true), (.error(EINTR), false),
    (.short, false), (.short, true),
  ]

  @Test(arguments: faults, 0..<3 as Range<UInt64>)
  func nothingAcknowledgedIsLostWhicheverCallFails(fault: (FaultyDisk.Fault, Bool), seed: UInt64) throws {
    #expect(try Self.failEverywhere(fault.0, forGood: fault.1, seed: seed) { _ in } == [])
  }

  /// The same if the appending thread writes.
  @Test(arguments: faults)
  func nothingAcknowledgedIsLostIfTheAppendingThreadWrites(fault: (FaultyDisk.Fault, Bool)) throws {
    #expect(try Self.failEverywhere(fault.0, forGood: fault.1, seed: 7) { $0.options.inlineRecords = 20 } == [])
  }

  @Test func anIgnoredErrorIsDetected() throws {
    for seed in 0..<20 as Range<UInt64> {
      let violations = try Self.failEverywhere(.error(EIO), forGood: false, seed: seed) {
        $0.options.sabotage = .ignoreWriteErrors
      }
      if !violations.isEmpty { return }
    }
    Issue.record("nothing was found")
  }

  /// Runs a script once for each of its calls, which then fails, and afterwards cuts the power.
  static func failEverywhere(
    _ fault: FaultyDisk.Fault, forGood: Bool, seed: UInt64, _ configure: (inout TestLog) -> Void
  ) throws -> [String] {
    var violations: [String] = []
    var call = 0
    while true {
      var (disk, log) = try TestLog.onSimulatedDisk()
      configure(&log)
      let faulty = FaultyDisk(disk, .init(call: call, fault: fault, forGood: forGood))
      var history = LogHistory()
      LogScript(seed: seed, steps: 10).run(log.on(faulty), &history, "call \(call) failed")
      let isDone = faulty.failures == 0 && faulty.calls <= call
      disk.powerOff()
      let survivorSeed = UInt64(call) &* 17 &+ seed
      let found = disk.survivor(seed: survivorSeed)
      LogScript(seed: seed + 1, steps: 4, closes: true)
        .run(log.on(found), &history, "call \(call) failed, seed \(survivorSeed)")
      _ = history.recover(log.on(found), "call \(call) failed, once more")
      violations += history.violations
      if isDone {
        #expect(call > 40)
        return violations
      }
      call += 1
    }
  }

  /// A compaction may be faster than the keeper, which then has nothing to trim.
  @Test func aRemovedSegmentIsNotTrimmed() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let sealed = Recorder<SegmentInfo>()
    var handlers = LogHandlers()
    handlers.onSealed = { sealed.record($0) }
    let writer = try log.openDriven(handlers)
    for _ in 0..<2 {
      let first = try writer.append([1])
      writer.rotate()
      #expect(writer.turn() == .idle)
      try disk.remove(log.location.path(LogFormat.segmentName(first)))
    }
    writer.tick()
    #expect(writer.state == .open && sealed.all.map(\.firstLSN) == [1, 2])
    try writer.append([2])
    #expect(writer.turn() == .idle && writer.durableLSN == 3)
  }

  /// Interruptions and short writes are normal: the log does not fail because of them.
  @Test(arguments: [FaultyDisk.Fault.error(EINTR), .short])
  func interruptionsDoNotStopTheLog(fault: FaultyDisk.Fault) throws {
    for call in 0..<60 {
      let (disk, log) = try TestLog.onSimulatedDisk()
      let kinds: Set = ["open", "pread", "pwrite", "posix_fallocate"]
      let faulty = FaultyDisk(disk, .init(call: call, fault: fault, forGood: fault == .short, kinds: kinds))
      let writer = try log.on(faulty).openDriven()
      for number in 1...20 as ClosedRange<UInt64> {
        try writer.append(testRecord(number))
        #expect(writer.turn() == .idle)
        writer.tick()
      }
      writer.rotate()
      #expect(writer.turn() == .idle)
      writer.close()
      #expect(writer.state == .closed)
      #expect(try log.recover().records == (1...20).map { testRecord($0) })
    }
  }

  /// After a failed sync the disk may lack data that reads still show (fsyncgate). The writer must not retry the sync,
  /// and a restart must not trust the page cache.
  @Test(arguments: [LogSabotage(), .retrySync])
  func aFailedSyncIsNotRetried(bug: LogSabotage) throws {
    var isFound = false
    for sync in 0..<8 {
      var (disk, log) = try TestLog.onSimulatedDisk()
      log.options.sabotage = bug
      disk.failSync(sync)
      var history = LogHistory()
      LogScript(seed: 3, closes: false).run(log, &history)
      let restarted = disk.afterKill()
      LogScript(seed: 4, closes: false).run(log.on(restarted), &history, "sync \(sync) failed, restart")
      restarted.powerOff()
      _ = history.recover(log.on(restarted.survivor(seed: UInt64(sync))), "sync \(sync) failed, power lost")
      if bug.isEmpty { #expect(history.violations == []) }
      isFound = isFound || !history.violations.isEmpty
    }
    #expect(isFound == !bug.isEmpty)
  }

  @Test func afterAFailureNothingIsAcceptedOrAcknowledged() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    var handlers = LogHandlers()
    let states = Recorder<LogState>()
    handlers.onStateChange = { states.record($0) }
    let writer = try log.on(faulty).openDriven(handlers)
    try writer.append([1])
    #expect(writer.turn() == .idle)
    faulty.arm(.init(call: 0, fault: .error(EIO), kinds: ["fdatasync"]))
    try writer.append([2])
    #expect(writer.turn() == .ended)
    let reason = "fdatasync of /log/\(LogFormat.segmentName(1)): Input/output error"
    #expect(writer.state == .failed(reason) && states.all == [.failed(reason)])
    #expect(throws: LogRefusal.failed(reason)) { try writer.append([3]) }
    #expect(writer.turn() == .ended)
    #expect(writer.durableLSN == 1)
    writer.close()
    #expect(writer.state == .failed(reason))
  }
}
