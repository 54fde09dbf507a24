internal import Synchronization

/// Answers of a watch that came while others were being handled. They are taken out as one answer, so that a handler
/// that waits for a disk does so once for all that came meanwhile, and does not fall behind.
final class WatchBacklog: Sendable {
  private struct State {
    var answer: WatchResponse?
    var bytes = 0
    var hasEnded = false
  }

  private let state = Mutex(State())
  private let filled = WakeUp()
  private let emptied = WakeUp()
  private let mostBytes: Int

  /// - Parameter mostBytes: with so many waiting, no further answer is taken in.
  init(mostBytes: Int = 4 << 20) { self.mostBytes = mostBytes }

  /// Adds an answer; waits while there is no room.
  ///
  /// - Returns: false if it has ended.
  func put(_ answer: WatchResponse) async -> Bool {
    while true {
      let isOver: Bool? = state.withLock { state in
        if state.hasEnded { return true }
        guard state.bytes < mostBytes else { return nil }
        state.bytes += answer.events.reduce(0) { $0 + $1.pair.value.count }
        if state.answer == nil { state.answer = answer } else { state.answer?.append(answer) }
        return false
      }
      if let isOver {
        filled.ring()
        return !isOver
      }
      await emptied.wait()
    }
  }

  /// Takes out what has come, as one answer; waits until there is something. Nil if it has ended.
  func take() async -> WatchResponse? {
    while true {
      let (answer, hasEnded) = state.withLock { state in
        defer {
          state.answer = nil
          state.bytes = 0
        }
        return (state.answer, state.hasEnded)
      }
      if let answer {
        emptied.ring()
        return answer
      }
      if hasEnded { return nil }
      await filled.wait()
    }
  }

  /// Lets both sides go. What waits is still taken out.
  func end() {
    state.withLock { $0.hasEnded = true }
    filled.ring()
    emptied.ring()
  }
}
