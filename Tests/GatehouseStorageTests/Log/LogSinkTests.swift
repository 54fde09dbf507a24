import GatehouseStorage
import Glibc
import Synchronization
import Testing

/// A sink in memory that stands for a log on another machine.
private final class MemorySink: LogSink, Sendable {
  private struct State {
    var frames: [[UInt8]] = []
    var appended: UInt64 = 0
    var synced: UInt64 = 0
    var rotations = 0
    var isClosed = false
    var fault: LogFault?
    var shortage: DiskError?
  }

  private let state: Mutex<State>
  /// Called at each sync, before it counts.
  let onSync: @Sendable () -> Void

  init(after lsn: UInt64 = 0, onSync: @escaping @Sendable () -> Void = {}) {
    state = Mutex(State(appended: lsn, synced: lsn))
    self.onSync = onSync
  }

  var appended: UInt64 { state.withLock { $0.appended } }
  var synced: UInt64 { state.withLock { $0.synced } }
  var frames: [[UInt8]] { state.withLock { $0.frames } }
  var rotations: Int { state.withLock { $0.rotations } }
  var isClosed: Bool { state.withLock { $0.isClosed } }

  var shortage: DiskError? { state.withLock { $0.shortage } }

  /// Wants nothing new from now on, or does again.
  func holdBack(_ error: DiskError?) { state.withLock { $0.shortage = error } }

  /// Makes every sync fail from now on.
  func fail(_ fault: LogFault) { state.withLock { $0.fault = fault } }

  func write(_ frame: SealedFrame) throws(LogFault) {
    state.withLock { state in
      #expect(frame.header.firstLSN == state.appended + 1)
      #expect(frame.bytes.count == frame.header.frameLength)
      state.frames.append([UInt8](copying: frame.bytes))
      state.appended += UInt64(frame.header.recordCount)
    }
  }

  func sync() throws(LogFault) {
    onSync()
    try state.withLock { state throws(LogFault) in
      if let fault = state.fault { throw fault }
      state.synced = state.appended
    }
  }

  func rotate() throws(LogFault) { state.withLock { $0.rotations += 1 } }
  func close() throws(DiskError) { state.withLock { $0.isClosed = true } }
}

/// A log that is durable only in two places.
@Suite(.inClearAndEncrypted) struct LogSinkTests {
  private static func open(_ log: TestLog, beside sink: MemorySink) throws -> LogWriter {
    let end = try log.recover().end
    return try LogWriter(log.location, continuing: end, options: log.options, beside: [sink], isDriven: true)
  }

  /// The frames of the folder's log, as stored.
  private static func frames(_ log: TestLog, through last: UInt64) throws -> [[UInt8]] {
    var frames: [[UInt8]] = []
    try LogReader(log.location).frames(from: 1, through: last) { frame in
      frames.append([UInt8](copying: frame.bytes))
      return true
    }
    return frames
  }

  @Test func aRecordIsDurableOnceAllSinksHaveIt() throws {
    let (_, log) = try TestLog.onSimulatedDisk()
    let durable = Mutex<(at: UInt64, writer: LogWriter?)>((.max, nil))
    let sink = MemorySink { durable.withLock { $0.at = $0.writer?.durableLSN ?? .max } }
    let writer = try Self.open(log, beside: sink)
    durable.withLock { $0.writer = writer }
    for _ in 1...3 { try writer.append(testRecord(writer.appendedLSN + 1)) }
    #expect(writer.turn() == .idle)
    let seen = durable.withLock { $0.at }
    #expect(seen == 0, "nothing is durable while the second sink syncs")
    #expect(writer.durableLSN == 3 && sink.synced == 3)
    writer.rotate()
    #expect(writer.turn() == .idle && sink.rotations == 1)
    try writer.append(testRecord(4))
    #expect(writer.turn() == .idle)
    let (kept, sent) = (try Self.frames(log, through: 4), sink.frames)
    #expect(kept == sent && kept.count == 2)
    writer.close()
    #expect(sink.isClosed && sink.frames.count == 3, "the clean end belongs to the chain")
    durable.withLock { $0.writer = nil }
  }

  @Test func aFailedSinkStopsTheLog() throws {
    let (_, log) = try TestLog.onSimulatedDisk()
    let sink = MemorySink()
    let writer = try Self.open(log, beside: sink)
    try writer.append([1])
    #expect(writer.turn() == .idle)
    let error = DiskError(call: "put", path: "etcd", code: EPIPE)
    sink.fail(.broken(error))
    try writer.append([2])
    #expect(writer.turn() == .ended)
    #expect(writer.durableLSN == 1 && writer.state == .failed(error.description))
    #expect(throws: LogRefusal.failed(error.description)) { try writer.append([3]) }
    writer.close()
    #expect(!sink.isClosed)
  }

  /// The folder's disk has no space for a write or sync: the retry writes the same frames that the other sink has, and
  /// no sink gets them twice.
  @Test(arguments: ["pwrite", "fdatasync"])
  func aRetryWritesTheSameFrames(call: String) throws {
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let sink = MemorySink()
    let writer = try Self.open(log.on(faulty), beside: sink)
    for round in 0..<6 as Range<UInt64> {
      for _ in 0..<90 { try writer.append(testRecord(writer.appendedLSN + 1)) }
      faulty.arm(
        .init(call: Int(round), fault: .error(ENOSPC), times: 2, kinds: [call], suffix: ".log"))
      while writer.turn() == .stalled { faulty.arm(nil) }
      faulty.arm(nil)
      writer.tick()
      // Only after its first shortage does the log accept records again at once.
      guard writer.state == .open else { break }
    }
    let last = writer.durableLSN
    #expect(last == writer.appendedLSN && last >= 90 && sink.synced == last)
    let (kept, sent) = (try Self.frames(log, through: last), sink.frames)
    #expect(kept == sent)
  }

  /// A sink that is full for now is still given what was accepted before: nobody waits for that.
  @Test func whatWasAcceptedIsWrittenThoughASinkWantsNothingNew() throws {
    let (_, log) = try TestLog.onSimulatedDisk()
    let sink = MemorySink()
    let writer = try Self.open(log, beside: sink)
    try writer.append(testRecord(1))
    sink.holdBack(.sharedLogFull)
    try writer.append(testRecord(2))
    #expect(writer.turn() == .stalled)
    #expect(writer.durableLSN == 2 && sink.synced == 2)
    #expect(writer.state == .full && writer.isHeldBack && writer.ownShortage == nil && !writer.isStuck)
    #expect(throws: LogRefusal.full) { try writer.append(testRecord(3)) }
    // The disk has room, which is not what is missing.
    writer.tick()
    #expect(writer.turn() == .stalled && writer.state == .full)
    sink.holdBack(nil)
    #expect(writer.turn() == .idle)
    writer.tick()
    #expect(writer.state == .open && !writer.isHeldBack)
    try writer.append(testRecord(3))
    #expect(writer.turn() == .idle && writer.durableLSN == 3)
    // A log that is held back is closed cleanly.
    sink.holdBack(.sharedLogFull)
    _ = writer.turn()
    writer.close()
    #expect(writer.state == .closed)
  }
}
