import DequeModule
import NIOCore

/// Long work of a lane, shared out over the ticks of its event loop, so that those who ask for little are answered in
/// between.
///
/// A connection's requests are carried out in slices. The first slice after a read runs at once. Whatever goes on after
/// it, and whatever may take long by itself (scans over all partitions, `COMMAND DOCS`), needs time of the lane's round:
/// a round lasts a millisecond, then the loop looks at its sockets again before the next. Who finds the round over waits
/// in line (see `RoundBell` for how the next round is called).
struct Rounds {
  enum Work {
    /// A connection with requests left over.
    case requests(of: ConnectionHandler)
    case task(() -> Void)
  }

  /// How long a round lasts.
  static let nanoseconds: UInt64 = 1_000_000
  /// After so long without any, a round may begin in the middle of a tick: no tick that was kept short takes as long.
  static let rest: UInt64 = 10_000_000

  var waiting: Deque<Work> = []
  /// Whether the next round is on its way.
  fileprivate var isCalled = false
  fileprivate var isRunning = false
  private var end: UInt64 = 0

  init() {}

  /// How many wait in line.
  var count: Int { waiting.count }

  /// Whether long work may be done now; otherwise it must wait in line.
  mutating func mayWork(_ now: UInt64) -> Bool {
    guard waiting.isEmpty || isRunning else { return false }
    if now < end { return true }
    guard !isRunning, now > end + Self.rest else { return false }
    end = now + Self.nanoseconds
    return true
  }

  mutating func begin(_ now: UInt64) {
    isCalled = false
    isRunning = true
    end = now + Self.nanoseconds
  }

  /// The next work of the round, while there is time.
  mutating func next(_ now: UInt64) -> Work? {
    if now < end, let work = waiting.popFirst() { return work }
    isRunning = false
    return nil
  }
}

extension Lane {
  /// Whether long work may be done now; otherwise it must wait in line.
  func mayWork() -> Bool { rounds.mayWork(Clock.nanoseconds()) }

  /// Whether one who has had a slice may have the next at once: there is time, and nobody waits for it.
  func mayGoOn() -> Bool { rounds.count == 0 && mayWork() }

  /// Puts work in line.
  func wait(_ work: Rounds.Work) {
    rounds.waiting.append(work)
    callRound()
  }

  private func callRound() {
    // While a round runs, the next is called at its end.
    if rounds.isCalled || rounds.isRunning { return }
    rounds.isCalled = true
    // Without a bell, as a lane of a test may be, the rounds are tasks.
    if let bell { bell.ring() } else { loop.execute { self.runRound() } }
  }

  /// Does what waits in line, for as long as a round lasts.
  func runRound() {
    rounds.begin(Clock.nanoseconds())
    while let work = rounds.next(Clock.nanoseconds()) {
      switch work {
      case .requests(let connection): connection.hasTurn()
      case .task(let task): task()
      }
    }
    if rounds.count > 0 { callRound() }
  }
}
