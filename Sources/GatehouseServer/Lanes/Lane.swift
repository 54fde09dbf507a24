import GatehouseCore
import GatehouseStorage
import GatehouseWire
import Synchronization

/// One thread and all that lives on it: connections, and the executor that carries out their commands.
///
/// Nothing of it is locked, for nothing of it is shared: it may be touched on its loop only. What other threads want of
/// it they bring there.
final class Lane: @unchecked Sendable {
  let index: Int
  let loop: LaneLoop
  let facts: ServerFacts
  var clock: ServerClock { facts.clock }

  /// Set once, before the first connection.
  @exclusivity(unchecked) private(set) var services: ServerContext!
  @exclusivity(unchecked) private(set) var executor: CommandExecutor!
  /// Whether somebody watches all commands; looked up once a read.
  @exclusivity(unchecked) private(set) var isWatched = false

  @exclusivity(unchecked) var metrics = CommandMetrics()
  var connections: [UInt64: Connection] = [:]
  /// Connections that were closed in this tick, in which there may still be news of them.
  var closed: [Connection] = []
  /// Long work that waits for time.
  var line = WorkLine()
  /// Where what clients send is read into. A connection keeps what is no whole request yet.
  let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  @exclusivity(unchecked) var replies = LaneReplies()
  /// Bytes that wait for the lane's clients. Written by the lane, read by others.
  let waitingBytes = Atomic<Int>(0)
  /// How often the lane's upkeep was done.
  var upkeeps = 0
  /// Whether clients are about to be disconnected because too much waits for all.
  let mustRelieve = Atomic<Bool>(false)
  /// Connections with replies that wait for the log.
  private var gated: [Connection] = []
  /// Whether the log writer must wake the lane.
  private let isWaiting = Atomic<Bool>(false)

  init(index: Int, facts: ServerFacts) throws {
    self.index = index
    self.facts = facts
    loop = try LaneLoop(timerInterval: Self.upkeepInterval)
  }

  deinit {
    input.deallocate()
    foresights.deallocate()
  }

  /// Puts long work in line.
  func wait(_ work: WorkLine.Work) { line.append(work) }

  /// A connection has closed.
  func closed(_ connection: Connection) {
    connections[connection.client.id] = nil
    closed.append(connection)
    facts.connectedClients.subtract(1, ordering: .relaxed)
  }

  /// Gives the lane what it works with, once the data is there.
  func begin(_ services: ServerContext) {
    self.services = services
    executor = CommandExecutor(services, refusals: services.refusals[index])
  }

  var isReady: Bool { services != nil }

  var turn: Turn { executor.turn }

  /// The directory as this lane's decisions read it.
  var directory: Directory { executor.turn.directory }

  /// Takes a changed directory over, and with it which services there are.
  func directoryChanged() {
    executor.adoptDirectory(executor.turn)
    dropForeignServices()
  }

  // MARK: The log

  @inline(__always)
  var durable: LSN { services.log.durableLSN }

  /// How far the log was durable when the read began: what is settled by then needs no second look.
  @exclusivity(unchecked) private(set) var durableBefore: LSN = 0

  /// Sees to it that a connection is told when the log has come further.
  func waitForLog(_ connection: Connection) {
    gated.append(connection)
    connection.waitingSince = lastEnd > 0 ? lastEnd : Clock.nanoseconds()
    isWaiting.store(true, ordering: .sequentiallyConsistent)
    // The log may have come far enough, or failed, just before it could see that somebody waits.
    if let horizon = connection.nextHorizon, horizon <= durable || services.hasLogFailed {
      loop.execute { self.logAdvanced() }
    }
  }

  /// Called by the log writer's thread after each sync.
  func wake() {
    if isWaiting.exchange(false, ordering: .sequentiallyConsistent) {
      loop.execute { self.logAdvanced() }
    }
  }

  func logAdvanced() {
    let waiting = gated
    gated.removeAll(keepingCapacity: true)
    if waiting.isEmpty { return }
    let durable = durable
    let now = Clock.nanoseconds()
    for connection in waiting {
      metrics.logWaits.add(now &- connection.waitingSince)
      connection.logAdvanced(durable)
    }
  }

  // MARK: Committing

  /// Whether records were appended that nobody has been asked to write.
  @exclusivity(unchecked) var needsCommit = false
  /// Commands that were carried out since the last commit.
  @exclusivity(unchecked) var commandsSinceCommit = 0

  /// Has written what was appended, at the end of the tick: what many connections write in one becomes one frame and one
  /// sync.
  @inline(__always)
  func commitSoon() { needsCommit = true }

  /// Closes connections of services that were deleted, and asks those who had no need of one to say who they are.
  private func dropForeignServices() {
    for connection in connections.values {
      guard let service = connection.facts.service else { continue }
      if service != 0 {
        if directory.service(service)?.isDeleted ?? true { connection.close() }
      } else if directory.hasServices {
        connection.endBeingLocal(directory)
      }
    }
  }

  // MARK: Reads

  /// The requests of a read that are carried out next.
  @exclusivity(unchecked) var run = RequestRun()
  /// What is known of each of them.
  let foresights = UnsafeMutableBufferPointer<Foresight>.allocate(capacity: RequestRun.most)

  /// Has memory bring what requests will read that are carried out next.
  @inline(__always)
  func lookAhead(_ count: Int, _ executor: CommandExecutor, _ request: (Int) -> Arguments) {
    for index in 0..<count { foresights.initializeElement(at: index, to: executor.turn.foresee(request(index))) }
    executor.lookAhead(UnsafeMutableBufferPointer(rebasing: foresights[..<count]))
  }

  /// The time of the read at hand, for all its commands.
  @exclusivity(unchecked) private(set) var now: Milliseconds = 0
  /// The same by the clock that nobody sets: for how long something has been so.
  @exclusivity(unchecked) private(set) var monotonic: Milliseconds = 0
  private var readStart: UInt64 = 0
  /// When the read's first command had ended; 0 where there was none yet.
  private var firstEnd: UInt64 = 0
  /// When the read before it ended, if that was in the same tick and only reads came since; else 0. Then the clocks need
  /// not be read again.
  private var lastEnd: UInt64 = 0
  /// The command that is being timed by itself.
  private var timed: TimedCommand?
  /// The commands of the read, as runs of the same one.
  private var runs: [(place: Int, calls: Int)] = []
  @exclusivity(unchecked) private(set) var commandsInRead = 0
  /// The run of one command that is being counted.
  @exclusivity(unchecked) private var runPlace = -1
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
    isWatched = services.monitors.isWatched
    durableBefore = services.log.durableLSN
  }

  @inline(__always)
  func count(_ place: Int) {
    commandsInRead &+= 1
    if place == runPlace { runCalls &+= 1 } else { beginRun(place) }
  }

  private func beginRun(_ place: Int) {
    endRun()
    runPlace = place
    runCalls = 1
  }

  private func endRun() {
    guard runCalls > 0 else { return }
    metrics.count(runPlace, calls: runCalls)
    runs.append((runPlace, runCalls))
    runPlace = -1
    runCalls = 0
  }

  /// Notes a failure of a command, or, without a place, of what was none.
  func failed(_ place: Int?, _ code: String) { metrics.fail(place, code) }

  /// Nanoseconds since the read began.
  var elapsedInRead: UInt64 { Clock.nanoseconds(since: readStart) }

  /// Ends a read. Its time is shared out evenly: a clock read a command would cost as much as some commands.
  func endRead() {
    endRun()
    commandsSinceCommit += commandsInRead
    if runs.isEmpty { return forgetClock() }
    let end = commandsInRead == 1 && firstEnd > 0 ? firstEnd : Clock.nanoseconds()
    lastEnd = end
    let elapsed = end > readStart ? end - readStart : 0
    for run in runs {
      metrics.time(run.place, calls: run.calls, nanoseconds: elapsed * UInt64(run.calls) / UInt64(commandsInRead))
    }
  }

  /// Time passes in which no read is timed.
  @inline(__always)
  func forgetClock() { lastEnd = 0 }

  /// Looks how long the first command of a read took, as it may be the only one.
  @inline(__always)
  func endFirst(_ request: Arguments, _ client: ClientFacts) {
    firstEnd = Clock.nanoseconds()
    noteSlow(request, client, nanoseconds: firstEnd > readStart ? firstEnd - readStart : 0)
  }

  /// Times one command by itself: those that may take long.
  func single(_ place: Int?, _ request: Arguments, _ client: ClientFacts, _ work: () -> Void) {
    let outer = timed
    let command = TimedCommand(request, place: place)
    timed = command
    work()
    let isLate = timed!.isLate
    timed = outer
    let elapsed = Clock.nanoseconds(since: command.start)
    // Not part of what the read's other commands share.
    readStart &+= elapsed
    reportWaits { _ in }
    guard let place else { return }
    metrics.count(place, calls: 1)
    if isLate { return }
    metrics.time(place, calls: 1, nanoseconds: elapsed)
    noteSlow(request, client, nanoseconds: elapsed)
  }

  /// The place of the command that is being timed by itself.
  var singlePlace: Int? { timed?.place }

  /// The command that is being timed by itself is answered from elsewhere.
  func leaveSingle() -> LateCommand { timed!.leave() }

  /// Notes that the answer to a command that left its thread has come.
  func endLate(_ command: LateCommand, _ client: ClientFacts) {
    let elapsed = Clock.nanoseconds(since: command.start)
    if let place = command.place { metrics.time(place, calls: 1, nanoseconds: elapsed) }
    noteSlow(client, nanoseconds: elapsed) { command.words }
  }

  /// Notes how long the command at hand has waited for owners that other threads were in.
  @inline(__always)
  func reportWaits(_ note: (_ nanoseconds: UInt64) -> Void) {
    guard let executor, executor.waited > 0 else { return }
    metrics.holdWaits.add(executor.waited)
    note(executor.waited)
    executor.waited = 0
  }

  /// Keeps a command in the slow log if it took that long.
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
