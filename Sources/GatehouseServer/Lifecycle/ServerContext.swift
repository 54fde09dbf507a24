import GatehouseCore
import GatehouseStorage
import Logging
import Synchronization

/// What all lanes of a server share. Everything in it is immutable or safe to share.
final class ServerContext: Sendable {
  let partitioning: Partitioning
  let folder: DataFolder
  let log: LogWriter
  let lanes: [Lane]
  let partitions: [Partition]
  /// The ways into the partitions, by number.
  let handles: ContiguousArray<PartitionHandle>
  let directory: DirectoryOwner
  let gate: Gate
  let holdFigures = HoldFigures()
  let logger: Logger
  let facts: ServerFacts
  var clock: ServerClock { facts.clock }
  let slowLog = SlowLog()
  let monitors = Monitors()
  /// The refused logins of each lane, and last those of executors on loan.
  let refusals: [RefusalRing]
  let persistence: Persistence
  let logIndex: LogIndex
  let workPool = WorkPool(threads: 4, line: 64)
  /// Executors for threads that have none of their own.
  private let executors = Mutex<[LentExecutor]>([])
  private let folderSecret: Digest
  private let logFailure = Atomic<Bool>(false)
  /// The connection that defined the first service, and has just got its secret: it is that service's from then on.
  private let founder = Atomic<UInt64>(0)
  /// Work in tasks that the server's end waits for.
  private let tasks = Mutex<(running: Int, waiter: CheckedContinuation<Void, Never>?)>((0, nil))

  init(
    partitioning: Partitioning, folder: DataFolder, log: LogWriter, lanes: [Lane], partitions: [Partition],
    directory: DirectoryState, facts: ServerFacts, persistence: Persistence, logger: Logger
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
    logIndex = LogIndex(folder, keys: RecordIndex.keys)
    self.logger = logger
    folderSecret = folder.manifest.tokenSecret
  }

  /// Whether the log takes no more changes, for good.
  @inline(__always)
  var hasLogFailed: Bool { logFailure.load(ordering: .acquiring) }

  /// Whether what the log has accepted will not become durable soon: it has failed, or waits for room.
  var isLogStuck: Bool { hasLogFailed || log.isStuck }

  func noteLogFailure() { logFailure.store(true, ordering: .releasing) }

  /// Whether the server is on its way to its end: what waits for anything should give up.
  var isStopping: Bool { facts.phase.load(ordering: .acquiring) == .stopping }

  /// Has the log synced through a record, ahead of its interval, and waits for that.
  ///
  /// - Parameter goesOn: asked between two looks whether to wait on.
  /// - Returns: whether it is synced.
  func sync(through lsn: LSN, while goesOn: () async -> Bool) async -> Bool {
    while log.syncedLSN < lsn {
      guard !hasLogFailed, await goesOn() else { break }
      log.requestSync()
      try? await Task.sleep(for: .milliseconds(1))
    }
    return log.syncedLSN >= lsn
  }

  func makeTurn(refusals: any RefusalKeeper) -> Turn {
    Turn(
      partitioning: partitioning, directory: gate.directory, counters: gate, refusals: refusals,
      folderSecret: folderSecret, entropy: Entropy(fill: fillRandom, digest: sha256), digest: sha256)
  }

  // MARK: Executors

  /// Lends the calling thread an executor.
  func withExecutor<Result>(_ body: (CommandExecutor) -> Result) -> Result {
    let lent =
      executors.withLock { $0.popLast() }
      ?? LentExecutor(executor: CommandExecutor(self, refusals: refusals[lanes.count]))
    defer { executors.withLock { $0.append(lent) } }
    return body(lent.executor)
  }

  /// One thread has it at a time.
  private struct LentExecutor: @unchecked Sendable {
    let executor: CommandExecutor
  }

  // MARK: Services

  /// Whether a connection defined the first service.
  func isFounder(_ connection: UInt64) -> Bool { connection == founder.load(ordering: .relaxed) }

  // MARK: The directory

  /// Shows a directory that a turn has changed to everybody. To be called while its owners are held.
  func publish(_ changed: Directory, _ turn: Turn) {
    if changed.hasServices, !turn.directory.hasServices { founder.store(turn.connection.id, ordering: .relaxed) }
    gate.publish(changed)
    turn.directory = changed
    // Before the reply leaves each lane has heard of it, or sees it with the next command.
    for lane in lanes { lane.loop.execute { lane.directoryChanged() } }
  }

  // MARK: Tasks

  /// Carries work out in a task, which the server's end waits for.
  @discardableResult
  func start(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    tasks.withLock { $0.running += 1 }
    return Task {
      await work()
      let waiter = tasks.withLock { tasks -> CheckedContinuation<Void, Never>? in
        tasks.running -= 1
        guard tasks.running == 0 else { return nil }
        defer { tasks.waiter = nil }
        return tasks.waiter
      }
      waiter?.resume()
    }
  }

  /// Returns when no such work is under way; to be awaited by one at a time.
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
