import GatehouseCore
import GatehouseStorage

/// What a node that follows does not carry out, and commands that wait for a record.
extension CommandExecutor {
  /// Takes a request through the gates, and refuses what this node does not carry out now.
  func begin(
    _ request: Arguments, on connection: ConnectionFacts, now: Milliseconds, commandIndex: inout Int?
  ) -> Start {
    let start = begun(turn.begin(request, on: connection, now: now, commandIndex: &commandIndex))
    return refuse(start) || refuseEarly(start) ? .refused : start
  }

  /// Goes on with a request that has passed the gates.
  ///
  /// - Parameter mayWait: false where it has waited for its record already.
  @inline(never)
  func goOnIfAllowed(_ start: Start, mayWait: Bool) -> Progress {
    let start = begun(start)
    if refuse(start) { return .refused }
    if mayWait, turn.minimumLSN > appliedLSN, isOfData(start) {
      turn.need(WaitForRecord(lsn: turn.minimumLSN))
      return .done(.needsWork)
    }
    return refuseEarly(start) ? .refused : goOn(start, turn)
  }

  private func begun(_ start: Start) -> Start { if case .later = start { turn.deferred } else { start } }

  /// - Returns: whether this node does not carry it out now; the reply says why.
  private func refuse(_ start: Start) -> Bool {
    guard isFollowing, isOfData(start) else { return false }
    let node = services.facts.node
    guard let refusal = turn.spec.effect == .write ? node.readOnlyRefusal : node.staleRefusal else { return false }
    turn.answer(refusal)
    return true
  }

  /// Refuses a command whose record is not applied here.
  private func refuseEarly(_ start: Start) -> Bool {
    guard turn.minimumLSN > 0 else { return false }
    switch start {
    case .refused, .later: return false
    case .server:
      turn.answer(.syntax("MINLSN stands before a command that reads the data; \(turn.spec.spokenName) does not"))
      return true
    case .partition, .anywhere, .everywhere:
      let applied = appliedLSN
      guard turn.minimumLSN > applied else { return false }
      turn.answer(
        .masterDown(
          "record \(turn.minimumLSN) is not here yet, only those through \(applied); try again, or ask the leader"))
      return true
    }
  }

  /// Through which record everything is applied. A follower's log has a record before it is applied, and announces it
  /// afterwards.
  private var appliedLSN: LSN { isFollowing ? services.log.durableLSN : services.log.appendedLSN }

  /// Whether a command reads or changes the data, and not the connection or this node alone.
  private func isOfData(_ start: Start) -> Bool {
    switch start {
    case .partition, .anywhere, .everywhere: true
    case .server, .refused, .later: false
    }
  }
}

/// Waits until a record is applied here, or for `min-lsn-wait`.
struct WaitForRecord: Work {
  typealias Outcome = Bool

  let lsn: LSN
}

extension ServerContext {
  func perform(_ work: WaitForRecord) async -> FinishedWork<WaitForRecord> {
    let wait = facts.current.minLSNWait
    let waiting = Task { [durableWaits, log] in
      while log.durableLSN < work.lsn, !Task.isCancelled, !durableWaits.hasEnded, !isStopping {
        await durableWaits.wait(for: work.lsn) { log.durableLSN >= work.lsn || isStopping }
      }
    }
    let patience = Task {
      try? await Task.sleep(for: wait)
      waiting.cancel()
    }
    await waiting.value
    patience.cancel()
    return FinishedWork(work, log.durableLSN >= work.lsn)
  }
}
