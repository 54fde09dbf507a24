import GatehouseStorage
import Glibc
import Testing

/// Who writes: the thread that appended, if there are few records, or the writer's thread.
@Suite(.inClearAndEncrypted) struct LogCommitTests {
  private static func log(inline: Int) throws -> (SimulatedDisk, TestLog) {
    var (disk, log) = try TestLog.onSimulatedDisk()
    log.options.inlineRecords = inline
    return (disk, log)
  }

  private static func append(_ count: UInt64, to writer: LogWriter) throws {
    for _ in 0..<count {
      let record = testRecord(writer.appendedLSN + 1)
      _ = try record.withUnsafeBytes { bytes throws(LogRefusal) in try writer.append(bytes, at: 0, wake: false) }
    }
  }

  @Test func aCommitOfFewRecordsIsDurableWhenItReturns() throws {
    let (disk, log) = try Self.log(inline: 4)
    let writer = try log.openDriven()
    try Self.append(4, to: writer)
    writer.commit(after: 1)
    #expect(writer.durableLSN == 4 && writer.syncedLSN == 4 && writer.statistics.frames == 1)
    disk.powerOff()
    #expect(try log.on(disk.survivor(seed: 1)).recover().records == (1...4).map { testRecord($0) })
  }

  @Test func aCommitLeavesManyRecordsRotationsAndIntervalsToTheWriter() throws {
    var (_, log) = try Self.log(inline: 4)
    let writer = try log.openDriven()
    try Self.append(5, to: writer)
    writer.commit(after: 1)
    #expect(writer.durableLSN == 0)
    #expect(writer.turn() == .idle && writer.durableLSN == 5)
    try Self.append(1, to: writer)
    writer.rotate()
    writer.commit(after: 1)
    #expect(writer.durableLSN == 5 && writer.statistics.rotations == 0)
    writer.close()

    log.options.durability = .interval(milliseconds: 10)
    let lazy = try log.openDriven()
    try Self.append(1, to: lazy)
    lazy.commit(after: 1)
    #expect(lazy.durableLSN == 6 && lazy.appendedLSN == 7, "nobody would sync it in time")
    lazy.close()
  }

  @Test func aCommitAmongManyReadsIsLeftToTheWriter() throws {
    let (_, log) = try Self.log(inline: 4)
    let writer = try log.openDriven()
    try Self.append(2, to: writer)
    writer.commit(after: 6)
    #expect(writer.durableLSN == 0)
    writer.commit(after: 5)
    #expect(writer.durableLSN == 2)
    writer.close()
  }

  /// Commits by the appending thread and by the writer's thread alternate and keep the order.
  @Test(arguments: [0, 8])
  func commitsOfBothKindsKeepTheOrder(inline: Int) async throws {
    let folder = TemporaryFolder()
    var log = TestLog(PosixDisk(), directory: folder.path)
    log.options.inlineRecords = inline
    let writer = try log.open()
    for round in 0..<300 as Range<UInt64> {
      try Self.append(round % 13 + 1, to: writer)
      writer.commit(after: 1)
      if round % 50 == 49 { await writer.waitUntilDurable(writer.appendedLSN) }
    }
    let last = writer.appendedLSN
    await writer.waitUntilDurable(last)
    writer.close()
    let (records, end) = try log.recover()
    #expect(records == (1...last).map { testRecord($0) } && end.isClean)
  }

  @Test func aFailedCommitStopsTheLogAndAcknowledgesNothing() async throws {
    let (disk, log) = try Self.log(inline: 4)
    let faulty = FaultyDisk(disk)
    let writer = try log.on(faulty).open()
    faulty.arm(.init(call: 0, fault: .error(EIO), kinds: ["fdatasync"], suffix: LogFormat.segmentName(1)))
    try Self.append(1, to: writer)
    writer.commit(after: 1)
    // If the writer's thread has not fallen asleep yet, the commit is left to it.
    for _ in 0..<500 where writer.state == .open { try await Task.sleep(for: .milliseconds(10)) }
    guard case .failed = writer.state else {
      Issue.record("the log is \(writer.state)")
      return
    }
    #expect(writer.durableLSN == 0)
    writer.close()
  }

  /// A commit that found no space is retried by the writer's thread.
  @Test func aCommitWithoutSpaceIsRetried() async throws {
    let (disk, log) = try Self.log(inline: 4)
    let faulty = FaultyDisk(disk)
    let writer = try log.on(faulty).open()
    // Let the writer's thread fall asleep; nothing else would wake it.
    try await Task.sleep(for: .milliseconds(100))
    faulty.arm(
      .init(call: 0, fault: .error(ENOSPC), forGood: true, kinds: ["pwrite"], suffix: LogFormat.segmentName(1)))
    try Self.append(2, to: writer)
    writer.commit(after: 1)
    #expect(writer.durableLSN == 0 && writer.state == .full)
    faulty.arm(nil)
    await writer.waitUntilDurable(2)
    #expect(writer.durableLSN == 2)
    writer.close()
    #expect(try log.recover().records.count == 2)
  }

  @Test func aCloseAfterCommitsEndsTheLogOnce() throws {
    let (_, log) = try Self.log(inline: 4)
    let writer = try log.open()
    try Self.append(3, to: writer)
    writer.commit(after: 1)
    writer.close()
    writer.commit(after: 1)
    let (records, end) = try log.recover()
    #expect(records.count == 3 && end.isClean)
  }
}
