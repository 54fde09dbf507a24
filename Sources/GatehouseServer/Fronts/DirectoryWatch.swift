import Synchronization

/// Tells that the directory has changed. Changes that come before somebody looks count as one.
final class DirectoryWatch: Sendable {
  private struct State {
    var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
    var next: UInt64 = 0
    var isStopped = false
  }

  private let state = Mutex(State())

  init() {}

  /// An element for the directory as it is now, and after changes. It ends when the server stops.
  func changes() -> AsyncStream<Void> {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state -> UInt64? in
      if state.isStopped { return nil }
      state.next += 1
      state.watchers[state.next] = continuation
      return state.next
    }
    guard let id else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in
      _ = self?.state.withLock { $0.watchers.removeValue(forKey: id) }
    }
    continuation.yield()
    return stream
  }

  /// Called while owners are held, so it only leaves a mark.
  func notify() {
    let watchers = state.withLock { Array($0.watchers.values) }
    for watcher in watchers { watcher.yield() }
  }

  func stop() {
    let watchers = state.withLock { state in
      state.isStopped = true
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher.finish() }
  }
}
