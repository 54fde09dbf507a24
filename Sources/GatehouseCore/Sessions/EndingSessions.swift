extension Turn {
  /// Ends a session and, if it is a login, all impersonations that its user began from it.
  ///
  /// For sessions that somebody ends or whose time is up. Sessions that lose their right are ended by
  /// `endWhatLostItsRight`.
  public func endSession(_ id: SessionID, _ cause: SessionEnd) throws(Halt) {
    guard endedSessions.insert(id).inserted else { return }
    let cell = try cell(partitioning.partition(of: id))
    guard let slot = cell.state.slot(of: id) else { return }
    let row = cell.state.sessions[slot]
    emit(
      SessionEnded(
        id, cell.state.id(Int(row.user)), cause,
        actorSession: cell.state.sessions.impersonation(ofSlot: slot)?.actorSession, product: row.product,
        workspace: row.workspace))
    for impersonation in cell.state.sessions.impersonations[id] ?? [] { try endSession(impersonation, .actorEnded) }
    if let impersonation = cell.state.sessions.impersonation(ofSlot: slot) {
      // The actor's partition lists the impersonation, so it changes too.
      _ = try self.cell(partitioning.partition(of: impersonation.actorSession))
      try endRequests(of: impersonation, as: holder(cell, slot))
    }
  }

  /// Ends all sessions of a user that there are before this decision.
  func endSessions(of user: UserReference, _ cause: SessionEnd) throws(Halt) {
    for session in user.cell.state.sessionIDs(of: user.serial) { try endSession(session, cause) }
  }

  /// Decides, for the server itself, on sessions whose deadline has passed or that were found to have lost their right.
  public func beginExpiry(now: Milliseconds) { beginUpkeep(CommandTable.expiry, now: now) }

  /// Decides, for the server itself, on users' rights that have ended.
  public func beginEnding(now: Milliseconds) { beginUpkeep(CommandTable.ending, now: now) }

  func beginUpkeep(_ command: CommandSpec, now: Milliseconds) {
    self.now = now
    arguments = .none
    chosen.removeAll(keepingCapacity: true)
    authority = nil
    spec = command
    gate = CommandGate(spec)
    commandIndex = -1
    connection = ConnectionFacts(id: 0, service: 0, rights: .all)
    userPrincipal = nil
    sides = []
  }

  public func decideExpiry(_ ids: [SessionID], home cell: HeldPartition?, holding cells: [HeldPartition]) -> Outcome {
    home = cell
    others = cells
    return attempt { () throws(Halt) in
      for id in ids {
        let cell = try self.cell(self.partitioning.partition(of: id))
        guard let slot = cell.state.slot(of: id) else { continue }
        if cell.state.sessions[slot].isLive(at: self.now) {
          if let cause = try self.lapse(cell, slot) { try self.endSession(id, cause) }
        } else {
          try self.endSession(id, .expired)
        }
      }
    }
  }
}
