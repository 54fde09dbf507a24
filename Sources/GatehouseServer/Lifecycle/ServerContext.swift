import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

/// What all lanes of a server share. All of it is immutable or thread-safe.
final class ServerContext: Sendable {
  let partitioning: Partitioning
  let folder: DataFolder
  let log: LogWriter
  let lanes: [Lane]
  let partitions: [Partition]
  /// The partitions' handles, by partition number.
  let handles: ContiguousArray<PartitionHandle>
  let directory: DirectoryOwner
  let gate: Gate
  let holdFigures = HoldFigures()
  let logger: Logger
  let facts: ServerFacts
  var clock: ServerClock { facts.clock }
  let slowLog = SlowLog()
  let monitors = Watchers()
  /// The connections that have subscriptions.
  let subscribers = Watchers()
  let serviceUses = ServiceUses()
  /// The refused logins of each lane; the last ring belongs to the lent executors.
  let refusals: [RefusalRing]
  let persistence: Persistence
  /// With which directory and key store no key of a deleted webhook was left.
  let lookedForWebhooks = Mutex<(directory: LSN, store: UInt64)?>(nil)
  let logIndex: LogIndex
  /// The log and its archive, for readers.
  let history: History
  let workPool = WorkPool(threads: 4, line: 64)
  let feedReaders: FeedReaders
  let durableWaits: DurableWaits
  let feedTail: FeedTail
  /// A pool of its own, so that readers of the feed do not hold up logins.
  let feedPool = WorkPool(threads: 2, line: Limits.feedReaders)
  /// For commands of fronts that read all partitions or are many: their loops must not stand still meanwhile.
  let frontPool = WorkPool(threads: 2, line: 256)
  let heldBackups = HeldBackups()
  /// For reading pieces of backups. It gives way to the lanes.
  let backupPool = WorkPool(threads: 2, line: 64, priority: .low)
  let passwordHasher: PasswordHasher
  /// For hashing passwords. Its threads give way to the lanes, and a login that would wait for more than a second is
  /// refused instead.
  let passwordPool: WorkPool
  /// The commands of fronts without a lane, such as HTTP.
  let frontMetrics = Mutex(CommandMetrics())
  /// Executors to lend to threads without one of their own.
  private let executors = Mutex<[LentExecutor]>([])
  /// Has the log's handlers forget the context.
  let onEnd = Mutex<(@Sendable () -> Void)?>(nil)
  /// The node's part in a cluster; nil without one.
  let replicator = Mutex<Replicator?>(nil)
  let newerRecords = NewerRecords()
  let folderSecret: Digest
  private let logFailure = Atomic<Bool>(false)
  /// The connection that created the first service. It alone stays connected without authenticating, as that service.
  private let founder = Atomic<UInt64>(0)
  /// Background tasks, which shutdown waits for.
  private let tasks = Mutex<(running: Int, waiter: CheckedContinuation<Void, Never>?)>((0, nil))

  init(
    partitioning: Partitioning, folder: DataFolder, log: LogWriter, lanes: [Lane], partitions: [Partition],
    directory: DirectoryState, facts: ServerFacts, persistence: Persistence, feedReaders: FeedReaders,
    durableWaits: DurableWaits, hasher: PasswordHasher, logger: Logger
  ) {
    self.partitioning = partitioning
    self.folder = folder
    self.log = log
    self.lanes = lanes
    self.partitions = partitions
    handles = ContiguousArray(partitions.map(\.handle))
    self.directory = DirectoryOwner(DirectoryCell(directory))
    gate = Gate(log, directory)
    self.facts = facts
    let length = facts.current.refusalsLength
    refusals = (0...lanes.count).map { _ in RefusalRing(size: length) }
    self.persistence = persistence
    logIndex = LogIndex(folder, keys: RecordIndex.keys(of: folder))
    history = History(folder, index: logIndex, cache: HistoryCache(), keys: RecordIndex.keys(of: folder))
    self.feedReaders = feedReaders
    self.durableWaits = durableWaits
    feedTail = FeedTail(folder.logLocation, folder.keys)
    self.logger = logger
    folderSecret = folder.manifest.tokenSecret
    passwordHasher = hasher
    passwordPool = WorkPool(
      threads: facts.current.passwordThreads ?? facts.coreCount, line: facts.current.passwordQueue,
      patience: .seconds(1),
      priority: .low)
  }

  /// Whether the log has failed, and so takes no more changes.
  @inline(__always)
  var hasLogFailed: Bool { logFailure.load(ordering: .acquiring) }

  /// Whether appended records will not become durable soon: the log has failed, or has no room.
  var isLogStuck: Bool { hasLogFailed || log.isStuck }

  func noteLogFailure() { logFailure.store(true, ordering: .releasing) }

  /// Whether the server is shutting down, so that whatever waits should give up.
  var isStopping: Bool { facts.phase.load(ordering: .acquiring) == .stopping }

  /// Has the log synced through a record without waiting for the interval, and waits until it is.
  ///
  /// - Parameter goesOn: asked repeatedly whether to keep waiting.
  /// - Returns: whether the record is synced.
  func sync(through lsn: LSN, while goesOn: () async -> Bool) async -> Bool {
    while log.syncedLSN < lsn {
      guard !hasLogFailed, await goesOn() else { break }
      log.requestSync()
      try? await Task.sleep(for: .milliseconds(1))
    }
    return log.syncedLSN >= lsn
  }

  func makeTurn(refusals: any RefusalKeeper) -> Turn {
    let turn = Turn(
      partitioning: partitioning, directory: gate.directory, counters: gate, refusals: refusals,
      guesses: facts.guesses, folderSecret: folderSecret, entropy: Entropy(fill: fillRandom, digest: sha256),
      digest: sha256, hmacSHA1: hmacSHA1)
    turn.wallLag = { [clock = facts.clock] in clock.wallLag }
    turn.isExposed = facts.isExposed.load(ordering: .relaxed)
    return turn
  }

  // MARK: Executors

  /// Lends the calling thread an executor.
  func withExecutor<Result>(_ body: (CommandExecutor) -> Result) -> Result {
    let lent =
      executors.withLock { $0.popLast() }
      ?? LentExecutor(executor: CommandExecutor(self, refusals: refusals[lanes.count]))
    defer { executors.withLock { $0.append(lent) } }
    lent.executor.noteRole()
    return body(lent.executor)
  }

  /// Only one thread has it at a time.
  private struct LentExecutor: @unchecked Sendable {
    let executor: CommandExecutor
  }

  /// Breaks the circles of references, once nothing works with it any more.
  func letGo() {
    executors.withLock { $0 = [] }
    onEnd.withLock { $0.take() }?()
  }

  // MARK: Services

  /// Whether a connection created the first service.
  func isFounder(_ connection: UInt64) -> Bool { connection == founder.load(ordering: .relaxed) }

  // MARK: The directory

  /// Publishes a directory that a turn has changed. Call it while the turn's owners are held.
  func publish(_ changed: Directory, _ turn: Turn) {
    if changed.hasServices, !turn.directory.hasServices { founder.store(turn.connection.id, ordering: .relaxed) }
    gate.publish(changed)
    turn.directory = changed
    // Queued before the reply leaves: each lane drops what the change ends then, or sees it at its next read.
    for lane in lanes { lane.loop.execute { lane.directoryChanged() } }
    facts.directoryWatch.notify()
  }

  /// Publishes a directory that a record of the leader has changed. Call it while the directory is held.
  func publish(followed changed: Directory) {
    gate.publish(changed)
    for lane in lanes { lane.loop.execute { lane.directoryChanged() } }
    facts.directoryWatch.notify()
  }

  // MARK: Tasks

  /// Runs work in a task that shutdown waits for.
  @discardableResult
  func start(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    taskBegins()
    return Task {
      await work()
      taskEnds()
    }
  }

  /// Has shutdown wait for something until `taskEnds`.
  func taskBegins() { tasks.withLock { $0.running += 1 } }

  func taskEnds() {
    let waiter = tasks.withLock { tasks -> CheckedContinuation<Void, Never>? in
      tasks.running -= 1
      guard tasks.running == 0 else { return nil }
      defer { tasks.waiter = nil }
      return tasks.waiter
    }
    waiter?.resume()
  }

  /// Returns once no such task runs. Only one caller may await it.
  func tasksEnd() async {
    await withCheckedContinuation { continuation in
      let isIdle = tasks.withLock { tasks in
        if tasks.running > 0 { tasks.waiter = continuation }
        return tasks.running == 0
      }
      if isIdle { continuation.resume() }
    }
  }
}
