import GatehouseStorage
import Synchronization

/// Readings of the history that go on at once: each has a thread of its own and keeps the disk busy, so there are
/// few of them.
final class Readings: Sendable {
  private let limit: Int
  private let running = Atomic(0)

  init(limit: Int) { self.limit = limit }

  /// Carries `work` out on a thread of its own.
  ///
  /// - Returns: what it returned; nil where so many readings go on already that this one was not begun.
  func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result? {
    guard running.add(1, ordering: .acquiringAndReleasing).newValue <= limit else {
      running.subtract(1, ordering: .acquiringAndReleasing)
      return nil
    }
    defer { running.subtract(1, ordering: .acquiringAndReleasing) }
    return try await onOwnThread(work)
  }
}

/// Carries out work that sleeps in system calls, on a thread that nothing else needs.
func onOwnThread<Result: Sendable>(
  priority: PosixThread.Priority = .normal, _ work: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    PosixThread(priority: priority) { continuation.resume(with: Swift.Result { try work() }) }.detach()
  }
}
