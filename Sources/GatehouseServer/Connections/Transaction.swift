import GatehouseCore
import GatehouseWire

/// A connection's transaction: the commands between `MULTI` and `EXEC`.
///
///     none ──MULTI──► queueing ──EXEC──► running ──after the last answer──► none
///                        │ a command is refused
///                        ▼
///                     aborted ──EXEC, DISCARD──► none
///
/// It is told what happens and says what follows; `Connection+transaction.swift` does it.
struct Transaction {
  private enum State {
    case none
    case queueing([OwnedArguments])
    /// A command was refused, so `EXEC` will do nothing.
    case aborted
    case running([Step], next: Int)
  }

  /// What is left to do for one command of the transaction.
  enum Step {
    /// It was carried out together with the others; this is its answer.
    case answered(OwnedArguments, CommandExecutor.GroupAnswer)
    /// It was not part of the group: the connection still has to carry it out.
    case waiting(OwnedArguments)
  }

  private let limits: WireLimits
  private var state = State.none
  /// Bytes of the queued commands.
  private(set) var bytes = 0
  /// Whether requests are queued instead of carried out. A stored property beside the state, because it is read for
  /// every command.
  private(set) var isOpen = false

  init(limits: WireLimits = .standard) { self.limits = limits }

  /// How many commands are queued or being answered, for `CLIENT LIST`; nil if there is no transaction.
  var count: Int? {
    switch state {
    case .none: nil
    case .aborted: 0
    case .queueing(let requests): requests.count
    case .running(let steps, _): steps.count
    }
  }

  var isRunning: Bool { if case .running = state { true } else { false } }

  // MARK: Events

  /// `MULTI`.
  /// - Returns: false if a transaction is open already. That is a client's error, and aborts the open one.
  mutating func begin() -> Bool {
    guard case .none = state else {
      abort()
      return false
    }
    state = .queueing([])
    isOpen = true
    return true
  }

  /// Queues a command that has passed its gates.
  /// - Returns: false if the transaction would exceed its limits; it is then aborted.
  mutating func queue(_ request: Arguments) -> Bool {
    // Commands sent to an aborted transaction are not kept: they will never be carried out.
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

  enum Execution {
    case notOpen
    case aborted
    /// These commands are now to be carried out together.
    case ready([OwnedArguments])
  }

  /// `EXEC`. This ends the transaction, unless `run` follows.
  mutating func execute() -> Execution {
    let before = state
    switch before {
    case .none, .running: return .notOpen
    case .aborted:
      end()
      return .aborted
    case .queueing(let requests):
      end()
      return .ready(requests)
    }
  }

  /// The commands were carried out together and are now answered one after the other.
  mutating func run(_ requests: [OwnedArguments], _ answers: [CommandExecutor.GroupAnswer]) {
    guard !requests.isEmpty else { return }
    let steps = zip(requests, answers).map { request, answer in
      if case .front = answer { Step.waiting(request) } else { Step.answered(request, answer) }
    }
    state = .running(steps, next: 0)
  }

  /// The command to answer next; nil after the last, or if no transaction runs.
  var next: Step? {
    guard case .running(let steps, let next) = state, next < steps.count else { return nil }
    return steps[next]
  }

  /// The command was answered.
  mutating func advance() {
    guard case .running(let steps, let next) = state else { return }
    state = .running(steps, next: next + 1)
  }

  /// `DISCARD`, `RESET`, or the last command was carried out.
  mutating func end() {
    state = .none
    isOpen = false
    bytes = 0
  }
}
