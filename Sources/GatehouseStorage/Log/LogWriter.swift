internal import Synchronization

/// Appends records to a log. It accepts them from any thread, and writes and syncs together all that have arrived
/// meanwhile (group commit). `LogFormat` describes the guarantees and the format on disk.
///
/// ## Who writes
/// Records are made durable by the writer's own thread, or by the thread that has accepted them and has nothing else to
/// do (`commit`). Passing a commit to another thread and back costs two wake-ups, which is much for a few records, and
/// nothing is gained if the accepting thread is idle meanwhile. With many records it pays: the accepting thread goes on
/// with the next requests while the other compresses and syncs.
///
/// The writer's thread does not commit again as soon as a sync has ended. The clients that were just answered are about
/// to send their next requests, and a commit that starts a moment too early splits them into two cohorts, each with
/// half the records and as many syncs. So it waits for the next `wake`, for half a commit at most (like PostgreSQL's
/// `commit_delay`). Where the log is shared with other nodes, a commit takes milliseconds, however many records it has. So
/// it waits until there are as many as the last commit had, which made 50 connections at depth 1 a third faster.
///
/// Measured on 2 cores with redis-benchmark, 50 connections, variants in turns, medians, against Redis with
/// `appendfsync always` = 1 (`SESSION.CREATE` and `SET`):
///
/// | | depth 1 | depth 16 |
/// | --- | --- | --- |
/// | the thread commits at once | 0.78 (16 records a frame) | 0.76 (112) |
/// | the thread waits half a sync for the next wake-up | 0.93 (40) | 0.89 (241) |
/// | the accepting thread writes everything | 1.00 (30) | 0.76 (440) |
/// | it writes up to 64 records, the thread commits the rest at once | 0.97 | 0.80 (112) |
/// | it writes up to 64 records, and the thread waits | **1.04** (30) | **0.84** (223) |
///
/// With nine login checks per session opened, a lane that wrote every small commit itself answered 0.94 of the commands
/// at depth 1, and 0.89 at depth 16, of one that never did. So it writes itself only if at least half of its commands
/// were writes.
///
/// `pwritev2` with `RWF_DSYNC` instead of `pwrite` and `fdatasync` took the same 90 µs and 37 µs of processor time, and
/// `O_DIRECT` 86 and 35: not worth it.
package final class LogWriter: Sendable {
  let core: LogCore
  let committer: Mutex<LogCommitter>
  let keeper: LogKeeper
  private let threads: Mutex<[PosixThread]>
  /// How many records `commit` writes itself. With interval durability none, because only the writer's thread knows
  /// when a sync is due.
  private let inlineRecords: Int

  /// Opens a log for writing at the end that recovery has found. There must be no other writer; the lock of the data
  /// folder ensures that.
  /// - Parameters:
  ///   - others: sinks besides the folder's files. A record is durable once all sinks have it.
  ///   - isFollowing: whether it takes the frames of another node at first (`ingest`), and no records until `lead`.
  ///   - isDriven: for tests, which call `turn` and `tick` themselves: no thread is started.
  package init(
    _ location: LogLocation, continuing end: LogEnd, options: LogOptions = LogOptions(),
    handlers: LogHandlers = LogHandlers(), beside others: sending [any LogSink] = [], isFollowing: Bool = false,
    isDriven: Bool = false
  ) throws(LogError) {
    options.validate()
    precondition(end.isSynced, "a writer goes on only where everything before was synced")
    // A follower goes on with frames of the epoch that its last one has, although this folder may have been opened alone
    // since, and that was an epoch, too.
    let epoch = isFollowing ? end.frameEpoch : end.epoch + 1
    let core = LogCore(location, options, handlers, lastLSN: end.lastLSN, epoch: epoch)
    self.core = core
    if isFollowing { core.staging.withLock { $0.setState(.following) } }
    inlineRecords = options.durability == .always ? options.inlineRecords : 0
    do throws(DiskError) {
      let witness = try Self.openWitness(location, epoch: epoch, durableLSN: end.lastLSN)
      try Self.clearSpares(core)
      let sink = try SegmentSink.open(core, continuing: end)
      committer = Mutex(LogCommitter(core, continuing: end, sinks: [sink] + others, isFollowing: isFollowing))
      keeper = LogKeeper(core, witness: witness)
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
      // Recovery could read it, so the disk fails now.
      throw error.cause ?? DiskError(call: "read", path: location.path(LogFormat.witnessName), code: 5)
    }
    let current = found ?? Witness(epoch: epoch, durableLSN: durableLSN)
    if found == nil { try WitnessFile.create(location, current) }
    var file = try WitnessFile(location, current: current)
    // Durable before the first frame, so that no epoch is ever used twice.
    try file.write(epoch: max(epoch, current.epoch), durableLSN: durableLSN)
    return file
  }

  /// Keeps the reserve of an earlier start. Removes other spare files, which may be incomplete.
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
  ///   - time: the record's time in unix milliseconds. It is refused as `early` if it is before the previous record's
  ///     time: two threads may read the clock in one order and arrive here in the other.
  ///   - wake: whether to wake the writer. A caller that appends several records in a row passes false and calls
  ///     `wake()` after the last, so that they go into one frame, unless there are very many.
  ///   - admits: asked once the log would accept the record, with its LSN, under the lock that orders all records. So
  ///     whatever it reads and changes is changed in LSN order. If it returns false, nothing is appended.
  /// - Returns: the record's LSN. The record is durable once `durableLSN` has reached it.
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

  /// Runs `body` between two records, under the lock that `admits` is called under, to read the state that `admits`
  /// changes.
  ///
  /// - Parameter body: receives the last accepted record's LSN.
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

  /// Has accepted records written. If they are few and no other thread is writing, this thread writes them itself and
  /// returns once they are durable; otherwise the writer's thread does. The caller must not hold anything that others
  /// wait for.
  /// - Parameter commands: how many commands the thread has carried out since its last commit. If most of them were
  ///   reads, the thread had better serve requests than wait for the disk.
  package func commit(after commands: Int) {
    let least = max(1, commands / 2)
    if least <= inlineRecords, core.staging.withLock({ $0.hasRecords(least...inlineRecords) }) {
      switch committer.withLockIfAvailable({ $0.turn() }) {
      case .idle: return
      // Records for which there was no room have left the staging; the writer's thread retries them.
      case .stalled, .ended: return core.writerBell.ring()
      case nil: break
      }
    }
    wake()
  }

  /// Seals the current segment, if it has a record, and begins the next. Returns at once.
  package func rotate() {
    core.staging.withLock { $0.wantsRotation = true }
    wake()
  }

  /// Asks for a sync before the interval is over. Returns at once; `syncedLSN` tells when it is done.
  package func requestSync() {
    core.staging.withLock { $0.wantsSync = true }
    wake()
  }

  // MARK: Observing

  /// The last accepted record.
  package var appendedLSN: UInt64 { core.staging.withLock { $0.nextLSN - 1 } }
  /// The last durable record.
  package var durableLSN: UInt64 { core.durableLSN.load(ordering: .acquiring) }
  /// The last synced record. With interval durability it lags behind `durableLSN`.
  package var syncedLSN: UInt64 { core.syncedLSN.load(ordering: .acquiring) }
  package var state: LogState { core.staging.withLock { $0.state } }
  /// Why the log is full; nil if it is not.
  package var shortage: DiskError? { core.room.withLock { $0.shortage } }
  /// Whether accepted records have waited for room so long that nobody should wait for them unnecessarily.
  package var isStuck: Bool {
    let since = core.stuckSince.load(ordering: .relaxed)
    return since != 0 && MonotonicClock.now() > since + Self.stuckPatience
  }
  /// What an operator can do about a failed log; nil if it has not failed.
  package var remedy: String? { core.remedy.withLock { $0 } }
  package var statistics: LogStatistics {
    var statistics = core.statistics.withLock { $0 }
    statistics.pendingBytes = core.staging.withLock { $0.pendingBytes }
    return statistics
  }

  // MARK: Writing

  /// What remains to be done after a turn.
  package enum Turn: Equatable, Sendable {
    case idle
    /// There is no room for the accepted records; worth a retry after a while.
    case stalled
    /// Closed, or failed for good.
    case ended
  }

  /// How long to wait, in nanoseconds, before a full disk is tried again.
  private static let fullDiskPause: UInt64 = 50_000_000
  /// After how many nanoseconds a log that waits for room counts as stuck.
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

  /// Waits for the next wake-up; if there are records already, for at most the commit delay.
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
    gather(until: MonotonicClock.now() + patience)
    core.staging.withLock { $0.isWriterAsleep = false }
  }

  /// Where the log is shared, waits for as many records as the last commit had: the clients that it answered bring them,
  /// but not all at once, and an append takes the same time for more records.
  private func gather(until deadline: UInt64) {
    let wanted = core.gathered.load(ordering: .relaxed)
    while MonotonicClock.now() < deadline {
      let isLacking = core.staging.withLock { staging in
        staging.isWriterAsleep = staging.lacks(wanted)
        return staging.isWriterAsleep
      }
      guard isLacking else { return }
      core.writerBell.wait(until: deadline)
    }
  }

  /// Writes and syncs what was accepted, and announces it: all of the writer's work.
  package func turn() -> Turn { committer.withLock { $0.turn() } }

  /// Runs the keeper once; for tests that drive the log.
  package func tick() { keeper.tick() }

  /// Checks that the files are still the ones in the folder; for tests that drive the log.
  package func lookAtFiles() { keeper.lookAtFiles() }

  // MARK: Closing

  /// Whether a frame was written that says that the log was closed. A follower writes none.
  package var hasCleanEnd: Bool { committer.withLock { $0.hasCleanEnd } }

  /// Writes and syncs what was accepted, marks the log as cleanly closed, and returns when that is done. Records
  /// appended from now on are refused.
  package func close() {
    guard core.staging.withLock({ $0.beginClose() }) else { return }
    let threads = self.threads.withLock { $0 }
    core.writerBell.ring()
    if let writer = threads.first { writer.join() } else { while turn() != .ended {} }
    keeper.stop()
    if threads.count > 1 { threads[1].join() }
    // Check once more, so that an end is not taken for clean if the last records went to an unlinked file.
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
      // Every record is durable and the clean-end frame written; the next start only has more to tidy up.
    }
  }
}
