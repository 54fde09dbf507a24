import DequeModule
import GatehouseStorage
import Synchronization

/// Threads for work that would block a lane, such as reading the history or hashing. Few run at a time, because each
/// keeps the disk or a core busy; a bounded number waits; more are refused.
final class WorkPool: Sendable {
  private struct State {
    var running = 0
    var waiting: Deque<@Sendable () -> Void> = []
  }

  private let threads: Int
  private let line: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - threads: how many pieces of work run at a time.
  ///   - line: how many may wait.
  init(threads: Int, line: Int) {
    self.threads = threads
    self.line = line
  }

  /// Runs work on a thread of the pool.
  ///
  /// - Returns: its result; nil if too much was waiting and the work was not started.
  func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result? {
    await withCheckedContinuation { continuation in
      if !begin({ continuation.resume(returning: work()) }) { continuation.resume(returning: nil) }
    }
  }

  private func begin(_ work: @escaping @Sendable () -> Void) -> Bool {
    let (isTaken, needsThread) = state.withLock { state in
      if state.running < threads {
        state.running += 1
        return (true, true)
      }
      guard state.waiting.count < line else { return (false, false) }
      state.waiting.append(work)
      return (true, false)
    }
    if needsThread {
      // The thread ends when nothing waits, because work is rare.
      PosixThread { [self] in
        work()
        while let next = next() { next() }
      }.detach()
    }
    return isTaken
  }

  private func next() -> (@Sendable () -> Void)? {
    state.withLock { state in
      if let work = state.waiting.popFirst() { return work }
      state.running -= 1
      return nil
    }
  }
}
