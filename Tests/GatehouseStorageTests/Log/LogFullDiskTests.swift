import GatehouseStorage
import Glibc
import Synchronization
import Testing

/// Records what the handlers of a log received.
final class Recorder<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])

  var all: [Value] { values.withLock { $0 } }

  func record(_ value: Value) { values.withLock { $0.append(value) } }
}

@Suite(.inClearAndEncrypted) struct LogFullDiskTests {
  /// Records accepted before the disk was full are still written, into the reserve; then records are refused until
  /// there is space.
  @Test func aFullDiskRefusesUntilThereIsSpace() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let states = Recorder<LogState>()
    var handlers = LogHandlers()
    handlers.onStateChange = { states.record($0) }
    let writer = try log.openDriven(handlers)
    // Space for the first segment, the reserve and one more.
    disk.setCapacity(3 * Int(log.options.segmentBytes) + 9000)
    writer.tick()
    var expected: [[UInt8]] = []
    let refusal = #expect(throws: LogRefusal.self) {
      while true {
        for _ in 0..<10 {
          let record = testRecord(UInt64(expected.count))
          try writer.append(record)
          expected.append(record)
        }
        #expect(writer.turn() == .idle)
        writer.tick()
      }
    }
    #expect(refusal == .full && writer.state == .full && states.all == [.full])
    #expect(writer.turn() == .idle)
    #expect(writer.durableLSN == UInt64(expected.count))
    writer.tick()
    #expect(writer.state == .full)
    #expect(try log.on(disk.afterKill()).recover().records == expected)

    disk.setCapacity(.max)
    writer.tick()
    #expect(writer.state == .open && states.all == [.full, .open])
    try writer.append([1])
    #expect(writer.turn() == .idle)
    writer.close()
    #expect(try log.recover().records == expected + [[1]])
  }

  /// A disk that promises space but does not have it: the frame that found out is written into the reserve's space.
  @Test func aWriteWithoutSpaceTakesTheReserve() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let writer = try log.on(faulty).openDriven()
    writer.tick()
    #expect(disk.exists("/log/" + LogFormat.reserveName))
    faulty.arm(.init(call: 0, fault: .error(ENOSPC), kinds: ["pwrite"]))
    try writer.append([1])
    #expect(writer.turn() == .idle)
    #expect(writer.durableLSN == 1 && writer.state == .full)
    #expect(!disk.exists("/log/" + LogFormat.reserveName))
    #expect(throws: LogRefusal.full) { try writer.append([2]) }
    writer.tick()
    #expect(writer.state == .open)
    try writer.append([2])
    writer.close()
    #expect(try log.recover().records == [[1], [2]])
  }

  /// Without a reserve the frame waits, unacknowledged, until there is space.
  @Test func aWriteWithoutAnySpaceWaits() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let writer = try log.on(faulty).openDriven()
    faulty.arm(.init(call: 0, fault: .error(ENOSPC), forGood: true, kinds: ["pwrite"]))
    try writer.append([1])
    #expect(writer.turn() == .stalled)
    #expect(writer.turn() == .stalled)
    #expect(writer.durableLSN == 0 && writer.state == .full)
    faulty.arm(nil)
    #expect(writer.turn() == .idle)
    #expect(writer.durableLSN == 1)
    writer.tick()
    #expect(writer.state == .open)
    faulty.arm(.init(call: 0, fault: .error(ENOSPC), forGood: true, kinds: ["pwrite"]))
    try writer.append([2])
    writer.close()
    #expect(writer.durableLSN == 1)
    #expect(writer.state == .failed("pwrite of /log/\(LogFormat.segmentName(1)): No space left on device"))
    #expect(try log.recover().records == [[1]])
  }

  /// A file system may have no space even for overwriting; the segment created in advance is still there then.
  @Test func aSegmentsHeaderWithoutSpaceTakesTheReserve() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let writer = try log.on(faulty).openDriven()
    writer.tick()
    var expected: [[UInt8]] = []
    while !disk.exists("/log/" + LogFormat.nextName) {
      expected.append(testRecord(UInt64(expected.count)))
      try writer.append(expected.last!)
      #expect(writer.turn() == .idle)
      writer.tick()
    }
    writer.rotate()
    faulty.arm(.init(call: 0, fault: .error(ENOSPC), kinds: ["pwrite"]))
    #expect(writer.turn() == .idle)
    #expect(writer.statistics.rotations == 1 && writer.state == .full)
    #expect(!disk.exists("/log/" + LogFormat.reserveName))
    writer.tick()
    #expect(writer.state == .open)

    // Without a reserve it is retried until there is space.
    try writer.append([1])
    faulty.arm(.init(call: 0, fault: .error(ENOSPC), forGood: true, kinds: ["pwrite"]))
    #expect(writer.turn() == .stalled)
    #expect(writer.turn() == .stalled)
    faulty.arm(nil)
    #expect(writer.turn() == .idle)
    writer.close()
    #expect(try log.recover().records == expected + [[1]])
  }

  /// The witness can wait: a later one covers more.
  @Test func aWitnessWithoutSpaceIsWrittenLater() throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let writer = try log.on(faulty).openDriven()
    writer.tick()
    try writer.append([1])
    #expect(writer.turn() == .idle)
    let witness = { try WitnessFile.read(log.location)?.durableLSN }
    faulty.arm(.init(call: 0, fault: .error(ENOSPC), forGood: true, kinds: ["pwrite"]))
    writer.tick()
    #expect(try witness() == 0 && writer.state == .open)
    faulty.arm(nil)
    writer.tick()
    #expect(try witness() == 1 && writer.state == .open)
    writer.close()
    #expect(try log.recover().records == [[1]])
  }

  @Test func tooMuchAtOnceIsRefusedAsBusy() throws {
    var (_, log) = try TestLog.onSimulatedDisk()
    log.options.maximumPendingBytes = 1000
    let writer = try log.openDriven()
    let refusal = #expect(throws: LogRefusal.self) {
      while true { try writer.append([UInt8](repeating: 1, count: 100)) }
    }
    #expect(refusal == .busy && writer.statistics.pendingBytes >= 1000)
    #expect(writer.turn() == .idle)
    try writer.append([1])
    #expect(throws: LogRefusal.tooLarge) {
      try writer.append([UInt8](repeating: 1, count: LogFormat.maximumRecord + 1))
    }
  }
}
