internal import HeapModule

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
        id, cell.state.id(Int(row.user)), cause, actorSession: cell.state.impersonation(ofSlot: slot)?.actorSession,
        product: row.product, workspace: row.workspace))
    for impersonation in cell.state.impersonations[id] ?? [] { try endSession(impersonation, .actorEnded) }
    // The actor's side of an impersonation forgets it too.
    if let actor = cell.state.impersonation(ofSlot: slot)?.actorSession {
      _ = try self.cell(partitioning.partition(of: actor))
    }
  }

  /// Decides on sessions whose deadline has come, or that were found to have lost their right; runs for the server
  /// itself.
  public func beginExpiry(now: Milliseconds) {
    self.now = now
    arguments = .none
    chosen.removeAll(keepingCapacity: true)
    authority = nil
    spec = CommandTable.expiry
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

extension PartitionState {
  /// The sessions whose time is up, at most `limit`. Those that were used since get their new deadline.
  public mutating func dueSessions(at now: Milliseconds, limit: Int) -> [SessionID] {
    var due: [SessionID] = []
    var later: [Int] = []
    while due.count + later.count < limit, let next = deadlines.min, Milliseconds(next >> 32) * 1000 <= now {
      deadlines.removeMin()
      let slot = Int(next & 0xffff_ffff)
      // A slot that was used again is watched anew; what was watched before it must not come back.
      guard sessions.contains(slot), sessions[slot].isUsed, sessions[slot].watched == UInt32(next >> 32) else {
        continue
      }
      if sessions[slot].isLive(at: now) { later.append(slot) } else { due.append(sessionID(ofSlot: slot)) }
    }
    // Watched again only now: a deadline beyond what can be watched would be looked at without end.
    for slot in later { watch(slot) }
    return due
  }

  /// Takes back sessions that were due and could not be ended, so that they are due again.
  public mutating func putBack(_ due: [SessionID]) {
    for id in due { if let slot = slot(of: id) { watch(slot) } }
  }

  /// Gives back memory of sessions that have ended, a little at a time. What the state says stays the same.
  public mutating func giveBackMemory() {
    // Half empty: below that the slots will be needed again.
    if sessionCount < sessions.last / 2 { sessions.giveBackVacantPages(limit: 8) }
    mostDeadlines = max(mostDeadlines, deadlines.count)
    if mostDeadlines > 1024, deadlines.count < mostDeadlines / 4 {
      deadlines = Heap(deadlines.unordered)
      mostDeadlines = deadlines.count
    }
  }

  /// How many deadlines are kept, those of the past included.
  public var watchedDeadlines: Int { deadlines.count }

  /// When `dueSessions` should be asked next; nil where there are no sessions.
  public var nextDeadline: Milliseconds? { deadlines.min.map { Milliseconds($0 >> 32) * 1000 } }
}
