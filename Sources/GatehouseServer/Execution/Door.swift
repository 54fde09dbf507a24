import GatehouseCore
import GatehouseStorage

/// The one door: how every front has a command carried out.
///
/// A connection has its lane's executor and goes through `CommandExecutor.take` on the lane's thread. Whoever has no
/// lane (HTTP, jobs, tests) calls `ServerContext.execute` on any thread, which takes the same way with an executor on
/// loan.
extension CommandExecutor {
  /// How far a command comes in one go.
  enum Progress {
    /// The reply is in the turn.
    case done(Outcome)
    /// A gate has turned it away; the turn says why.
    case refused
    /// It reads all partitions, in slices.
    case scan
    /// It is the server's or the connection's own.
    case server(ServerCommand)
  }

  /// Carries a request out, as far as this thread can in one go. `turn.letGo()` is the caller's to call.
  ///
  /// - Parameters:
  ///   - place: receives the command's place in the table.
  @inline(__always)
  func take(
    _ request: Arguments, on connection: ConnectionFacts, now: Milliseconds, place: inout Int?,
    _ foresight: Foresight = .none, turn: Turn
  ) -> Progress {
    goOn(turn.begin(request, on: connection, now: now, place: &place, foresight), turn)
  }

  /// Carries a request out once more, after the work that it needed.
  func resume(
    _ request: Arguments, with finished: any Sendable, on connection: ConnectionFacts, now: Milliseconds,
    place: inout Int?
  ) -> Progress {
    let start = turn.begin(request, on: connection, now: now, place: &place)
    turn.resume(with: finished)
    return goOn(start, turn)
  }

  @inline(__always)
  private func goOn(_ start: Start, _ turn: Turn) -> Progress {
    switch start {
    case .partition(let home): return .done(carryOut(turn, home: home))
    case .anywhere: return .done(carryOut(turn, home: nil))
    case .refused: return .refused
    case .everywhere: return .scan
    case .server(let command): return .server(command)
    }
  }
}

extension ServerContext {
  /// Carries out a command and waits until its reply may be shown: everything in it is durable.
  ///
  /// - Parameters:
  ///   - request: the command's name and its words.
  ///   - caller: on whose authority it runs.
  /// - Returns: the reply; an error where the log fails before it is durable.
  func execute(_ request: OwnedArguments, for caller: ConnectionFacts) async -> Reply {
    var finished: (any Sendable)?
    while true {
      let step = withExecutor { $0.run(request, for: caller, finished) }
      switch step {
      case .answered(let reply, let horizon): return await settled(reply, horizon)
      case .needs(let work): finished = await perform(work, after: 0)
      }
    }
  }

  private func settled(_ reply: Reply, _ horizon: LSN) async -> Reply {
    while log.durableLSN < horizon {
      guard !isLogStuck else {
        var refusal = Reply()
        refusal.error((hasLogFailed ? Refusal.neverDurable : .notDurableYet(log)).text)
        return refusal
      }
      try? await Task.sleep(for: .milliseconds(1))
    }
    return reply
  }
}

extension CommandExecutor {
  fileprivate enum Step {
    case answered(Reply, LSN)
    case needs(any Work)
  }

  fileprivate func run(_ request: OwnedArguments, for caller: ConnectionFacts, _ finished: (any Sendable)?) -> Step {
    defer { turn.letGo() }
    return request.withView { request in
      var place: Int?
      let now = services.clock.milliseconds
      let progress =
        if let finished { resume(request, with: finished, on: caller, now: now, place: &place) } else {
          take(request, on: caller, now: now, place: &place, turn: turn)
        }
      switch progress {
      case .done(.needsWork): return .needs(turn.neededWork!)
      case .done(.written): services.log.wake()
      case .done(.read), .refused: break
      case .scan: scan(request, for: caller)
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
