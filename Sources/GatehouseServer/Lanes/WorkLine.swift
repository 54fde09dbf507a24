import DequeModule

/// Fairness: spreads a lane's long work over the ticks of its loop, so that short requests are answered in between.
///
/// A connection's requests are carried out in slices. The first slice after a read runs at once. Further slices, and
/// work that may take long by itself (scans over all partitions), share one millisecond per tick; then the loop polls
/// its sockets again. Work that finds no time left waits in line.
struct WorkLine {
  enum Work {
    /// A connection with requests left.
    case requests(of: Connection)
    case task(() -> Void)
  }

  /// How much of a tick long work may take.
  static let nanoseconds: UInt64 = 1_000_000

  private var waiting: Deque<Work> = []
  /// Whether the work at hand was taken from the line.
  private var isRunning = false
  /// When the tick's time for long work is over; nil if none was done yet.
  private var end: UInt64?

  init() {}

  /// How many wait in line.
  var count: Int { waiting.count }

  /// A tick begins.
  @inline(__always)
  mutating func beginTick() { end = nil }

  /// Whether long work may be done now; otherwise it must wait in line. Nothing overtakes the line.
  mutating func mayWork(_ now: UInt64) -> Bool {
    guard waiting.isEmpty || isRunning else { return false }
    let end = end ?? now + Self.nanoseconds
    self.end = end
    return now < end
  }

  mutating func append(_ work: Work) { waiting.append(work) }

  /// The next in line, while there is time.
  mutating func next(_ now: UInt64) -> Work? {
    isRunning = true
    if mayWork(now), let work = waiting.popFirst() { return work }
    isRunning = false
    return nil
  }
}

extension Lane {
  /// Whether long work may be done now; otherwise it must wait in line.
  func mayWork() -> Bool { line.mayWork(Clock.nanoseconds()) }

  /// Whether a connection may have another slice at once: there is time, and nothing waits in line.
  func mayGoOn() -> Bool { line.count == 0 && mayWork() }

  /// Works through the line while the tick has time for it.
  func workInLine() {
    while let work = line.next(Clock.nanoseconds()) {
      switch work {
      case .requests(let connection): connection.hasTurn()
      case .task(let task): task()
      }
    }
  }
}
