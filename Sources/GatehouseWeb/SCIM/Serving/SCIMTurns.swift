import Synchronization

/// Lets those who change the same thing do so one after another, in the order in which they came.
final class SCIMTurns: Sendable {
  /// Those who wait, by what somebody is changing.
  private let lines = Mutex<[String: [CheckedContinuation<Void, Never>]]>([:])

  func alone<Result>(_ key: String, _ body: () async throws -> Result) async rethrows -> Result {
    await withCheckedContinuation { continuation in
      let isFirst = lines.withLock { lines in
        if lines[key] == nil {
          lines[key] = []
          return true
        }
        lines[key]?.append(continuation)
        return false
      }
      if isFirst { continuation.resume() }
    }
    defer { pass(key) }
    return try await body()
  }

  private func pass(_ key: String) {
    let next = lines.withLock { lines -> CheckedContinuation<Void, Never>? in
      guard var line = lines[key], !line.isEmpty else {
        lines[key] = nil
        return nil
      }
      let next = line.removeFirst()
      lines[key] = line
      return next
    }
    next?.resume()
  }
}
