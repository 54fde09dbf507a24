import DequeModule

/// Long work of a lane, shared out over the ticks of its loop, so that those who ask for little are answered in between.
///
/// A connection's requests are carried out in slices. The first slice after a read runs at once. Whatever goes on after
/// it, and whatever may take long by itself (scans over all partitions), needs time of the tick, which has a millisecond
/// for such work; then the loop looks at its sockets again. Who finds none left waits in line.
struct WorkLine {
  enum Work {
    /// A connection with requests left over.
    case requests(of: Connection)
    case task(() -> Void)
  }

  /// How much of a tick is for long work.
  static let nanoseconds: UInt64 = 1_000_000

  private var waiting: Deque<Work> = []
  /// Whether it is those in line that work now.
  private var isRunning = false
  /// When the tick's time for long work is over; nil where none was done yet.
  private var end: UInt64?

  init() {}

  /// How many wait in line.
  var count: Int { waiting.count }

  /// A tick begins.
  @inline(__always)
  mutating func beginTick() { end = nil }

  /// Whether long work may be done now; otherwise it must wait in line. Nobody overtakes those who do.
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

  /// Whether one who has had a slice may have the next at once: there is time, and nobody waits for it.
  func mayGoOn() -> Bool { line.count == 0 && mayWork() }

  /// Does what waits in line, for as long as the tick has time for it.
  func workInLine() {
    while let work = line.next(Clock.nanoseconds()) {
      switch work {
      case .requests(let connection): connection.hasTurn()
      case .task(let task): task()
      }
    }
  }
}
