import GatehouseStorage
import Glibc
import Synchronization
import Testing

/// A sink that keeps the frames of a leader.
private final class FrameSink: LogSink, Sendable {
  private let state = Mutex<(frames: [SharedFrame], appended: UInt64)>(([], 0))

  init(after lsn: UInt64 = 0) { state.withLock { $0.appended = lsn } }

  var frames: [SharedFrame] { state.withLock { $0.frames } }
  var appended: UInt64 { state.withLock { $0.appended } }

  func write(_ frame: SealedFrame) throws(LogFault) {
    state.withLock { state in
      state.frames.append(SharedFrame(index: UInt64(state.frames.count + 1), bytes: [UInt8](copying: frame.bytes)))
      state.appended += UInt64(frame.header.recordCount)
    }
  }

  func sync() throws(LogFault) {}
  func rotate() throws(LogFault) {}
  func close() throws(DiskError) {}
}

/// The right to lead, for a log that is alone.
private final class TestLeadership: Leadership {
  let epoch: UInt64
  let tail: SharedTail
  let sink: FrameSink

  init(epoch: UInt64, tail: SharedTail) {
    self.epoch = epoch
    self.tail = tail
    sink = FrameSink(after: tail.lsn)
  }

  var validUntil: UInt64 { .max }
  func makeSink() -> sending any LogSink { sink }
  var room: (kept: UInt64, limit: UInt64) { (0, 1) }
  func end() async -> String { "" }
  func resign() async {}
}

extension LogWriter {
  fileprivate func take(_ frames: some Sequence<SharedFrame>) throws -> Ingestion { try ingest(check(frames)) }
}

/// A log that takes the frames of another.
@Suite(.inClearAndEncrypted) struct FollowingLogTests {
  /// Some frames of a leader, with a clean end among them.
  private static func frames(_ log: TestLog) throws -> [SharedFrame] {
    let sink = FrameSink()
    let writer = try LogWriter(
      log.location, continuing: try log.recover().end, options: log.options, beside: [sink], isDriven: true)
    for round in 0..<6 {
      for _ in 0...round * 7 { try writer.append(testRecord(writer.appendedLSN + 1)) }
      #expect(writer.turn() == .idle)
    }
    writer.close()
    return sink.frames
  }

  private static func follower(_ log: TestLog) throws -> LogWriter {
    try LogWriter(
      log.location, continuing: try log.recover().end, options: log.options, isFollowing: true, isDriven: true)
  }

  /// Applies what was ingested.
  private static func apply(_ writer: LogWriter) {
    let last = writer.end.lsn
    while writer.appendedLSN < last { writer.follow(writer.appendedLSN + 1) {} }
    writer.announce(through: last)
  }

  @Test func itsFilesHaveTheSameFrames() throws {
    let (_, leader) = try TestLog.onSimulatedDisk()
    let frames = try Self.frames(leader)
    let (_, log) = try TestLog.onSimulatedDisk()
    let follower = try Self.follower(log)
    #expect(throws: LogRefusal.following) { try follower.append([1]) }
    for frame in frames {
      let ingestion = try follower.take([frame])
      #expect(ingestion.taken == 1 && ingestion.shortage == nil)
    }
    let last = follower.end.lsn
    #expect(follower.durableLSN == 0 && follower.syncedLSN == last)
    Self.apply(follower)
    #expect(follower.durableLSN == last)
    follower.close()
    let (records, end) = try log.recover()
    let (theirs, theirEnd) = try leader.recover()
    #expect(records == theirs)
    #expect(end.lastHash == theirEnd.lastHash && end.lastLSN == theirEnd.lastLSN)
  }

  @Test func whatDoesNotComeNextIsNotTaken() throws {
    let (_, leader) = try TestLog.onSimulatedDisk()
    let frames = try Self.frames(leader)
    let (_, log) = try TestLog.onSimulatedDisk()
    let follower = try Self.follower(log)
    #expect(throws: IngestFault.self) { try follower.take([frames[1]]) }
    #expect(try follower.take(frames[0...1]).taken == 2)
    // Again, with a gap, damaged, cut short.
    #expect(throws: IngestFault.self) { try follower.take([frames[1]]) }
    #expect(throws: IngestFault.self) { try follower.take([frames[3]]) }
    for at in [0, 20, 130] {
      var bytes = frames[2].bytes
      bytes[at] ^= 1
      #expect(throws: IngestFault.self) { try follower.take([SharedFrame(index: 3, bytes: bytes)]) }
    }
    #expect(throws: IngestFault.self) {
      try follower.take([SharedFrame(index: 3, bytes: Array(frames[2].bytes.dropLast()))])
    }
    #expect(try follower.take(frames[2...]).taken == frames.count - 2)
    Self.apply(follower)
    follower.close()
    #expect(try log.recover().records == leader.recover().records)
  }

  @Test func itComesToLeadInAnEpochOfItsOwn() throws {
    let (_, leader) = try TestLog.onSimulatedDisk()
    let frames = try Self.frames(leader)
    let (_, log) = try TestLog.onSimulatedDisk()
    let follower = try Self.follower(log)
    _ = try follower.take(frames)
    Self.apply(follower)
    let end = follower.end
    let leadership = TestLeadership(
      epoch: follower.epoch + 1,
      tail: SharedTail(index: UInt64(frames.count), lsn: end.lsn, hash: end.hash, epoch: follower.epoch))
    try follower.lead(leadership)
    #expect(try follower.append(testRecord(end.lsn + 1)) == end.lsn + 1)
    #expect(follower.turn() == .idle && follower.durableLSN == end.lsn + 1)
    follower.pause()
    #expect(throws: LogRefusal.following) { try follower.append([1]) }
    follower.resume()
    #expect(try follower.append(testRecord(end.lsn + 2)) == end.lsn + 2)
    follower.close()
    // Two of records, and the clean end.
    #expect(leadership.sink.frames.count == 3)
    let (records, after) = try log.recover()
    #expect(records.count == Int(end.lsn) + 2 && after.epoch == leadership.epoch)
    // Another follower takes the frames of both.
    let (_, third) = try TestLog.onSimulatedDisk()
    let writer = try Self.follower(third)
    #expect(try writer.take(frames + leadership.sink.frames).taken == frames.count + 3)
    #expect(writer.end.hash == after.lastHash)
  }

  @Test func aFullDiskOnlyDelaysAFollower() throws {
    let (_, leader) = try TestLog.onSimulatedDisk()
    let frames = try Self.frames(leader)
    let (disk, log) = try TestLog.onSimulatedDisk()
    let faulty = FaultyDisk(disk)
    let follower = try Self.follower(log.on(faulty))
    for call in ["pwrite", "fdatasync"] {
      let before = follower.end.lsn
      faulty.arm(.init(call: 0, fault: .error(ENOSPC), times: 2, kinds: [call], suffix: ".log"))
      let rest = frames.dropFirst(call == "pwrite" ? 0 : 3)
      let ingestion = try follower.take(rest.prefix(3))
      #expect(ingestion.taken == 0 && ingestion.shortage != nil && follower.end.lsn == before)
      faulty.arm(nil)
      #expect(try follower.take(rest.prefix(3)).taken == 3)
    }
    _ = try follower.take(frames.dropFirst(6))
    Self.apply(follower)
    follower.close()
    #expect(try log.recover().records == leader.recover().records)
  }

  /// The folder was opened alone meanwhile, which is an epoch, too, and what that wrote was cut off.
  @Test func itTakesFramesOfAnOlderEpochThanItsOwnLastStart() throws {
    let (_, leader) = try TestLog.onSimulatedDisk()
    let frames = try Self.frames(leader)
    let (_, log) = try TestLog.onSimulatedDisk()
    let first = try Self.follower(log)
    _ = try first.take(frames.prefix(3))
    Self.apply(first)
    first.close()
    var witness = try #require(try WitnessFile.read(log.location))
    let epoch = witness.epoch + 5
    witness = Witness(epoch: epoch, durableLSN: witness.durableLSN)
    try WitnessFile.create(log.location, witness)
    let second = try Self.follower(log)
    #expect(second.greatestEpoch == epoch)
    #expect(try second.take(frames.dropFirst(3)).taken == frames.count - 3)
    Self.apply(second)
    // No epoch is forgotten, so none is used twice.
    second.tick()
    #expect(try WitnessFile.read(log.location)?.epoch == epoch)
    let end = second.end
    let leadership = TestLeadership(
      epoch: second.greatestEpoch + 1,
      tail: SharedTail(index: UInt64(frames.count), lsn: end.lsn, hash: end.hash, epoch: second.epoch))
    try second.lead(leadership)
    #expect(try second.append(testRecord(end.lsn + 1)) == end.lsn + 1)
    second.close()
    #expect(try log.recover().end.epoch == epoch + 1)
  }

  /// Of several frames none is handed out before all were checked.
  @Test func aDamagedFrameIsFoundBeforeAnyIsUsed() throws {
    let (_, leader) = try TestLog.onSimulatedDisk()
    var frames = try Self.frames(leader)
    let (_, log) = try TestLog.onSimulatedDisk()
    let follower = try Self.follower(log)
    #expect(try follower.check(frames).map(\.index) == frames.map(\.index))
    frames[4].bytes[frames[4].bytes.count - 1] ^= 1
    #expect(throws: IngestFault.unfit("its body is damaged")) { try follower.check(frames) }
    #expect(follower.end.lsn == 0)
  }
}
