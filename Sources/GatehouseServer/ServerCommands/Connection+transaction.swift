import GatehouseCore
import GatehouseWire

/// `MULTI`, `EXEC`, and the requests between them.
extension Connection {
  /// Handles a request while a transaction is open: passes it through the gates and queues it, or carries it out at
  /// once if it is about the transaction itself.
  func handleInTransaction(_ request: Arguments, _ lane: Lane, _ executor: CommandExecutor, _ turn: Turn) {
    if facts.service == nil { identify() }
    var commandIndex: Int?
    if case .refused = executor.begin(request, on: facts, now: lane.now, commandIndex: &commandIndex) {
      return abortTransaction(commandIndex, turn.reply)
    }
    client.lastCommandIndex = commandIndex ?? -1
    switch turn.spec.inTransaction {
    case .atOnce: handleAtOnce(request, lane, executor, turn)
    case .refused: abortTransaction(commandIndex, .syntax("Command not allowed inside a transaction"))
    case .queued:
      if transaction.queue(request) {
        answer { $0.status(.queued) }
      } else {
        abortTransaction(commandIndex, .tooLongTransaction)
      }
    }
  }

  private func handleAtOnce(_ request: Arguments, _ lane: Lane, _ executor: CommandExecutor, _ turn: Turn) {
    handle(request, lane, executor, turn, .none)
    if transaction.isRunning {
      runTransaction(lane, executor, turn)
    } else if lane.isWatched {
      tellMonitors(request)
    }
  }

  /// Answers the commands of the transaction until all are answered, the slice is over, or something must come first.
  /// `EXEC` has already sent the array's header, and each command adds its reply. Commands about the connection or the
  /// server are carried out when their turn comes.
  func runTransaction(_ lane: Lane, _ executor: CommandExecutor, _ turn: Turn) {
    while flow.goesOn, let step = transaction.next {
      switch step {
      case .answered(let request, let answer): give(answer, to: request)
      case .waiting(let request): request.withView { take($0, lane, executor, turn, .none) }
      }
      transaction.advance()
    }
    guard transaction.isRunning, transaction.next == nil else { return }
    transaction.end()
    addHeldMessage()
    // As in Redis, a monitor sees EXEC after the commands that it carried out.
    if lane.isWatched { OwnedArguments(["EXEC"]).withView { tellMonitors($0) } }
  }

  private func give(_ answer: CommandExecutor.GroupAnswer, to request: OwnedArguments) {
    switch answer {
    case .decided(let reply, let horizon, let commandIndex):
      if let commandIndex {
        lane.count(commandIndex)
        client.lastCommandIndex = commandIndex
      }
      if reply.isError { lane.failed(commandIndex, reply.errorCode) }
      add(reply, horizon: horizon)
    case .rejected(let reply, let commandIndex):
      client.lastCommandIndex = commandIndex ?? client.lastCommandIndex
      lane.metrics.reject(commandIndex, reply.errorCode)
      add(reply, horizon: 0)
    case .front: preconditionFailure("the front's command has no answer yet")
    }
    if lane.isWatched { request.withView { tellMonitors($0) } }
    endFullSlice()
  }

  private func abortTransaction(_ commandIndex: Int?, _ refusal: Refusal) {
    var reply = Reply()
    reply.error(refusal.text)
    abortTransaction(commandIndex, reply)
  }

  private func abortTransaction(_ commandIndex: Int?, _ reply: Reply) {
    transaction.abort()
    lane.metrics.reject(commandIndex, reply.errorCode)
    add(reply, horizon: 0)
  }

  // MARK: Commands

  func multi() {
    guard transaction.begin() else { return refuse(.syntax("MULTI calls can not be nested")) }
    answer { $0.ok() }
  }

  func exec() {
    switch transaction.execute() {
    case .notOpen: refuse(.syntax("EXEC without MULTI"))
    case .aborted: refuse(.aborted)
    case .ready(let requests): carryOut(together: requests)
    }
  }

  private func carryOut(together requests: [OwnedArguments]) {
    guard let executor = lane.executor else { preconditionFailure("EXEC before the data is there") }
    switch executor.carryOut(together: requests, on: facts, now: lane.now) {
    case .refused(let refusal): refuse(refusal)
    case .undone: preconditionFailure("EXEC does not undo what other commands have done")
    case .done(let answers, let outcome):
      if outcome == .written {
        lane.commitSoon()
        lastWrite = answers.reduce(lastWrite) { max($0, $1.horizon) }
      }
      answer { $0.array(requests.count) }
      transaction.run(requests, answers)
    }
  }

  func discard() {
    guard transaction.isOpen else { return refuse(.syntax("DISCARD without MULTI")) }
    transaction.end()
    answer { $0.ok() }
  }

  func watch() {
    guard !transaction.isOpen else {
      transaction.abort()
      return refuse(.syntax("WATCH inside MULTI is not allowed"))
    }
    refuse(.syntax("WATCH is not supported: give writes IFVERSION, which refuses them where somebody came in between"))
  }
}

extension Refusal {
  /// `EXEC` of a transaction in which a command was refused, in the words that clients match.
  static let aborted = Refusal(.transactionAborted, "Transaction discarded because of previous errors.")

  fileprivate static var tooLongTransaction: Refusal {
    let limits = WireLimits.standard
    return .limit("transaction: at most \(limits.transactionCommands) commands and \(limits.transactionBytes) bytes")
  }
}
