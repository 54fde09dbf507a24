internal import Synchronization

/// Appends records to a log: accepts them from any thread, and has those written and synced that have come together
/// meanwhile, all at once (group commit). See `LogFormat` for what is promised and how it lies on the disk.
///
/// ## Who writes
/// Records are made durable by a thread of the writer's own, or by the thread that has accepted them and has nothing else
/// to do (`commit`): two threads hand a commit back and forth at the price of two wake-ups, which is much
/// for a few records, and then nobody works meanwhile for whom it would be worth it. With many records the accepting
/// thread goes on with the next requests while the other compresses and syncs.
///
/// The writer's thread does not take what is there as soon as a sync has ended. The clients that are answered then ask
/// again, and a commit that has begun a moment too early makes two cohorts of them, each with half the records and as many
/// syncs. It waits for the next `wake`, for half a sync at most (PostgreSQL has `commit_delay` for that).
///
/// Measured on 2 cores with redis-benchmark, 50 connections, variants in turns, medians, against Redis with
/// `appendfsync always` = 1 (`SESSION.CREATE` and `SET`):
///
/// | | depth 1 | depth 16 |
/// | --- | --- | --- |
/// | the thread takes what is there | 0.78 (16 records a frame) | 0.76 (112) |
/// | the thread waits half a sync for the next wake-up | 0.93 (40) | 0.89 (241) |
/// | the accepting thread writes everything | 1.00 (30) | 0.76 (440) |
/// | it writes up to 64 records, the thread takes the rest at once | 0.97 | 0.80 (112) |
/// | it writes up to 64 records, and the thread waits | **1.04** (30) | **0.84** (223) |
///
/// With nine login checks to a session opened, a thread that wrote every little commit itself answered 0.94 of the commands
/// at depth 1 and 0.89 at depth 16 of one that never did: so it does where at least half of the commands were writes.
///
/// `pwritev2` with `RWF_DSYNC` in place of `pwrite` and `fdatasync` took the same 90 µs and 37 µs of processor time, and
/// `O_DIRECT` 86 and 35: not worth their while.
package final class LogWriter: Sendable {
  private let core: LogCore
  private let committer: Mutex<LogCommitter>
  private let keeper: LogKeeper
  private let threads: Mutex<[PosixThread]>
  /// How many records `commit` writes itself. With an interval none: only the writer's thread knows when a sync is due.
  private let inlineRecords: Int

  /// Opens a log for writing at the end that recovery has found. There must be no other writer: the owner of
  /// the data folder holds its lock.
  /// - Parameters:
  ///   - others: sinks beside the folder's files; a record is durable once all have it.
  ///   - isDriven: for tests, which call `turn` and `tick` themselves: no thread is started.
  package init(
    _ location: LogLocation, continuing end: LogEnd, options: LogOptions = LogOptions(),
    handlers: LogHandlers = LogHandlers(), beside others: sending [any LogSink] = [], isDriven: Bool = false
  ) throws(LogError) {
    options.validate()
    precondition(end.isSynced, "a writer goes on only where everything before was synced")
    let epoch = end.epoch + 1
    let core = LogCore(location, options, handlers, lastLSN: end.lastLSN)
    self.core = core
    inlineRecords = options.durability == .always ? options.inlineRecords : 0
    do throws(DiskError) {
      let witness = try Self.openWitness(location, epoch: epoch, durableLSN: end.lastLSN)
      try Self.clearSpares(core)
      let sink = try SegmentSink.open(core, continuing: end, epoch: epoch)
      committer = Mutex(LogCommitter(core, continuing: end, epoch: epoch, sinks: [sink] + others))
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

  /// Wakes the writer's thread if it sleeps and there is something to write.
  package func wake() {
    if core.staging.withLock({ $0.hasWork && $0.stirWriter() }) { core.writerBell.ring() }
  }

  /// Has written what was accepted: by this thread, which then returns when it is durable, where that is little and nobody
  /// else writes just now; otherwise by the writer's. To be called where nothing is held that others wait for.
  /// - Parameter commands: how many the thread has carried out since its last commit. Where most of them were reads, it has
  ///   better things to do than to wait for the disk.
  package func commit(after commands: Int) {
    let least = max(1, commands / 2)
    if least <= inlineRecords, core.staging.withLock({ $0.hasRecords(least...inlineRecords) }) {
      switch committer.withLockIfAvailable({ $0.turn() }) {
      case .idle: return
      // What there was no room for has left the staging; the writer's thread tries it again.
      case .stalled, .ended: return core.writerBell.ring()
      case nil: break
      }
    }
    wake()
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

  /// Waits for the next wake-up, or, where there is something to write already, for a part of a sync at most.
  private func sleep() {
    let deadline = committer.withLock { $0.syncDeadline }
    let patience = core.commitDelay.load(ordering: .relaxed)
    let pause = core.staging.withLock { staging -> WriterPause in
      let pause = staging.pause
      staging.isWriterAsleep = pause != .none
      return pause
    }
    switch pause {
    case .none: return
    case .short: core.writerBell.wait(until: MonotonicClock.now() + patience)
    case .long: if let deadline { core.writerBell.wait(until: deadline) } else { core.writerBell.wait() }
    }
    core.staging.withLock { $0.isWriterAsleep = false }
  }

  /// Writes what was accepted, syncs it and says so: the whole of the writer's work.
  package func turn() -> Turn { committer.withLock { $0.turn() } }

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
      try committer.withLock { committer throws(DiskError) in try committer.close() }
      try keeper.writeWitness()
      let next = core.location.path(LogFormat.nextName)
      if core.location.disk.exists(next) { try core.location.disk.remove(next) }
      try core.location.disk.syncDirectory(core.location.directory)
    } catch {
      // Every record is durable and the clean end written; the next start only finds more to tidy up.
    }
  }
}
