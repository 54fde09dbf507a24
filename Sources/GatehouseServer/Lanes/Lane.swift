import GatehouseCore
import GatehouseStorage
import GatehouseWire
import Synchronization

/// One event-loop thread and everything that lives on it: connections, and the executor that carries out their
/// commands.
///
/// Only the lane's own thread uses it, so nothing needs a lock. Other threads submit work to its loop.
final class Lane: @unchecked Sendable {
  let index: Int
  let loop: LaneLoop
  let facts: ServerFacts
  var clock: ServerClock { facts.clock }

  /// Set once, before the first connection.
  @exclusivity(unchecked) private(set) var services: ServerContext!
  @exclusivity(unchecked) private(set) var executor: CommandExecutor!
  /// Whether any connection monitors commands; refreshed once per read.
  @exclusivity(unchecked) private(set) var isWatched = false

  @exclusivity(unchecked) var metrics = CommandMetrics()
  var connections: [UInt64: Connection] = [:]
  /// Connections closed in this tick. They are kept alive until its end, because the current batch of events may still
  /// mention them.
  var closed: [Connection] = []
  /// Long work that waits for time.
  var line = WorkLine()
  /// The receive buffer shared by all sockets. A connection keeps a copy of an incomplete request only.
  let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  /// Where TLS connections put what they have decrypted, and what is sealed, during one read or write.
  let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  let tlsRoom = TLSRoom()
  @exclusivity(unchecked) var replies = LaneReplies()
  /// Bytes that wait for the lane's clients. Only the lane writes it; others read it.
  let waitingBytes = Atomic<Int>(0)
  /// How many rounds of upkeep the lane has begun.
  var upkeeps = 0
  /// The round that is under way.
  var upkeep: LaneUpkeep?
  /// Whether disconnecting clients, because the total limit is exceeded, is already scheduled.
  let mustRelieve = Atomic<Bool>(false)
  /// Clients that were disconnected for that, and are not in the server's log yet.
  var unreportedEvictions = 0
  /// When that was last logged.
  var evictionsReported: Milliseconds?
  /// Connections with replies that wait for the log.
  private var awaitingLog: [Connection] = []
  /// Whether the log writer must wake the lane after a sync.
  private let isWaiting = Atomic<Bool>(false)

  init(index: Int, facts: ServerFacts) throws {
    self.index = index
    self.facts = facts
    loop = try LaneLoop(timerInterval: Self.upkeepInterval)
  }

  deinit {
    input.deallocate()
    plain.deallocate()
    lookaheads.deallocate()
  }

  /// Puts long work in line.
  func wait(_ work: WorkLine.Work) { line.append(work) }

  /// A connection has closed.
  func closed(_ connection: Connection) {
    // First of all: only `connections` may keep it alive, because replies that a tick has gathered do not.
    closed.append(connection)
    connections[connection.client.id] = nil
    assert(connection.counted == 0, "a closed connection still counts \(connection.counted) bytes as waiting")
    assert(!connections.isEmpty || waitingBytes.load(ordering: .relaxed) == 0, "bytes wait for nobody")
    facts.connectedClients.subtract(1, ordering: .relaxed)
    facts.addresses.leave(connection.client.peer)
  }

  /// Gives the lane what it works with, once the data is loaded.
  func begin(_ services: ServerContext) {
    self.services = services
    executor = CommandExecutor(services, refusals: services.refusals[index])
  }

  /// Gives up what it works with, once its loop has ended: a server that begins anew must not keep the data twice.
  func letGo() {
    // Their clients would wait for ever.
    for connection in connections.values { connection.close() }
    closed.removeAll()
    services?.letGo()
    executor = nil
    services = nil
  }

  var isReady: Bool { services != nil }

  var turn: Turn { executor.turn }

  /// The directory as this lane's decisions see it.
  var directory: Directory { executor.turn.directory }

  /// Adopts a changed directory, and with it the current services.
  func directoryChanged() {
    executor.adoptDirectory(executor.turn)
    dropForeignServices()
  }

  // MARK: The log

  @inline(__always)
  var durable: LSN { services.log.durableLSN }

  /// How far the log was durable when the read began. Replies that wait for no more than this leave without another
  /// load of the atomic.
  @exclusivity(unchecked) private(set) var durableBefore: LSN = 0

  /// Has `logAdvanced` called for the connection once more of the log is durable.
  func waitForLog(_ connection: Connection) {
    awaitingLog.append(connection)
    connection.waitingSince = lastEnd > 0 ? lastEnd : Clock.nanoseconds()
    isWaiting.store(true, ordering: .sequentiallyConsistent)
    // Check again: the log may have advanced, or failed, just before it could see that the lane waits.
    if let horizon = connection.nextHorizon, horizon <= durable || services.hasLogFailed {
      loop.execute { self.logAdvanced() }
    }
  }

  /// Called after each sync, by the log writer's thread or by a lane that commits itself.
  func wake() {
    if isWaiting.exchange(false, ordering: .sequentiallyConsistent) {
      loop.execute { self.logAdvanced() }
    }
  }

  func logAdvanced() {
    let waiting = awaitingLog
    awaitingLog.removeAll(keepingCapacity: true)
    if waiting.isEmpty { return }
    let durable = durable
    let now = Clock.nanoseconds()
    for connection in waiting {
      metrics.logWaits.add(now &- connection.waitingSince)
      connection.logAdvanced(durable)
    }
  }

  // MARK: Committing

  /// Whether records were appended that the log has not been asked to write.
  @exclusivity(unchecked) var needsCommit = false
  /// Commands carried out since the last commit.
  @exclusivity(unchecked) var commandsSinceCommit = 0

  /// Group commit: has the appended records written at the end of the tick, so that the writes of many connections
  /// become one frame and one sync.
  @inline(__always)
  func commitSoon() { needsCommit = true }

  /// Closes connections of deleted services, and gives the others what their services may do now. Once there are
  /// services, connections that needed none so far must authenticate.
  private func dropForeignServices() {
    for connection in connections.values {
      guard let service = connection.facts.service else { continue }
      if service != 0 {
        connection.follow(directory.service(service))
      } else if directory.hasServices {
        connection.endBeingLocal(directory)
      }
    }
  }

  // MARK: Reads

  /// The requests of the current read that are carried out next.
  @exclusivity(unchecked) var run = RequestRun()
  /// What is prefetched for each of them.
  let lookaheads = UnsafeMutableBufferPointer<Lookahead>.allocate(capacity: RequestRun.most)

  /// Prefetches the memory that the next requests will read.
  @inline(__always)
  func lookAhead(_ count: Int, _ executor: CommandExecutor, _ request: (Int) -> Arguments) {
    for index in 0..<count { lookaheads.initializeElement(at: index, to: executor.turn.lookAhead(request(index))) }
    executor.lookAhead(UnsafeMutableBufferPointer(rebasing: lookaheads[..<count]))
  }

  /// The time of the current read, shared by all its commands.
  @exclusivity(unchecked) private(set) var now: Milliseconds = 0
  /// The same by the monotonic clock, to measure durations.
  @exclusivity(unchecked) private(set) var monotonic: Milliseconds = 0
  private var readStart: UInt64 = 0
  /// When the first command of the read ended; 0 until then.
  private var firstEnd: UInt64 = 0
  /// When the previous read ended, if it was in the same tick and only reads came since; else 0. If set, the next read
  /// starts there and need not read the clocks.
  private var lastEnd: UInt64 = 0
  /// The command that is timed separately.
  private var timed: TimedCommand?
  /// The commands of the read, as runs of equal commands.
  private var runs: [(commandIndex: Int, calls: Int)] = []
  @exclusivity(unchecked) private(set) var commandsInRead = 0
  /// The run that is being counted.
  @exclusivity(unchecked) private var runCommandIndex = -1
  @exclusivity(unchecked) private var runCalls = 0

  func beginRead() {
    if lastEnd > 0 {
      now = max(now, clock.time(at: lastEnd))
      readStart = lastEnd
    } else {
      let look = clock.look(notBefore: now)
      now = look.now
      readStart = look.nanoseconds
    }
    monotonic = Milliseconds(readStart / 1_000_000)
    firstEnd = 0
    runs.removeAll(keepingCapacity: true)
    commandsInRead = 0
    guard let services else { return }
    if executor.isDirectoryStale { directoryChanged() }
    executor.noteRole()
    isWatched = services.monitors.isWatched
    durableBefore = services.log.durableLSN
  }

  @inline(__always)
  func count(_ commandIndex: Int) {
    commandsInRead &+= 1
    if commandIndex == runCommandIndex { runCalls &+= 1 } else { beginRun(commandIndex) }
  }

  private func beginRun(_ commandIndex: Int) {
    endRun()
    runCommandIndex = commandIndex
    runCalls = 1
  }

  private func endRun() {
    guard runCalls > 0 else { return }
    metrics.count(runCommandIndex, calls: runCalls)
    runs.append((runCommandIndex, runCalls))
    runCommandIndex = -1
    runCalls = 0
  }

  /// Counts an error of a command, or of a request that named none.
  func failed(_ commandIndex: Int?, _ code: String) { metrics.fail(commandIndex, code) }

  /// Nanoseconds since the read began.
  var elapsedInRead: UInt64 { Clock.nanoseconds(since: readStart) }

  /// Ends a read and divides its time evenly among its commands: reading the clock for each would cost as much as some
  /// of them.
  func endRead() {
    endRun()
    commandsSinceCommit += commandsInRead
    if runs.isEmpty { return forgetClock() }
    let end = commandsInRead == 1 && firstEnd > 0 ? firstEnd : Clock.nanoseconds()
    lastEnd = end
    let elapsed = end > readStart ? end - readStart : 0
    for run in runs {
      metrics.time(
        run.commandIndex, calls: run.calls, nanoseconds: elapsed * UInt64(run.calls) / UInt64(commandsInRead))
    }
  }

  /// Something that is not a read takes time now, so the next read must read the clocks.
  @inline(__always)
  func forgetClock() { lastEnd = 0 }

  /// Checks how long the first command of a read took, since it may be the only one.
  @inline(__always)
  func endFirst(_ request: Arguments, _ client: ClientFacts) {
    firstEnd = Clock.nanoseconds()
    noteSlow(request, client, nanoseconds: firstEnd > readStart ? firstEnd - readStart : 0)
  }

  /// Times one command separately, because it may take long.
  func single(_ commandIndex: Int?, _ request: Arguments, _ client: ClientFacts, _ work: () -> Void) {
    let outer = timed
    let command = TimedCommand(request, commandIndex: commandIndex)
    timed = command
    work()
    let isLate = timed!.isLate
    timed = outer
    let elapsed = Clock.nanoseconds(since: command.start)
    // Exclude it from the time that the read's other commands share.
    readStart &+= elapsed
    reportWaits { _ in }
    guard let commandIndex else { return }
    metrics.count(commandIndex, calls: 1)
    if isLate { return }
    metrics.time(commandIndex, calls: 1, nanoseconds: elapsed)
    noteSlow(request, client, nanoseconds: elapsed)
  }

  /// The table index of the command that is timed separately.
  var singleCommandIndex: Int? { timed?.commandIndex }

  /// The command that is timed separately will be answered later.
  func leaveSingle() -> LateCommand { timed!.leave() }

  /// The answer of a command that was answered later has arrived.
  func endLate(_ command: LateCommand, _ client: ClientFacts) {
    let elapsed = Clock.nanoseconds(since: command.start)
    if let commandIndex = command.commandIndex { metrics.time(commandIndex, calls: 1, nanoseconds: elapsed) }
    noteSlow(client, nanoseconds: elapsed) { command.words }
  }

  /// Reports how long the current command has waited for owners that other threads were in.
  @inline(__always)
  func reportWaits(_ note: (_ nanoseconds: UInt64) -> Void) {
    guard let executor, executor.waited > 0 else { return }
    metrics.holdWaits.add(executor.waited)
    note(executor.waited)
    executor.waited = 0
  }

  /// Adds a command to the slow log if it took long enough.
  func noteSlow(_ request: Arguments, _ client: ClientFacts, nanoseconds: UInt64) {
    noteSlow(client, nanoseconds: nanoseconds) { shownWords(request) }
  }

  private func noteSlow(_ client: ClientFacts, nanoseconds: UInt64, words: () -> [String]) {
    let threshold = services.facts.slowlogThreshold.load(ordering: .relaxed)
    guard threshold >= 0, nanoseconds / 1000 >= UInt64(threshold) else { return }
    services.slowLog.add(
      words(), microseconds: Int64(nanoseconds / 1000), time: now / 1000, client: client.address, name: client.name,
      limit: services.facts.current.slowlogLength)
  }
}
