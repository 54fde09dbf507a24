import Synchronization

/// How many commands a second were carried out between two calls.
final class Rate: Sendable {
  private let last = Mutex<(time: UInt64, total: UInt64, rate: UInt64)?>(nil)

  init() {}

  /// - Parameter total: commands so far.
  func perSecond(_ total: UInt64, fallback: UInt64) -> UInt64 {
    let now = Clock.nanoseconds()
    return last.withLock { last in
      guard let before = last else {
        last = (now, total, fallback)
        return fallback
      }
      let elapsed = now > before.time ? now - before.time : 0
      // Calls within 100 ms of each other get the same rate.
      guard elapsed > 100_000_000, total >= before.total else { return before.rate }
      let rate = UInt64(Double(total - before.total) * 1e9 / Double(elapsed))
      last = (now, total, rate)
      return rate
    }
  }
}
