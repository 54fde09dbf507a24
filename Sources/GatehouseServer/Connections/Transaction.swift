import GatehouseCore
import GatehouseWire

/// A connection's transaction: the commands between `MULTI` and `EXEC`.
///
///     none ──MULTI──► queueing ──EXEC──► running ──after the last command──► none
///                        │ a command is refused
///                        ▼
///                     aborted ──EXEC, DISCARD──► none
///
/// It is told what happens and says what follows; `Connection+transaction.swift` does it.
struct Transaction {
  private enum State {
    case none
    case queueing([OwnedArguments])
    /// A command was refused: `EXEC` will do nothing.
    case aborted
    case running([OwnedArguments], next: Int)
  }

  private let limits: WireLimits
  private var state = State.none
  /// Bytes of the words that wait.
  private(set) var bytes = 0
  /// Whether requests are queued instead of carried out. Asked for every command, so it is kept beside the state.
  private(set) var isOpen = false

  init(limits: WireLimits = .standard) { self.limits = limits }

  /// How many commands wait, as `CLIENT LIST` shows it; nil where there is no transaction.
  var count: Int? {
    switch state {
    case .none: nil
    case .aborted: 0
    case .queueing(let requests), .running(let requests, _): requests.count
    }
  }

  var isRunning: Bool { if case .running = state { true } else { false } }

  // MARK: Events

  /// `MULTI`.
  /// - Returns: false where a transaction is open already; that is an error of the client's, and the one that is open
  ///   is aborted.
  mutating func begin() -> Bool {
    guard case .none = state else {
      abort()
      return false
    }
    state = .queueing([])
    isOpen = true
    return true
  }

  /// A command has passed its gates.
  /// - Returns: false where it is one too many. The transaction is then aborted.
  mutating func queue(_ request: Arguments) -> Bool {
    // What an aborted transaction is sent is not kept: it will never be carried out.
    guard case .queueing(var requests) = state else { return true }
    let size = request.extent.count
    guard requests.count < limits.transactionCommands, bytes + size <= limits.transactionBytes else {
      abort()
      return false
    }
    state = .none
    requests.append(OwnedArguments(copying: request))
    bytes += size
    state = .queueing(requests)
    return true
  }

  /// A command was refused before it could be queued.
  mutating func abort() {
    guard isOpen else { return }
    state = .aborted
    bytes = 0
  }

  enum Execution: Equatable {
    case notOpen
    case aborted
    /// So many commands are now to be carried out.
    case running(Int)
  }

  /// `EXEC`.
  mutating func execute() -> Execution {
    switch state {
    case .none, .running: return .notOpen
    case .aborted:
      end()
      return .aborted
    case .queueing(let requests):
      if requests.isEmpty { end() } else { state = .running(requests, next: 0) }
      isOpen = false
      return .running(requests.count)
    }
  }

  /// The command to be carried out next; nil after the last, or where nothing runs.
  var next: OwnedArguments? {
    guard case .running(let requests, let next) = state, next < requests.count else { return nil }
    return requests[next]
  }

  /// The command was taken.
  mutating func advance() {
    guard case .running(let requests, let next) = state else { return }
    state = .running(requests, next: next + 1)
  }

  /// `DISCARD`, `RESET`, or the last command was carried out.
  mutating func end() {
    state = .none
    isOpen = false
    bytes = 0
  }
}
