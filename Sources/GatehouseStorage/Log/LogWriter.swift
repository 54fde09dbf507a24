internal import struct GatehouseCore.RawBuffer
internal import Synchronization

/// Appends records to a log: accepts them from any thread, and has a thread of its own write and sync them, all that have
/// come together meanwhile at once. See `LogFormat` for what is promised and how it lies on the disk.
package final class LogWriter: Sendable {
  private let core: LogCore
  private let sink: Mutex<SegmentSink>
  private let keeper: LogKeeper
  private let threads: Mutex<[PosixThread]>
  /// When the next sync is due, in `MonotonicClock`'s time, where durability is by interval.
  private let syncDeadline = Mutex<UInt64?>(nil)

  /// Opens a log for writing at the end that recovery has found. There must be no other writer: the owner of
  /// the data folder holds its lock.
  /// - Parameter isDriven: for tests, which call `turn` and `tick` themselves: no thread is started.
  package init(
    _ location: LogLocation, continuing end: LogEnd, options: LogOptions = LogOptions(),
    handlers: LogHandlers = LogHandlers(), isDriven: Bool = false
  ) throws(LogError) {
    options.validate()
    precondition(end.isSynced, "a writer goes on only where everything before was synced")
    let epoch = end.epoch + 1
    let core = LogCore(location, options, handlers, lastLSN: end.lastLSN)
    self.core = core
    do throws(DiskError) {
      let witness = try Self.openWitness(location, epoch: epoch, durableLSN: end.lastLSN)
      try Self.clearSpares(core)
      let sink = try SegmentSink.open(core, continuing: end, epoch: epoch)
      self.sink = Mutex(sink)
      keeper = LogKeeper(core, epoch: epoch, witness: witness)
      try location.disk.syncDirectory(location.directory)
    } catch {
      throw LogError(error)
    }
    threads = Mutex([])
    if !isDriven { start() }
  }

  private static func openWitness(
    _ location: LogLocation, epoch: UInt64, durableLSN: UInt64
  ) throws(DiskError) -> WitnessFile {
    let found: Witness?
    do throws(LogError) {
      found = try WitnessFile.read(location)
    } catch {
      // Recovery has read it already, so this is the disk's doing.
      throw error.cause ?? DiskError(call: "read", path: location.path(LogFormat.witnessName), code: 5)
    }
    let current = found ?? Witness(epoch: epoch, durableLSN: durableLSN)
    if found == nil { try WitnessFile.create(location, current) }
    var file = try WitnessFile(location, current: current)
    // Durable before the first frame, so that no epoch is ever used twice.
    try file.write(epoch: epoch, durableLSN: durableLSN)
    return file
  }

  /// Keeps the reserve of an earlier start and removes its other spare files, which may be half made.
  private static func clearSpares(_ core: LogCore) throws(DiskError) {
    let location = core.location
    for name in [LogFormat.nextName, LogFormat.urgentName, LogFormat.witnessName + ".tmp"] {
      if location.disk.exists(location.path(name)) { try location.disk.remove(location.path(name)) }
    }
    let reserve = location.path(LogFormat.reserveName)
    guard location.disk.exists(reserve) else { return }
    let file = try location.disk.openFile(reserve, .read)
    let size = try file.size()
    file.close()
    if size == core.options.segmentBytes {
      core.spares.withLock { $0.reserve = .ready }
    } else {
      try location.disk.remove(reserve)
    }
  }

  private func start() {
    let keeper = self.keeper
    threads.withLock { threads in
      threads.append(PosixThread { [self] in run() })
      threads.append(PosixThread { keeper.run() })
    }
  }

  // MARK: Appending

  /// Accepts a record; its bytes are copied.
  /// - Parameters:
  ///   - time: when the record says that it was made, in unix milliseconds. One before that of the record before is
  ///     refused: two threads that read the clock one after the other may come here in the other order.
  ///   - wake: whether the writer is woken. Who appends several records in a row passes false and calls `wake()` after
  ///     the last: then they go into one frame, unless they are very many.
  ///   - admits: asked once the log would take the record, with its number, under the lock that orders all records:
  ///     what it looks at and moves is moved in that order. Where it says no, nothing is appended.
  /// - Returns: the record's LSN. It is durable once `durableLSN` has reached it.
  @inline(__always)
  package func append(
    _ record: UnsafeRawBufferPointer, at time: Int64, wake: Bool = true, admits: (UInt64) -> Bool = { _ in true }
  ) throws(LogRefusal) -> UInt64 {
    let (lsn, mustRing) = try core.staging.withLock { staging throws(LogRefusal) in
      let lsn = try staging.append(record, at: time, admits: admits)
      return (lsn, (wake || staging.isHeavy) && staging.stirWriter())
    }
    if mustRing { core.writerBell.ring() }
    return lsn
  }

  /// Looks at what `admits` moves, between two records.
  ///
  /// - Parameter body: is told the last record that was accepted.
  package func withOrder<Result>(_ body: (UInt64) -> Result) -> Result {
    core.staging.withLock { staging in
      let last = staging.nextLSN - 1
      return body(last)
    }
  }

  /// Wakes the writer if it sleeps and there is something to write.
  package func wake() {
    if core.staging.withLock({ $0.hasWork && $0.stirWriter() }) { core.writerBell.ring() }
  }

  /// Seals the segment that is written, if it has any record, and begins the next. Returns at once.
  package func rotate() {
    core.staging.withLock { $0.wantsRotation = true }
    wake()
  }

  /// Has what was accepted synced soon, ahead of the interval. Returns at once; `syncedLSN` tells when it is done.
  package func requestSync() {
    core.staging.withLock { $0.wantsSync = true }
    wake()
  }

  // MARK: Looking

  /// The last record that was accepted.
  package var appendedLSN: UInt64 { core.staging.withLock { $0.nextLSN - 1 } }
  /// The last record that is durable.
  package var durableLSN: UInt64 { core.durableLSN.load(ordering: .acquiring) }
  /// The last record that was synced, which trails `durableLSN` where durability is by interval.
  package var syncedLSN: UInt64 { core.syncedLSN.load(ordering: .acquiring) }
  package var state: LogState { core.staging.withLock { $0.state } }
  /// Why the log is full; nil while it is not.
  package var shortage: DiskError? { core.room.withLock { $0.shortage } }
  /// Whether what was accepted has waited for room for so long that nobody should wait with it who need not.
  package var isStuck: Bool {
    let since = core.stuckSince.load(ordering: .relaxed)
    return since != 0 && MonotonicClock.now() > since + Self.stuckPatience
  }
  /// What an operator can do about a log that has failed; nil for one that has not.
  package var remedy: String? { core.remedy.withLock { $0 } }
  package var statistics: LogStatistics {
    var statistics = core.statistics.withLock { $0 }
    statistics.pendingBytes = core.staging.withLock { $0.pendingBytes }
    return statistics
  }

  // MARK: Writing

  /// What a turn has left to do.
  package enum Turn: Equatable, Sendable {
    case idle
    /// There is no room for what was accepted; worth another try in a while.
    case stalled
    /// Closed, or failed for good.
    case ended
  }

  /// How long a writer waits before it tries a full disk again.
  private static let fullDiskPause: UInt64 = 50_000_000
  /// Nanoseconds after which a log that waits for room counts as stuck.
  private static let stuckPatience: UInt64 = 500_000_000

  private func run() {
    while true {
      switch turn() {
      case .ended: return
      case .stalled: core.writerBell.wait(until: MonotonicClock.now() + Self.fullDiskPause)
      case .idle: sleep()
      }
    }
  }

  private func sleep() {
    let deadline = syncDeadline.withLock { $0 }
    let isIdle = core.staging.withLock { staging in
      staging.isWriterAsleep = !staging.hasWork
      return staging.isWriterAsleep
    }
    guard isIdle else { return }
    if let deadline { core.writerBell.wait(until: deadline) } else { core.writerBell.wait() }
    core.staging.withLock { $0.isWriterAsleep = false }
  }

  /// Writes what was accepted, syncs it and says so: the whole of the writer's work.
  package func turn() -> Turn {
    sink.withLock { sink in
      do throws(SegmentSink.Fault) {
        let turn = try turn(&sink)
        core.endWaiting()
        return turn
      } catch {
        let isClosing = core.staging.withLock { $0.wantsClose }
        switch error {
        case .full(let error) where !isClosing:
          core.beginWaiting(error)
          return .stalled
        case .full(let error), .broken(let error):
          core.fail(error)
          return .ended
        }
      }
    }
  }

  private func turn(_ sink: inout SegmentSink) throws(SegmentSink.Fault) -> Turn {
    let sabotage = core.options.sabotage
    guard !core.hasFailed || sabotage.contains(.ignoreWriteErrors) else { return .ended }
    let (wantsRotation, wantsSync, wantsClose) = core.staging.withLock { staging in
      if sink.isBatchDone {
        staging.take(into: &sink.batch)
        sink.beginBatch()
      }
      defer {
        staging.wantsRotation = false
        staging.wantsSync = false
      }
      return (staging.wantsRotation, staging.wantsSync, staging.wantsClose)
    }
    if !sink.batch.isEmpty {
      let bytes = sink.batch.body.count
      let last = sink.batch.firstLSN + UInt64(sink.batch.recordCount) - 1
      if sabotage.contains(.acknowledgeEarly) { acknowledge(last, bytes: 0) }
      try sink.writeBatch()
      if case .always = core.options.durability { try sink.sync() }
      acknowledge(last, bytes: bytes)
    }
    if wantsRotation { try sink.rotate() }
    try syncIfDue(&sink, now: wantsSync || wantsClose)
    guard wantsClose else { return .idle }
    do throws(SegmentSink.Fault) {
      try sink.writeCleanEnd()
      try sink.sync()
    } catch {
      // Everything is durable: a log without its clean end is only looked through once more by the next start.
      guard case .full = error else { throw error }
    }
    return .ended
  }

  /// Syncs what interval durability has left unsynced, once its time has come.
  private func syncIfDue(_ sink: inout SegmentSink, now mustSync: Bool) throws(SegmentSink.Fault) {
    guard case .interval(let milliseconds) = core.options.durability else { return }
    guard !sink.isSynced else { return syncDeadline.withLock { $0 = nil } }
    let now = MonotonicClock.now()
    let deadline = syncDeadline.withLock { deadline in
      let due = deadline ?? now + UInt64(milliseconds) * 1_000_000
      deadline = due
      return due
    }
    guard mustSync || now >= deadline else { return }
    try sink.sync()
    syncDeadline.withLock { $0 = nil }
  }

  private func acknowledge(_ lsn: UInt64, bytes: Int) {
    let hasFailed = core.staging.withLock { staging in
      staging.pendingBytes -= bytes
      if case .failed = staging.state { return true }
      return false
    }
    // After a failure nothing more is promised, whatever this write has come to.
    guard !hasFailed || core.options.sabotage.contains(.ignoreWriteErrors) else { return }
    guard lsn > core.durableLSN.load(ordering: .relaxed) else { return }
    core.durableLSN.store(lsn, ordering: .releasing)
    core.handlers.onDurable(lsn)
  }

  /// Does the keeper's work once; for tests that drive the log.
  package func tick() { keeper.tick() }

  /// Looks whether the files are still the ones in the folder; for tests that drive the log.
  package func lookAtFiles() { keeper.lookAtFiles() }

  // MARK: Closing

  /// Writes and syncs what was accepted, says in the log that it was closed in order, and returns when all is done.
  /// Whatever is appended from now on is refused.
  package func close() {
    guard core.staging.withLock({ $0.beginClose() }) else { return }
    let threads = self.threads.withLock { $0 }
    core.writerBell.ring()
    if let writer = threads.first { writer.join() } else { while turn() != .ended {} }
    keeper.stop()
    if threads.count > 1 { threads[1].join() }
    // Once more, so that nobody takes an end for a good one whose last records went to a file without a name.
    keeper.lookAtFiles()
    core.close()
    guard case .closed = state else { return }
    do throws(DiskError) {
      try keeper.trimSealed()
      try sink.withLock { sink throws(DiskError) in try sink.trim() }
      try keeper.writeWitness()
      let next = core.location.path(LogFormat.nextName)
      if core.location.disk.exists(next) { try core.location.disk.remove(next) }
      try core.location.disk.syncDirectory(core.location.directory)
    } catch {
      // Every record is durable and the clean end written; the next start only finds more to tidy up.
    }
  }
}
