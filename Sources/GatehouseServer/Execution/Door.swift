import GatehouseCore
import GatehouseStorage
import Synchronization

/// The entry points through which every front has commands carried out.
///
/// A connection calls `CommandExecutor.take` on its lane's thread, with the lane's executor. Fronts without a lane
/// (HTTP, jobs, tests) call `ServerContext.execute` on any thread, which borrows an executor and takes the same path.
extension CommandExecutor {
  /// How far a command got in one go.
  enum Progress {
    /// The reply is in the turn.
    case done(Outcome)
    /// A gate refused it; the reply in the turn says why.
    case refused
    /// It reads all partitions, in slices.
    case scan
    /// It concerns the server or the connection, which carries it out.
    case server(ServerCommand)
  }

  /// Carries out a request as far as possible on this thread without waiting. The caller calls `turn.letGo()`.
  ///
  /// - Parameters:
  ///   - commandIndex: set to the command's index in the table.
  @inline(__always)
  func take(
    _ request: Arguments, on connection: ConnectionFacts, now: Milliseconds, commandIndex: inout Int?,
    _ lookahead: Lookahead = .none, turn: Turn
  ) -> Progress {
    let start = turn.begin(request, on: connection, now: now, commandIndex: &commandIndex, lookahead)
    if isFollowing { return goOnIfAllowed(start, mayWait: true) }
    return goOn(start, turn)
  }

  /// Carries out a request again, with the results of the work that it needed.
  func resume(
    _ request: Arguments, with finished: FinishedWorks, on connection: ConnectionFacts, now: Milliseconds,
    commandIndex: inout Int?
  ) -> Progress {
    let start = turn.begin(request, on: connection, now: now, commandIndex: &commandIndex)
    turn.resume(with: finished)
    if case .later = start { return goOnIfAllowed(start, mayWait: false) }
    if isFollowing { return goOnIfAllowed(start, mayWait: false) }
    return goOn(start, turn)
  }

  @inline(__always)
  func goOn(_ start: Start, _ turn: Turn) -> Progress {
    switch start {
    case .partition(let home): return .done(carryOut(turn, home: home))
    case .anywhere: return .done(carryOut(turn, home: nil))
    case .refused: return .refused
    case .everywhere: return .scan
    case .server(let command): return .server(command)
    case .later: return goOnIfAllowed(start, mayWait: true)
    }
  }
}

extension ServerContext {
  /// Carries out a command and waits until everything its reply shows is durable.
  ///
  /// - Parameters:
  ///   - request: the command's name and arguments.
  ///   - caller: the authority on which it runs.
  ///   - ticket: with which a reader of the feed can be released.
  /// - Returns: the reply; an error if the log stops before the reply is durable.
  func execute(
    _ request: OwnedArguments, for caller: ConnectionFacts, _ ticket: FeedReaders.Ticket? = nil
  ) async -> Reply {
    var finished: FinishedWorks?
    var watch = FrontWatch()
    while true {
      let step = withExecutor { $0.run(request, for: caller, finished, mayScan: false, &watch) }
      switch step {
      case .answered(let reply, let horizon):
        note(watch, request, reply)
        return await replyOnceDurable(reply, horizon)
      case .scans:
        let scanned = await frontPool.run { [self, watch] in scan(request, for: caller, watch) }
        guard let scanned else { return Self.busy }
        note(scanned.watch, request, scanned.reply)
        return await replyOnceDurable(scanned.reply, scanned.horizon)
      case .needs(let work):
        var works = finished ?? FinishedWorks()
        let (more, waited) = await perform(work, after: 0, ticket)
        works.add(more)
        watch.start += waited
        finished = works
      }
    }
  }

  /// Carries out a command that reads all partitions, on a thread that may take its time: the loop of a front may not.
  private func scan(
    _ request: OwnedArguments, for caller: ConnectionFacts, _ watch: FrontWatch
  ) -> (reply: Reply, horizon: LSN, watch: FrontWatch) {
    var watch = watch
    let step = withExecutor { $0.run(request, for: caller, nil, mayScan: true, &watch) }
    guard case .answered(let reply, let horizon) = step else { preconditionFailure("a scan needs work of its own") }
    return (reply, horizon, watch)
  }

  private static var busy: Reply {
    var reply = Reply()
    reply.error(Refusal(.busy, "too many lists are under way; try again").text)
    return reply
  }

  /// Counts a command of a front, as lanes count those of connections.
  private func note(_ watch: FrontWatch, _ request: OwnedArguments, _ reply: Reply) {
    let elapsed = Clock.nanoseconds(since: watch.start)
    frontMetrics.withLock { metrics in
      if watch.isRejected { return metrics.reject(watch.commandIndex, reply.errorCode) }
      if reply.isError { metrics.fail(watch.commandIndex, reply.errorCode) }
      if let product = watch.admitted { metrics.admissions.count(product) }
      guard let commandIndex = watch.commandIndex else { return }
      metrics.count(commandIndex, calls: 1)
      metrics.time(commandIndex, calls: 1, nanoseconds: elapsed)
    }
    let threshold = facts.slowlogThreshold.load(ordering: .relaxed)
    guard threshold >= 0, elapsed / 1000 >= UInt64(threshold) else { return }
    slowLog.add(
      request.withView { shownWords($0) }, microseconds: Int64(elapsed / 1000), time: clock.milliseconds / 1000,
      client: "", name: "http", limit: facts.current.slowlogLength)
  }

  /// Why a caller may not have a command about the server carried out; nil if it may.
  func refusal(of request: OwnedArguments, for caller: ConnectionFacts) -> Reply? {
    withExecutor { $0.refusal(of: request, for: caller) }
  }

  /// Carries out commands as one, all or none: nothing runs in between, and all their changes are one record. Waits until
  /// it is durable.
  ///
  /// - Returns: the replies; or an error and the number of the command that it is about, and nothing is done.
  func execute(
    together requests: [OwnedArguments], for caller: ConnectionFacts
  ) async -> Result<[Reply], RefusedGroup> {
    let outcome =
      requests.count <= Self.decidedAtOnce
      ? carryOut(together: requests, for: caller)
      : await frontPool.run { [self] in carryOut(together: requests, for: caller) } ?? nil
    guard let outcome else {
      return .failure(RefusedGroup(index: 0, text: Refusal(.busy, "too much is under way; try again").text))
    }
    switch outcome {
    case .done(let answers, _):
      var replies: [Reply] = []
      for answer in answers {
        guard case .decided(let reply, let horizon, _) = answer else {
          preconditionFailure("a command that was not decided in a group that was")
        }
        replies.append(await replyOnceDurable(reply, horizon))
      }
      return .success(replies)
    case .refused(let refusal):
      return .failure(RefusedGroup(index: 0, text: refusal.text, field: refusal.field))
    case .undone(let answer, let index) where answer.reply != nil:
      let reply = await replyOnceDurable(answer.reply ?? Reply(), answer.horizon)
      return .failure(
        RefusedGroup(
          index: index, text: reply.nodes.first.map { reply.text(of: $0) } ?? "", field: reply.errorField))
    case .undone(_, let index):
      return .failure(
        RefusedGroup(index: index, text: Refusal.syntax("a command that cannot be carried out with others").text))
    }
  }

  /// Above this many, commands are decided on a thread that may take its time.
  private static let decidedAtOnce = 50

  private func carryOut(
    together requests: [OwnedArguments], for caller: ConnectionFacts
  ) -> CommandExecutor.GroupOutcome? {
    withExecutor { executor in
      defer { executor.turn.letGo() }
      let outcome = executor.carryOut(together: requests, on: caller, now: clock.milliseconds, .allOrNone)
      if case .done(_, .written) = outcome { log.wake() }
      return outcome
    }
  }

  private func replyOnceDurable(_ reply: Reply, _ horizon: LSN) async -> Reply {
    if await isDurable(through: horizon) { return reply }
    var refusal = Reply()
    refusal.error((hasLogFailed ? Refusal.neverDurable : .notDurableYet(log)).text)
    return refusal
  }

  /// Waits until the log is durable through a record, without taking a thread.
  ///
  /// - Returns: false if it is not: the log is stuck or closed, or the task that waits was cancelled.
  func isDurable(through horizon: LSN) async -> Bool {
    if log.durableLSN >= horizon { return true }
    // Whatever was read has been appended, so there is nothing beyond to wait for.
    let horizon = min(horizon, log.appendedLSN)
    while log.durableLSN < horizon {
      guard !isLogStuck, !durableWaits.hasEnded, !Task.isCancelled else { return false }
      await durableWaits.wait(for: horizon) { log.durableLSN >= horizon || isLogStuck }
    }
    return true
  }
}

/// Why a group of commands did nothing.
package struct RefusedGroup: Error {
  /// The number of the command that was refused, from 0.
  package let index: Int
  /// The error that it was answered with.
  package let text: String
  /// What of the command it is about, where the refusal says so.
  package var field: String?
}

/// A command that was refused.
package struct RefusedCommand: Error {
  /// The error that it was answered with.
  package let text: String
  /// What of the command it is about, where the refusal says so.
  package var field: String?
}

extension ServerContext {
  /// Carries out a read on this thread, which may block.
  func read(_ request: OwnedArguments, for caller: ConnectionFacts) -> Reply {
    var watch = FrontWatch()
    guard case .answered(let reply, _) = withExecutor({ $0.run(request, for: caller, nil, mayScan: true, &watch) })
    else {
      preconditionFailure("a read of the state needs work of its own")
    }
    return reply
  }
}

/// What is counted of a command that a front has carried out.
private struct FrontWatch {
  /// In `Clock.nanoseconds()`, without what the command waited for.
  var start = Clock.nanoseconds()
  var commandIndex: Int?
  /// Whether a gate refused it.
  var isRejected = false
  /// The product of the login that it has let in.
  var admitted: ProductID?
}

extension CommandExecutor {
  fileprivate func refusal(of request: OwnedArguments, for caller: ConnectionFacts) -> Reply? {
    defer { turn.letGo() }
    return request.withView { request in
      var commandIndex: Int?
      let now = services.clock.milliseconds
      switch take(request, on: caller, now: now, commandIndex: &commandIndex, turn: turn) {
      case .refused: return turn.reply
      case .server: return authorise() ? nil : turn.reply
      case .done, .scan: preconditionFailure("\(turn.spec.name) is not about the server")
      }
    }
  }

  fileprivate enum Step {
    case answered(Reply, LSN)
    case needs(any Work)
    /// It reads all partitions, and may not do so here.
    case scans
  }

  fileprivate func run(
    _ request: OwnedArguments, for caller: ConnectionFacts, _ finished: FinishedWorks?, mayScan: Bool,
    _ watch: inout FrontWatch
  ) -> Step {
    defer {
      turn.letGo()
      watch.admitted = turn.admissions.takeLast()
    }
    return request.withView { request in
      let now = services.clock.milliseconds
      let progress =
        if let finished {
          resume(request, with: finished, on: caller, now: now, commandIndex: &watch.commandIndex)
        } else {
          take(request, on: caller, now: now, commandIndex: &watch.commandIndex, turn: turn)
        }
      switch progress {
      case .done(.needsWork): return .needs(turn.neededWork!)
      case .done(.written): services.log.wake()
      case .done(.read): break
      case .refused: watch.isRejected = true
      case .scan:
        guard mayScan else { return .scans }
        scan(request, for: caller)
      case .server(.node(.list)):
        // The console shows the nodes, too.
        if !authorise() { break }
        turn.answer { $0.nodes(ClusterPicture(services)) }
      case .server(let command):
        turn.answer(.syntax("\(turn.spec.name) is about a connection; ask it on one (\(command))"))
      }
      return .answered(turn.reply, turn.horizon)
    }
  }

  private func scan(_ request: Arguments, for caller: ConnectionFacts) {
    guard authorise() else { return }
    var scan = Scan(self, request, caller)
    _ = scan.run(self) { true }
  }
}
