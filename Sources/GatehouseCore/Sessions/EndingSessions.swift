extension Turn {
  /// Ends a session, and with a login all impersonations that its user began from it.
  ///
  /// For a session that somebody asks to end, or whose time is up; those that lose their right end by themselves
  /// (`endWhatLostItsRight`).
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
    // The actor's side of an impersonation forgets it too.
    if let actor = cell.state.sessions.impersonation(ofSlot: slot)?.actorSession {
      _ = try self.cell(partitioning.partition(of: actor))
    }
  }

  /// Decides on sessions whose deadline has come, or that were found to have lost their right; runs for the server
  /// itself.
  public func beginExpiry(now: Milliseconds) { beginUpkeep(CommandTable.expiry, now: now) }

  /// Decides on what has ended by itself of users.
  public func beginEnding(now: Milliseconds) { beginUpkeep(CommandTable.ending, now: now) }

  private func beginUpkeep(_ command: CommandSpec, now: Milliseconds) {
    self.now = now
    arguments = .none
    chosen.removeAll(keepingCapacity: true)
    authority = nil
    spec = command
    gate = CommandGate(spec)
    specPlace = -1
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
