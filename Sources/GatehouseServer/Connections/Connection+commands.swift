import GatehouseCore
import GatehouseWire

/// The path of a command: gates, then the executor, then the log, then the reply.
extension Connection {
  /// Carries out one request.
  func handle(
    _ request: Arguments, _ lane: Lane, _ executor: CommandExecutor, _ turn: Turn, _ lookahead: Lookahead
  ) {
    if facts.service == nil { identify() }
    var commandIndex: Int?
    switch executor.take(request, on: facts, now: lane.now, commandIndex: &commandIndex, lookahead, turn: turn) {
    case .done(.needsWork): return alone(commandIndex, request) { answerAfterWork(request, turn) }
    case .done(let outcome): finish(outcome, lane, turn, commandIndex)
    case .refused:
      client.lastCommandIndex = commandIndex ?? client.lastCommandIndex
      if isHealthCheck(request, commandIndex) {
        return answer { $0.status(.pong) }
      }
      if answersWhyUnknown(turn, commandIndex) { return }
      lane.metrics.reject(commandIndex, turn.reply.errorCode)
      return add(turn.reply, horizon: 0)
    case .scan: return alone(commandIndex, request) { scan(request, executor) }
    case .server(let command): return alone(commandIndex, request) { serve(command, request) }
    }
    if let commandIndex {
      lane.count(commandIndex)
      client.lastCommandIndex = commandIndex
    }
  }

  /// Gives a connection that has not authenticated the service that it has without.
  func identify() {
    if isOpenToAll { authenticate(as: 0, .all, name: "") } else { authenticateByCertificate() }
  }

  /// Sends the reply of a decision, and has the log committed if it wrote.
  @inline(__always)
  private func finish(_ outcome: CommandExecutor.Outcome, _ lane: Lane, _ turn: Turn, _ commandIndex: Int?) {
    let conclusion = turn.conclusion
    if conclusion.isError { lane.failed(commandIndex, turn.reply.errorCode) }
    if outcome == .written {
      lane.commitSoon()
      lastWrite = conclusion.horizon
      queueReply(of: turn, horizon: conclusion.horizon)
    } else {
      addReply(of: turn, on: lane, horizon: conclusion.horizon)
    }
    turn.letGo()
  }

  /// Carries out a command that may take long; its time is measured separately.
  private func alone(_ commandIndex: Int?, _ request: Arguments, _ work: () -> Void) {
    // Set before the work, because `CLIENT INFO` shows itself as the last command.
    if let commandIndex { client.lastCommandIndex = commandIndex }
    lane.single(commandIndex, request, client, work)
    if commandIndex != nil { client.commands &+= 1 }
  }

  /// Reserves a slot in the reply queue for the command at hand, whose answer comes later. The client's further
  /// requests wait for it.
  func answerLater() -> Answer {
    flow.obstruct()
    return Answer(ticket: queue.reserve(), connection: self, home: lane, command: lane.leaveSingle())
  }

  // MARK: Work off the thread

  /// The decision needs slow work, such as hashing a password. Does it off the lane's thread, then carries the command
  /// out again with the result. The client's further requests wait for it.
  private func answerAfterWork(_ request: Arguments, _ turn: Turn) {
    let work = turn.neededWork!
    turn.letGo()
    perform(work, after: FinishedWorks(), for: OwnedArguments(copying: request), answerLater())
  }

  /// - Parameter done: the work that the command needed before.
  private func perform(
    _ work: any Work, after done: FinishedWorks, for request: OwnedArguments, _ answer: Answer
  ) {
    let (services, lastWrite) = (lane.services!, lastWrite)
    let goOn: @Sendable (any Sendable, Answer) -> Void = { finished, answer in
      var works = done
      works.add(finished)
      answer.home.loop.execute { [works] in answer.connection.carryOutAgain(request, answer, works) }
    }
    if let work = work as? any ServerWork {
      return services.begin(work, after: lastWrite) { goOn($0, answer) }
    }
    let mayWait = !transaction.isRunning && input != .ended
    let ticket = work is ReadFeed ? FeedReaders.Ticket() : nil
    feedTicket = ticket
    services.start {
      let (finished, waited) = await services.perform(work, after: lastWrite, ticket, mayWait: mayWait)
      goOn(finished, answer.notCounting(nanoseconds: waited))
    }
  }

  private func carryOutAgain(_ request: OwnedArguments, _ answer: Answer, _ finished: FinishedWorks) {
    if hasClosed { return }
    feedTicket = nil
    let turn = lane.turn
    lane.forgetClock()
    lane.beginRead()
    request.withView { words in
      var commandIndex: Int?
      switch lane.executor.resume(words, with: finished, on: facts, now: lane.now, commandIndex: &commandIndex) {
      case .done(.needsWork): return perform(turn.neededWork!, after: finished, for: request, answer)
      case .done(.written):
        lane.commitSoon()
        lastWrite = turn.horizon
      case .done(.read), .refused: break
      case .scan:
        // It has waited for a record (`MINLSN`), and begins only now.
        guard lane.executor.authorise() else { break }
        turn.letGo()
        return goOn(ScanUnderWay(Scan(lane.executor, words, facts), answer, client.version))
      case .server: preconditionFailure("a command of another kind than before")
      }
      answer.give(EncodedReply(turn.reply, horizon: turn.horizon, version: client.version))
    }
    turn.letGo()
  }

  // MARK: Scans

  private func scan(_ request: Arguments, _ executor: CommandExecutor) {
    let turn = executor.turn
    guard executor.authorise() else {
      refuseAsDecided(turn)
      return turn.letGo()
    }
    turn.letGo()
    var scan = Scan(executor, request, facts)
    if lane.mayWork(), scan.run(executor, while: lane.mayWork) {
      if turn.reply.isError { refuseAsDecided(turn) } else { add(turn.reply, horizon: turn.horizon) }
      return
    }
    goOn(ScanUnderWay(scan, answerLater(), client.version))
  }

  private func refuseAsDecided(_ turn: Turn) {
    lane.failed(lane.singleCommandIndex, turn.reply.errorCode)
    add(turn.reply, horizon: turn.horizon)
  }

  /// Continues a scan in the lane's next round.
  private func goOn(_ underWay: ScanUnderWay) {
    lane.wait(
      .task { [self] in
        if hasClosed { return }
        let executor = lane.executor!
        guard underWay.scan.run(executor, while: lane.mayWork) else { return goOn(underWay) }
        let turn = executor.turn
        underWay.answer.give(EncodedReply(turn.reply, horizon: turn.horizon, version: underWay.version))
      })
  }
}

/// A scan between two rounds of its lane.
private final class ScanUnderWay: @unchecked Sendable {
  /// Used on its lane only.
  var scan: Scan
  let answer: Answer
  let version: ProtocolVersion

  init(_ scan: consuming Scan, _ answer: Answer, _ version: ProtocolVersion) {
    self.scan = scan
    self.answer = answer
    self.version = version
  }
}

extension Reply {
  /// The first word of an error.
  var errorCode: String {
    guard let first = nodes.first, first.kind == .error else { return "" }
    return String(text(of: first).prefix { $0 != " " })
  }
}
