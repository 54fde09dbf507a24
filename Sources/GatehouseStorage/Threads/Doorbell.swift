/// A binary semaphore: one thread sleeps until another rings. A ring before the sleep is not lost.
final class Doorbell: @unchecked Sendable {
  private let condition = ThreadCondition()
  /// Used under the condition's lock.
  private var isRung = false

  func ring() { condition.signal { isRung = true } }

  func wait() { condition.wait(for: hear) }

  /// Waits until it rings or until `deadline`, in `MonotonicClock`'s time.
  func wait(until deadline: UInt64) { condition.wait(for: hear, until: deadline) }

  private func hear() -> Bool {
    defer { isRung = false }
    return isRung
  }
}
