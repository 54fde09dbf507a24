import Synchronization

/// What was done lately, by keys, so that nothing is done twice: whoever comes with the same key while it is being done
/// waits for it, and later ones get what came of it. For commands that take no key themselves.
final class OnceEach<Value: Sendable>: Sendable {
  private enum Doing {
    /// Those who wait for it.
    case underWay([CheckedContinuation<Turn, Never>])
    case done(Value)
  }

  /// What somebody who comes with a key is told.
  private enum Turn: Sendable {
    case doIt
    case done(Value)
    /// It has failed, and may be tried again.
    case askAgain
  }

  private struct Doings {
    var byKey: [String: Doing] = [:]
    /// Those that are done, the oldest first.
    var done: [String] = []
  }

  private let doings = Mutex(Doings())

  /// How many are remembered. A form is sent again within seconds.
  private static var most: Int { 64 }

  func once(_ key: String, _ body: () async throws -> Value) async throws -> Value {
    while true {
      switch await turn(key) {
      case .done(let value): return value
      case .askAgain: continue
      case .doIt:
        do {
          let value = try await body()
          end(key, .done(value), .done(value))
          return value
        } catch {
          end(key, nil, .askAgain)
          throw error
        }
      }
    }
  }

  private func turn(_ key: String) async -> Turn {
    await withCheckedContinuation { continuation in
      let turn: Turn? = doings.withLock { doings in
        switch doings.byKey[key] {
        case nil:
          doings.byKey[key] = .underWay([])
          return .doIt
        case .underWay(let waiting):
          doings.byKey[key] = .underWay(waiting + [continuation])
          return nil
        case .done(let value): return .done(value)
        }
      }
      if let turn { continuation.resume(returning: turn) }
    }
  }

  private func end(_ key: String, _ doing: Doing?, _ turn: Turn) {
    let waiting = doings.withLock { doings -> [CheckedContinuation<Turn, Never>] in
      guard case .underWay(let waiting) = doings.byKey[key] else { return [] }
      doings.byKey[key] = doing
      guard doing != nil else { return waiting }
      doings.done.append(key)
      if doings.done.count > Self.most { doings.byKey[doings.done.removeFirst()] = nil }
      return waiting
    }
    for continuation in waiting { continuation.resume(returning: turn) }
  }
}
