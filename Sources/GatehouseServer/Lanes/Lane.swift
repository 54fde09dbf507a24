import GatehouseCore
import GatehouseStorage
import GatehouseWire
import NIOCore
import Synchronization

/// One event-loop thread and all that lives on it: connections, and the executor that carries out their commands.
///
/// Nothing of it is locked, for nothing of it is shared: it may be touched on its loop only. What other
/// lanes want of it comes as a task of the loop.
final class Lane: @unchecked Sendable {
  let index: Int
  let loop: any EventLoop
  let clock: ServerClock

  /// Set once, before the first connection.
  @exclusivity(unchecked) private(set) var services: ServerContext!
  @exclusivity(unchecked) private(set) var executor: CommandExecutor!
  /// Whether somebody watches all commands; looked up once a read.
  @exclusivity(unchecked) private(set) var isWatched = false

  @exclusivity(unchecked) var metrics = CommandMetrics()
  var connections: [UInt64: ConnectionHandler] = [:]
  /// Long work that waits for time.
  var rounds = Rounds()
  /// Calls the next round.
  var bell: RoundBell?
  /// Bytes that wait for the lane's clients. Written by the lane, read by others.
  let waitingBytes = Atomic<Int>(0)
  /// How often the lane's upkeep was done.
  var upkeeps = 0
  /// Whether clients are about to be disconnected because too much waits for all.
  var isRelieving = false
  /// The memory in which replies are made, lent to the connection that makes some: were it each connection's own, as
  /// much would lie idle as there are connections.
  @exclusivity(unchecked) var spareReady = ByteBuffer()
  /// Connections with replies that wait for the log.
  private var gated: [ConnectionHandler] = []
  /// Whether the log writer must wake the lane.
  private let isWaiting = Atomic<Bool>(false)

  init(index: Int, loop: any EventLoop, clock: ServerClock) {
    self.index = index
    self.loop = loop
    self.clock = clock
  }

  /// Gives the lane what it works with, once the data is there.
  func begin(_ services: ServerContext) {
    self.services = services
    executor = CommandExecutor(services)
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
  func waitForLog(_ connection: ConnectionHandler) {
    gated.append(connection)
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
    let durable = durable
    for connection in waiting { connection.logAdvanced(durable) }
  }

  // MARK: Committing

  /// Whether records were appended that the writer has not been woken for.
  @exclusivity(unchecked) private var needsWake = false

  /// Lets the log's writer go when the loop has dealt with all that is ready to be read: what many connections
  /// write at a time becomes one frame and one sync.
  func wakeLogSoon() {
    if needsWake { return }
    needsWake = true
    loop.execute {
      self.needsWake = false
      self.services.log.wake()
    }
  }

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

  // MARK: Buffers

  /// How much memory for replies a lane keeps.
  private static let spareBytes = 1024 * 1024

  /// Takes back the memory that was lent to a connection, or drops it where it is one too many, or large.
  @inline(__always)
  func takeBack(_ buffer: inout ByteBuffer) {
    if spareReady.capacity == 0, buffer.capacity <= Self.spareBytes {
      swap(&buffer, &spareReady)
    } else {
      buffer = ByteBuffer()
    }
  }

  // MARK: Reads

  /// The requests of a read that are carried out next.
  @exclusivity(unchecked) var run = RequestRun()
  /// What is known of each of them.
  @exclusivity(unchecked) private(set) var foresights: ContiguousArray<Foresight> = []

  /// Has memory bring what requests will read that are carried out next.
  @inline(__always)
  func lookAhead(_ count: Int, _ executor: CommandExecutor, _ request: (Int) -> Arguments) {
    foresights.removeAll(keepingCapacity: true)
    for index in 0..<count { foresights.append(executor.turn.foresee(request(index))) }
    executor.lookAhead(&foresights)
  }

  /// The time of the read at hand, for all its commands.
  @exclusivity(unchecked) private(set) var now: Milliseconds = 0
  /// The same by the clock that nobody sets: for how long something has been so.
  @exclusivity(unchecked) private(set) var monotonic: Milliseconds = 0
  private var readStart: UInt64 = 0
  /// The place of the command that is being timed by itself.
  private(set) var singlePlace: Int?
  /// The commands of the read, as runs of the same one.
  private var runs: [(place: Int, calls: Int)] = []
  @exclusivity(unchecked) private(set) var commandsInRead = 0
  /// The run of one command that is being counted.
  @exclusivity(unchecked) private var runPlace = -1
  @exclusivity(unchecked) private var runCalls = 0

  func beginRead() {
    let look = clock.look(notBefore: now)
    now = look.now
    readStart = look.nanoseconds
    monotonic = Milliseconds(look.nanoseconds / 1_000_000)
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
    if runs.isEmpty { return }
    let elapsed = elapsedInRead
    for run in runs {
      metrics.time(run.place, calls: run.calls, nanoseconds: elapsed * UInt64(run.calls) / UInt64(commandsInRead))
    }
  }

  /// Times one command by itself: those that may take long.
  func single(_ place: Int?, _ request: Arguments, _ client: ClientFacts, _ work: () -> Void) {
    singlePlace = place
    defer { singlePlace = nil }
    let start = Clock.nanoseconds()
    work()
    let elapsed = Clock.nanoseconds(since: start)
    // Not part of what the read's other commands share.
    readStart &+= elapsed
    guard let place else { return }
    metrics.count(place, calls: 1)
    metrics.time(place, calls: 1, nanoseconds: elapsed)
    noteSlow(request, client, nanoseconds: elapsed)
  }

  /// Keeps a command in the slow log if it took that long.
  func noteSlow(_ request: Arguments, _ client: ClientFacts, nanoseconds: UInt64) {
    let threshold = services.facts.slowlogThreshold.load(ordering: .relaxed)
    guard threshold >= 0, nanoseconds / 1000 >= UInt64(threshold) else { return }
    services.slowLog.add(
      shownWords(request), microseconds: Int64(nanoseconds / 1000), time: now / 1000, client: client.address,
      name: client.name, limit: services.facts.current.slowlogLength)
  }
}

extension Refusal {
  /// Answers a read that would show what the log had not made durable when it failed.
  static let neverDurable = Refusal(
    .readOnly,
    "the log failed before what this would show was durable; what is durable can be read; INFO log says what failed")
  /// Answers a read that would show what the log cannot write for now.
  static func notDurableYet(_ log: LogWriter) -> Refusal {
    let (what, relief) = log.want
    return Refusal(
      .readOnly, "\(what), and what this would show is not durable yet; what is durable can be read; \(relief)")
  }

  /// Why the log takes no change.
  init(logRefusal: LogRefusal, _ log: LogWriter) {
    switch logRefusal {
    case .busy: self.init(.busy, "the log is behind; try again")
    case .full:
      let (what, relief) = log.want
      self.init(.readOnly, "\(what); nothing was changed; \(relief) and writes are taken again")
    case .failed(let why):
      self.init(
        .readOnly, "the log failed (\(why)); nothing was changed; \(log.remedy ?? DiskTrouble.failed.remedy)")
    case .early: preconditionFailure("a record that is too early takes a later time and is appended again")
    case .tooLarge: self.init(.limit, "record: the command changes more than one record of the log can hold; split it")
    }
  }
}

extension LogWriter {
  /// What is missing while the log is full, and what helps.
  var want: (what: String, relief: String) { (shortage?.trouble ?? .noSpace).want }
}
