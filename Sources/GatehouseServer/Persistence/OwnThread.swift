import GatehouseStorage

/// Runs blocking work on a thread of its own.
func onOwnThread<Result: Sendable>(
  priority: PosixThread.Priority = .normal, _ work: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    PosixThread(priority: priority) {
      let pace = Pace(for: priority)
      pace.begin()
      let result = Swift.Result { try work() }
      pace.end()
      continuation.resume(with: result)
    }.detach()
  }
}
