import GatehouseWire

/// What one thread does: how many connections, how fast, how long.
struct WorkerPlan: Sendable {
  enum Pace: Sendable {
    /// Every connection sends `depth` requests together and waits for all their answers, like redis-benchmark.
    case closedLoop
    /// Requests are due at a fixed interval, whatever the server does, and latency counts from that moment. So a pause
    /// of the server shows in every request that was due meanwhile (no coordinated omission).
    case openLoop(interval: UInt64)
  }

  enum End: Sendable {
    case after(nanoseconds: UInt64)
    case afterRequests(Int)
    /// When the sources have no more requests.
    case sourcesEmpty
  }

  var address: ServerAddress
  var depth: Int
  var pace = Pace.closedLoop
  var warmup: UInt64 = 0
  var end: End
  /// The server's process, if its processor time is to be measured.
  var serverPID: Int32?
}

/// Drives some connections from one thread.
final class Worker<Source: RequestSource> {
  /// How long the server may answer nothing before the test gives up.
  private static var patience: UInt64 { 30_000_000_000 }

  private let plan: WorkerPlan
  private let poll: Poll
  /// Where the TLS connections of this thread put what they seal.
  private let room = TLSRoom()
  private var connections: [Connection<Source>] = []
  private var measurement = Measurement()
  private var open = 0
  private var closing = false
  private var measuring = false
  private var measuredFrom: UInt64 = 0
  private var deadline = UInt64.max
  private var budget = Int.max
  private var serverTimeAtStart: Double?
  private var lastNews: UInt64 = 0
  /// Open loop: when the next request is due, and which connection is next.
  private var due: UInt64 = 0
  private var turn = 0

  /// Opens a connection for each source.
  init(plan: WorkerPlan, sources: [Source]) throws {
    self.plan = plan
    poll = try Poll()
    for (token, source) in sources.enumerated() {
      let connection = try Connection(plan.address, depth: plan.depth, source: source, room: room)
      try poll.add(connection.descriptor, token: token)
      connections.append(connection)
    }
    open = connections.count
  }

  /// Runs to the end. Returns the measurement, and the sources in their final state.
  func run() throws -> (measurement: Measurement, sources: [Source]) {
    let now = MonotonicClock.now()
    lastNews = now
    measuredFrom = now + plan.warmup
    if case .after(let nanoseconds) = plan.end { deadline = measuredFrom + nanoseconds }
    due = now
    if plan.warmup == 0 { startMeasuring(now) }
    if case .closedLoop = plan.pace {
      for token in connections.indices { refill(token) }
    }
    while open > 0 { try step() }
    if let start = serverTimeAtStart, let pid = plan.serverPID, let end = ProcessorTime.microseconds(of: pid) {
      measurement.serverProcessorTime = end - start
    }
    return (measurement, connections.map(\.source))
  }

  private func step() throws {
    var heard = false
    if case .openLoop(let interval) = plan.pace, !closing { sendDue(interval) }
    try poll.wait(milliseconds: 100) { event in
      heard = true
      serve(event)
    }
    let now = MonotonicClock.now()
    if heard {
      lastNews = now
    } else if now > lastNews + Self.patience, connections.contains(where: { !$0.isIdle }) {
      throw BenchError("the server has answered nothing for \(Self.patience / 1_000_000_000) seconds")
    }
    if !measuring, now >= measuredFrom { startMeasuring(now) }
    if !closing, now >= deadline || budget <= 0 { close() }
  }

  private func startMeasuring(_ now: UInt64) {
    measuring = true
    measurement.start = now
    measurement.end = now
    if case .afterRequests(let count) = plan.end {
      // Requests in flight now are counted when they are answered.
      budget = count - connections.reduce(0) { $0 + $1.inFlight }
    }
    serverTimeAtStart = plan.serverPID.flatMap(ProcessorTime.microseconds(of:))
  }

  private func serve(_ event: Poll.Event) {
    let token = event.token
    let connection = connections[token]
    if event.writable { flush(token) }
    guard event.readable, !connection.isFinished else { return }
    if connection.receive(measuredFrom: measuring ? measuredFrom : .max, into: &measurement) == .closed {
      if !connection.isIdle || !closing { measurement.recordError("the server closed a connection") }
      drop(token)
    } else if connection.isIdle {
      if closing { finish(token) } else if case .closedLoop = plan.pace { refill(token) }
    }
  }

  /// Closed loop: sends the next batch on an idle connection.
  private func refill(_ token: Int) {
    let connection = connections[token]
    let now = MonotonicClock.now()
    while connection.hasRoom, budget > 0, connection.add(since: now) { budget -= measuring ? 1 : 0 }
    if connection.isIdle { finish(token) } else { flush(token) }
  }

  /// Open loop: gives every request that is due to the next connection with room.
  ///
  /// If none has room, the requests wait and keep their due time; the wait is part of their latency.
  private func sendDue(_ interval: UInt64) {
    let now = MonotonicClock.now()
    var touched = 0
    let from = turn
    while due <= now, budget > 0 {
      var tried = 0
      while tried < connections.count, !connections[turn].hasRoom {
        turn = turn + 1 == connections.count ? 0 : turn + 1
        tried += 1
      }
      if tried == connections.count { break }
      guard connections[turn].add(since: due) else { break }
      budget -= measuring ? 1 : 0
      due += interval
      touched = min(touched + tried + 1, connections.count)
      turn = turn + 1 == connections.count ? 0 : turn + 1
    }
    for step in 0..<touched {
      let token = (from + step) % connections.count
      if connections[token].hasUnsentBytes { flush(token) }
    }
    if due > now { poll.wake(at: due) }
  }

  private func flush(_ token: Int) {
    let connection = connections[token]
    let wasBlocked = connection.isBlocked
    switch connection.flush() {
    case .open:
      if connection.isBlocked != wasBlocked {
        poll.watch(connection.descriptor, token: token, writing: connection.isBlocked)
      }
    case .closed:
      measurement.recordError("the server closed a connection")
      drop(token)
    }
  }

  /// Ends the test: waits for requests in flight, ends what was begun, sends nothing else.
  private func close() {
    closing = true
    for token in connections.indices where connections[token].isIdle && !connections[token].isFinished {
      finish(token)
    }
  }

  private func finish(_ token: Int) {
    let connection = connections[token]
    if connection.add(since: MonotonicClock.now(), closing: true) { flush(token) } else { drop(token) }
  }

  private func drop(_ token: Int) {
    guard !connections[token].isFinished else { return }
    connections[token].isFinished = true
    poll.remove(connections[token].descriptor)
    open -= 1
  }
}
