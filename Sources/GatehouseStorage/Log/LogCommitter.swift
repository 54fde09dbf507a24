internal import struct GatehouseCore.RawBuffer
internal import Synchronization

/// Group commit: takes accepted records out of the staging, encodes them into frames, has the sinks write and sync
/// them, and announces that they are durable.
///
/// It is a value, driven by `turn`: either by the writer's own thread, or by the thread that accepted the records
/// (`LogOptions.inlineRecords`). Both run the same code.
struct LogCommitter: ~Copyable {
  /// How far writing has got.
  private struct Mark {
    var hash: Hash128
    var lsn: UInt64
    /// How many frames of the batch are written.
    var frames = 0
  }

  private let core: LogCore
  private var sinks: [any LogSink]
  /// Whether it writes only frames of another node.
  private(set) var isFollowing: Bool
  /// Whether the log ends with a frame that says that it was closed.
  private(set) var hasCleanEnd = false
  private var encoder: FrameEncoder
  private var buffer = RawBuffer()
  private var batch = LogBatch()
  /// The LSN that was synced when the batch was taken; all its frames name it as durable. It must not grow while the
  /// batch is written: a frame that is written again, because a sync found no room, must have the same bytes as before.
  private var syncedBefore: UInt64
  private var written: Mark
  private var synced: Mark
  private var hasUnsynced = false
  private var hasEnded = false
  /// Whether records are refused because of a sink.
  private var isHolding = false
  /// With interval durability: when the next sync is due, in `MonotonicClock`'s time.
  private(set) var syncDeadline: UInt64?

  /// - Parameter sinks: in the order in which they write; all must be at the end of the log.
  init(_ core: LogCore, continuing end: LogEnd, sinks: [any LogSink], isFollowing: Bool) {
    precondition(sinks.allSatisfy { $0.appended == end.lastLSN }, "a sink goes on where the log ends")
    self.core = core
    self.sinks = sinks
    self.isFollowing = isFollowing
    encoder = FrameEncoder(
      folderID: core.location.folderID, cipher: core.location.cipher, level: core.options.compressionLevel,
      dictionary: core.options.dictionaries.first)
    syncedBefore = end.lastLSN
    written = Mark(hash: end.lastHash, lsn: end.lastLSN)
    synced = written
  }

  /// Writes and syncs what was accepted, and announces it.
  mutating func turn() -> LogWriter.Turn {
    do throws(LogFault) {
      let turn = try advance()
      core.endWaiting()
      return turn == .ended ? .ended : isHeldBack ? .stalled : turn
    } catch {
      let isClosing = core.staging.withLock { $0.wantsClose }
      switch error {
      case .full(let error) where !isClosing:
        core.beginWaiting(error)
        return .stalled
      case .full(let error), .broken(let error):
        core.fail(error)
        return .ended
      case .fenced(let reason, let remedy):
        core.fail(reason, remedy: remedy)
        return .ended
      }
    }
  }

  /// Whether a sink wants nothing new for now. What was accepted before is written all the same, so nobody waits for it,
  /// and a snapshot, which may be what the sink waits for, can be taken.
  private var isHeldBack: Bool {
    mutating get {
      if let shortage = sinks.lazy.compactMap({ $0.shortage }).first {
        isHolding = true
        core.holdBack(shortage)
      } else if isHolding {
        isHolding = false
        core.endHoldingBack()
      }
      return isHolding
    }
  }

  private mutating func advance() throws(LogFault) -> LogWriter.Turn {
    let sabotage = core.options.sabotage
    guard !hasEnded, !core.hasFailed || sabotage.contains(.ignoreWriteErrors) else { return .ended }
    let (wantsRotation, wantsSync, wantsClose) = takeOrders()
    if !batch.isEmpty {
      let bytes = batch.body.count
      let last = batch.firstLSN + UInt64(batch.recordCount) - 1
      if sabotage.contains(.acknowledgeEarly) { acknowledge(last, bytes: 0) }
      try writeBatch()
      if case .always = core.options.durability { try sync() }
      core.gathered.store(sinks.count > 1 ? batch.recordCount : 0, ordering: .relaxed)
      acknowledge(last, bytes: bytes)
    }
    if wantsRotation {
      try sync()
      for sink in sinks { try sink.rotate() }
    }
    try syncIfDue(now: wantsSync || wantsClose)
    guard wantsClose else { return .idle }
    // A follower's last frame is another node's: one of its own would part its log from the others'.
    if isFollowing {
      hasEnded = true
      return .ended
    }
    do throws(LogFault) {
      syncedBefore = core.syncedLSN.load(ordering: .relaxed)
      try write(.cleanEnd, records: 0, body: UnsafeRawBufferPointer(start: nil, count: 0))
      try sync()
      hasCleanEnd = true
    } catch {
      // All records are durable. Without the clean-end frame, the next start only has to scan for the end.
      guard case .full = error else { throw error }
    }
    hasEnded = true
    return .ended
  }

  /// Takes everything staged, if all that was taken before is written, and the pending requests.
  private mutating func takeOrders() -> (rotation: Bool, sync: Bool, close: Bool) {
    let isDone = written.frames == batch.cuts.count
    let orders = core.staging.withLock { staging in
      if isDone { staging.take(into: &batch) }
      defer {
        staging.wantsRotation = false
        staging.wantsSync = false
      }
      return (staging.wantsRotation, staging.wantsSync, staging.wantsClose)
    }
    if isDone {
      written.frames = 0
      if !hasUnsynced { synced.frames = 0 }
      syncedBefore = core.syncedLSN.load(ordering: .relaxed)
    }
    return orders
  }

  // MARK: Writing

  /// Writes the frames of the batch that are not written yet.
  private mutating func writeBatch() throws(LogFault) {
    while written.frames < batch.cuts.count {
      let cut = batch.cuts[written.frames]
      let before = written.frames == 0 ? LogBatch.Cut(end: 0, records: 0) : batch.cuts[written.frames - 1]
      precondition(written.lsn + 1 == batch.firstLSN + UInt64(before.records), "frames are written in order")
      try write(
        .records, records: cut.records - before.records,
        body: UnsafeRawBufferPointer(rebasing: batch.body.bytes[before.end..<cut.end]))
      written.frames += 1
    }
  }

  private mutating func write(_ type: FrameType, records: Int, body: UnsafeRawBufferPointer) throws(LogFault) {
    let header = encoder.encode(
      FrameHeader(
        type: type, isCompressed: false, epoch: core.epoch.load(ordering: .relaxed), firstLSN: written.lsn + 1,
        recordCount: UInt32(records), bodyLength: 0, storedLength: 0, dictionaryID: 0, durableLSN: syncedBefore,
        previousHash: written.hash, bodyHash: .zero),
      body: body, alignment: LogFormat.largestAlignment, into: &buffer)
    let frame = SealedFrame(header, padded: buffer.bytes)
    // A frame is written again if not every sink could write or sync it.
    for sink in sinks where records == 0 || sink.appended < header.nextLSN - 1 { try sink.write(frame) }
    written.hash = header.hash
    written.lsn += UInt64(records)
    hasUnsynced = true
  }

  /// Makes everything written durable. A failed sync is never repeated: the kernel may have dropped the pages that it
  /// could not write, and would then report success. If it failed only for lack of room, the frames since the last sync
  /// are written again, and syncing those is a new sync.
  private mutating func sync() throws(LogFault) {
    guard hasUnsynced else { return }
    let began = MonotonicClock.now()
    let isShared = sinks.count > 1
    do throws(LogFault) {
      for sink in sinks { try sink.sync() }
      let taken = MonotonicClock.now() - began
      if isShared { core.statistics.withLock { $0.shared.note(nanoseconds: taken) } }
      core.noteCommit(nanoseconds: taken, isShared: isShared)
    } catch {
      if case .full = error {
        written = synced
        hasUnsynced = false
      }
      throw error
    }
    hasUnsynced = false
    synced = written
    core.syncedLSN.store(written.lsn, ordering: .releasing)
  }

  /// With interval durability: syncs what is unsynced, once its time has come.
  private mutating func syncIfDue(now mustSync: Bool) throws(LogFault) {
    guard case .interval(let milliseconds) = core.options.durability else { return }
    guard hasUnsynced else { return syncDeadline = nil }
    let now = MonotonicClock.now()
    let deadline = syncDeadline ?? now + UInt64(milliseconds) * 1_000_000
    syncDeadline = deadline
    guard mustSync || now >= deadline else { return }
    try sync()
    syncDeadline = nil
  }

  // MARK: Following

  /// What the next frame must continue.
  var chain: ChainPosition {
    ChainPosition(nextLSN: written.lsn + 1, hash: written.hash, epoch: core.epoch.load(ordering: .relaxed))
  }

  /// Writes a frame of another node as it is.
  mutating func ingest(_ frame: CheckedFrame) throws(IngestFault) {
    precondition(isFollowing, "only a follower takes frames")
    let header = frame.header
    // It was checked against what came before it when it was handed out, which may not be what is here now.
    guard chain.continues(with: header) else { throw CheckedFrame.misplaced(header, chain) }
    buffer.removeAll()
    frame.bytes.withUnsafeBytes { buffer.append($0) }
    let rest = buffer.count % LogFormat.largestAlignment
    if rest > 0 { buffer.appendZeros(LogFormat.largestAlignment - rest) }
    do throws(LogFault) {
      for sink in sinks { try sink.write(SealedFrame(header, padded: buffer.bytes)) }
    } catch {
      throw .log(error)
    }
    core.epoch.store(header.epoch, ordering: .releasing)
    written.hash = header.hash
    written.lsn = header.nextLSN - 1
    hasUnsynced = true
  }

  /// Makes durable what was ingested. If there is no room for that, it must be handed out again.
  mutating func syncIngested() throws(LogFault) { try sync() }

  /// The last frame that was written.
  var end: (lsn: UInt64, hash: Hash128) { (written.lsn, written.hash) }

  /// Announces that records of another node are durable, once they are applied.
  func announce(through lsn: UInt64) { acknowledge(lsn, bytes: 0) }

  /// Writes frames of its own from now on, to this sink too.
  mutating func lead(beside sink: sending any LogSink) {
    precondition(isFollowing && !hasUnsynced, "a leader begins where everything is synced")
    precondition(sink.appended == written.lsn, "a sink goes on where the log ends")
    sinks.append(sink)
    syncedBefore = written.lsn
    isFollowing = false
  }

  // MARK: Announcing

  private func acknowledge(_ lsn: UInt64, bytes: Int) {
    let hasFailed = core.staging.withLock { staging in
      staging.pendingBytes -= bytes
      if case .failed = staging.state { return true }
      return false
    }
    // After a failure nothing more is acknowledged, whatever became of this write.
    guard !hasFailed || core.options.sabotage.contains(.ignoreWriteErrors) else { return }
    guard lsn > core.durableLSN.load(ordering: .relaxed) else { return }
    core.durableLSN.store(lsn, ordering: .releasing)
    core.handlers.onDurable(lsn)
  }

  /// Closes the sinks. Everything must be durable, and nothing may follow.
  mutating func close() throws(DiskError) {
    for sink in sinks { try sink.close() }
  }
}
