import Synchronization

/// A request to stop, which may be made once or more often; or the end that a node's part in a cluster has come to.
final class Stopping: Sendable {
  private struct State {
    var isBegun = false
    var end: Replicator.End?
    var waiter: CheckedContinuation<Void, Never>?

    var isOver: Bool { isBegun || end != nil }
  }

  private let state = Mutex(State())

  var isBegun: Bool { state.withLock { $0.isBegun } }

  /// Whether the server must stop, or begin anew.
  var isOver: Bool { state.withLock { $0.isOver } }

  /// Why the settings do not work among the other nodes; nil if they do.
  var misconfiguration: String? {
    state.withLock { if case .misconfigured(let why) = $0.end { why } else { nil } }
  }

  func begin() { change { $0.isBegun = true } }

  func end(_ end: Replicator.End) { change { $0.end = $0.end ?? end } }

  /// A new life begins.
  func renew() { state.withLock { $0.end = nil } }

  private func change(_ body: (inout State) -> Void) {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      body(&state)
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// - Returns: the end; nil if it is only to stop.
  func wait() async -> Replicator.End? {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state -> Bool in
        if !state.isOver { state.waiter = continuation }
        return state.isOver
      }
      if isOver { continuation.resume() }
    }
    return state.withLock { state -> Replicator.End? in
      if case .restart = state.end, state.isBegun { return nil }
      return state.end
    }
  }
}
