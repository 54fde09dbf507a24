import DequeModule
import GatehouseStorage
import Synchronization

/// Threads for work that would block a lane, such as reading the history or hashing. Few run at a time, because each
/// keeps the disk or a core busy; a bounded number waits; more are refused.
final class WorkPool: Sendable {
  /// Work, which returns how to tell its result.
  private typealias Job = @Sendable () -> @Sendable () -> Void

  private struct State {
    var running = 0
    var waiting: Deque<Job> = []
    /// How long a piece of work takes, in nanoseconds, averaged over the last ones.
    var usual = 0.0
    var refused: UInt64 = 0
  }

  private let threads: Int
  private let line: Int
  private let patience: Duration?
  private let priority: PosixThread.Priority
  private let state = Mutex(State())

  /// - Parameters:
  ///   - threads: how many pieces of work run at a time.
  ///   - line: how many may wait.
  ///   - patience: how long work may wait; it is refused at once if it would be longer.
  init(threads: Int, line: Int, patience: Duration? = nil, priority: PosixThread.Priority = .normal) {
    self.threads = threads
    self.line = line
    self.patience = patience
    self.priority = priority
  }

  /// Runs work on a thread of the pool.
  ///
  /// - Returns: its result; nil if too much was waiting and the work was not started.
  func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result? {
    await withCheckedContinuation { continuation in run(work) { continuation.resume(returning: $0) } }
  }

  /// Runs work on a thread of the pool, and then tells its result there; at once nil if too much was waiting and the work
  /// was not started.
  func run<Result: Sendable>(
    _ work: @escaping @Sendable () -> Result, then tell: @escaping @Sendable (Result?) -> Void
  ) {
    let isTaken = begin {
      let result = work()
      return { tell(result) }
    }
    if !isTaken { tell(nil) }
  }

  /// How many pieces of work run and wait now, and how many were refused since the start.
  var figures: (running: Int, waiting: Int, refused: UInt64) {
    state.withLock { ($0.running, $0.waiting.count, $0.refused) }
  }

  private func begin(_ work: @escaping Job) -> Bool {
    let (isTaken, needsThread) = state.withLock { state in
      if state.running < threads {
        state.running += 1
        return (true, true)
      }
      guard state.waiting.count < line, isSoon(state) else {
        state.refused += 1
        return (false, false)
      }
      state.waiting.append(work)
      return (true, false)
    }
    if needsThread {
      // The thread ends when nothing waits, because work is rare.
      PosixThread(priority: priority) { [self] in
        var current: Job? = work
        while let job = current {
          let tell = measure(job)
          // First the thread is free, then the result is told: whoever has it may bring more work at once.
          current = next()
          tell()
        }
      }.detach()
    }
    return isTaken
  }

  /// Whether work that joins the line now will begin in time.
  private func isSoon(_ state: State) -> Bool {
    guard let patience else { return true }
    let wait = Double(state.waiting.count + 1) * state.usual / Double(threads)
    return wait <= Double(patience.components.seconds) * 1e9 + Double(patience.components.attoseconds) / 1e9
  }

  private func measure(_ job: Job) -> @Sendable () -> Void {
    guard patience != nil else { return job() }
    let start = ContinuousClock.now
    let tell = job()
    let taken = ContinuousClock.now - start
    let nanoseconds = Double(taken.components.seconds) * 1e9 + Double(taken.components.attoseconds) / 1e9
    state.withLock { $0.usual += ($0.usual == 0 ? 1 : 0.1) * (nanoseconds - $0.usual) }
    return tell
  }

  private func next() -> Job? {
    state.withLock { state in
      if let work = state.waiting.popFirst() { return work }
      state.running -= 1
      return nil
    }
  }
}
