internal import Synchronization

/// Wakes one task that waits. A wake-up before the wait is not lost.
final class WakeUp: Sendable {
  private enum State {
    case quiet
    case rung
    case waiting(CheckedContinuation<Void, Never>)
  }

  private let state = Mutex(State.quiet)

  func ring() {
    let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
      if case .waiting(let continuation) = state {
        state = .quiet
        return continuation
      }
      state = .rung
      return nil
    }
    waiter?.resume()
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isRung = state.withLock { state in
        switch state {
        case .rung:
          state = .quiet
          return true
        case .quiet:
          state = .waiting(continuation)
          return false
        case .waiting: preconditionFailure("one task waits at a time")
        }
      }
      if isRung { continuation.resume() }
    }
  }
}
