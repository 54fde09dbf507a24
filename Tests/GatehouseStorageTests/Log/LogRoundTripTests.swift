import GatehouseStorage
import Synchronization
import Testing

@Suite(.inClearAndEncrypted) struct LogRoundTripTests {
  @Test func recordsAreReadAsTheyWereAppended() async throws {
    let folder = TemporaryFolder()
    let log = TestLog(PosixDisk(), directory: folder.path)
    let highest = Mutex<UInt64>(0)
    var handlers = LogHandlers()
    handlers.onDurable = { lsn in
      highest.withLock { highest in
        #expect(lsn > highest); highest = lsn
      }
    }
    var expected: [[UInt8]] = []
    for round in 0..<3 {
      let writer = try log.open(handlers)
      for _ in 0..<500 {
        expected.append(testRecord(UInt64(expected.count)))
        #expect(try writer.append(expected.last!) == UInt64(expected.count))
        if expected.count % 50 == 0 { await writer.waitUntilDurable(UInt64(expected.count)) }
      }
      writer.close()
      #expect(writer.state == .closed)
      #expect(writer.durableLSN == UInt64(expected.count))
      #expect(throws: LogRefusal.self) { try writer.append([1]) }
      let (records, end) = try log.recover()
      #expect(records == expected)
      #expect(end.isClean && end.tornBytes == 0)
      #expect(end.epoch == UInt64(round + 1))
    }
    #expect(highest.withLock { $0 } == UInt64(expected.count))
    #expect(try LogReader(log.location).segments().count > 3)
    for first in [1, 2, 499, 500, 501, 1500, 1501] {
      #expect(try log.recover(from: UInt64(first)).records == Array(expected[(first - 1)...]))
    }
  }

  @Test func anEmptyLogIsALog() throws {
    let (_, log) = try TestLog.onSimulatedDisk()
    for epoch in 1...5 as ClosedRange<UInt64> {
      let writer = try log.openDriven()
      writer.close()
      let (records, end) = try log.recover()
      #expect(records.isEmpty && end.isClean && end.lastLSN == 0 && end.epoch == epoch)
    }
  }

  @Test func emptyAndLargeRecordsAreKept() throws {
    let (_, log) = try TestLog.onSimulatedDisk()
    let writer = try log.openDriven()
    var random = SplitMix64(seed: 1)
    let noise = (0..<70_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let expected = [[], [1], noise, [], [UInt8](repeating: 5, count: 100_000), [2]]
    for record in expected { try writer.append(record) }
    #expect(writer.turn() == .idle)
    #expect(try log.recover().records == expected)
    try writer.append([3])
    writer.close()
    #expect(try log.recover().records == expected + [[3]])
  }

  /// Syncs of pre-zeroed space are cheaper, and the first segment after a start is not zeroed.
  @Test func theFirstSegmentIsLeftForAZeroedOneWhenMuchIsWritten() throws {
    var (disk, log) = try TestLog.onSimulatedDisk()
    log.options.segmentBytes = 4 << 20
    log.options.maximumFrameBytes = 1 << 20
    log.options.fillsSegments = true
    var writer = try log.openDriven()
    var expected: [[UInt8]] = []
    /// Writes incompressible records of a kilobyte.
    func write(_ kilobytes: Int) throws {
      var random = SplitMix64(seed: UInt64(expected.count))
      for _ in 0..<kilobytes {
        expected.append((0..<1024).map { _ in UInt8.random(in: 0...255, using: &random) })
        try writer.append(expected[expected.count - 1])
      }
      #expect(writer.turn() == .idle)
      writer.tick()
    }
    try write(1000)
    try write(1)
    #expect(writer.statistics.rotations == 0)
    try write(100)
    try write(1)
    #expect(writer.statistics.rotations == 1)
    // The zeroed segment is used to its end.
    for _ in 0..<3 { try write(1000) }
    try write(900)
    #expect(writer.statistics.rotations == 1)
    try write(200)
    #expect(writer.statistics.rotations == 2)
    try write(1000)
    writer.close()
    // Records written before the start do not count.
    writer = try log.openDriven()
    try write(10)
    #expect(!disk.exists("/log/" + LogFormat.nextName))
    writer.close()
    #expect(try log.recover().records == expected)
  }

  /// Two threads that read the clock one after the other may append in the opposite order.
  @Test func timesNeverGoBack() throws {
    let (_, log) = try TestLog.onSimulatedDisk()
    let writer = try log.openDriven()
    #expect(try writer.append([1], at: 1000) == 1)
    #expect(throws: LogRefusal.early(1000)) { try writer.append([2], at: 999) }
    #expect(try writer.append([2], at: 1000) == 2)
    #expect(try writer.append([3], at: 2000) == 3)
    #expect(throws: LogRefusal.early(2000)) { try writer.append([4], at: 0) }
    writer.close()
    #expect(try log.recover().records == [[1], [2], [3]])
  }
}
