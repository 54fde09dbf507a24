import GatehouseStorage

/// Carries out work that sleeps in system calls, on a thread that nothing else needs.
func onOwnThread<Result: Sendable>(
  priority: PosixThread.Priority = .normal, _ work: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    PosixThread(priority: priority) { continuation.resume(with: Swift.Result { try work() }) }.detach()
  }
}
