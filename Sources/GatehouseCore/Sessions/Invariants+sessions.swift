extension Sessions {
  static func check(_ state: borrowing PartitionState, _ checker: InvariantChecker) { checker.checkSessions(state) }
}

extension InvariantChecker {
  /// The lists of sessions, the free list, and both sides of impersonations.
  fileprivate func checkSessions(_ state: borrowing PartitionState) {
    var listed = Set<Int>()
    for serial in 1..<(state.people.users.last + 1) where state.people.users[serial].isUsed {
      checkList(state, serial, &listed)
    }
    var used = 0
    for slot in 1..<(state.sessions.rows.last + 1) where state.sessions[slot].isUsed {
      used += 1
      expect(listed.contains(slot), "session #\(state.sessionID(ofSlot: slot).raw) is in no user's list")
      checkSession(state, slot)
    }
    expect(
      used == state.sessions.count, "partition \(state.index) counts \(state.sessions.count) sessions, not \(used)")
    var free = Set<Int>()
    var slot = Int(state.sessions.free)
    while slot != 0, state.sessions.rows.contains(slot), free.insert(slot).inserted {
      slot = Int(state.sessions.rows.vacantRow(slot).next)
    }
    expect(slot == 0, "partition \(state.index) has a broken list of free session slots")
    let last = SessionNumber.lastGeneration(state.partitioning)
    let usedUp = (1..<(state.sessions.rows.last + 1)).count {
      !state.sessions[$0].isUsed && state.sessions.rows.vacantRow($0).generation > last
    }
    expect(
      free.count == state.sessions.rows.last - used - usedUp && free.allSatisfy { !state.sessions[$0].isUsed },
      "partition \(state.index) has session slots that are neither used nor free")
    checkActors(state)
  }

  private func checkList(_ state: borrowing PartitionState, _ serial: Int, _ listed: inout Set<Int>) {
    var count: UInt32 = 0
    var previous: UInt32 = 0
    var slot = Int(state.people.users[serial].sessions)
    while slot != 0, state.sessions.rows.contains(slot), listed.insert(slot).inserted {
      let row = state.sessions[slot]
      expect(row.user == UInt32(serial), "a session of somebody else is in the list of \(shown(state, user: serial))")
      expect(row.previous == previous, "the list of sessions of \(shown(state, user: serial)) is broken")
      previous = UInt32(slot)
      slot = Int(row.next)
      count += 1
    }
    expect(slot == 0, "the list of sessions of \(shown(state, user: serial)) does not end")
    expect(count == state.people.users[serial].sessionCount, "\(shown(state, user: serial)) miscounts sessions")
  }

  private func checkSession(_ state: borrowing PartitionState, _ slot: Int) {
    let row = state.sessions[slot]
    let id = state.sessionID(ofSlot: slot)
    expect(isWorkspace(row.workspace), "session #\(id.raw) is of a workspace that does not exist")
    expect(row.lsn <= state.lsn, "session #\(id.raw) is newer than its partition")
    if row.product != 0 {
      let access = state.people.access(of: Int(row.user), to: row.product)
      expect(access?.isEnabled == true, "session #\(id.raw) is of a product that its user may not enter")
    }
    guard row.kind == .impersonation else { return }
    guard let impersonation = state.sessions.impersonation(ofSlot: slot),
      let actors = partition(of: impersonation.actorSession)
    else {
      expect(false, "impersonation #\(id.raw) does not name its actor")
      return
    }
    expect(
      actors.state.sessions.impersonations[impersonation.actorSession]?.contains(id) == true,
      "impersonation #\(id.raw) is unknown to its actor's login")
    expect(impersonation.actor != state.id(Int(row.user)), "impersonation #\(id.raw) is of the actor")
    guard let login = actors.state.slot(of: impersonation.actorSession) else {
      expect(false, "impersonation #\(id.raw) outlived its actor's login")
      return
    }
    expect(actors.state.sessions[login].kind == .login, "impersonation #\(id.raw) began from another impersonation")
    expect(
      actors.state.id(Int(actors.state.sessions[login].user)) == impersonation.actor,
      "impersonation #\(id.raw) names another actor than its login")
    expect(
      row.expires <= actors.state.sessions[login].expires, "impersonation #\(id.raw) outlasts its login")
  }

  /// Every impersonation that an actor's login lists must exist.
  private func checkActors(_ state: borrowing PartitionState) {
    for (actor, list) in state.sessions.impersonations {
      expect(!list.isEmpty && Set(list).count == list.count, "login #\(actor.raw) lists an impersonation twice or none")
      for id in list {
        guard let home = partition(of: id), let slot = home.state.slot(of: id) else {
          expect(false, "login #\(actor.raw) lists the impersonation #\(id.raw), which does not exist")
          continue
        }
        expect(
          home.state.sessions.impersonation(ofSlot: slot)?.actorSession == actor,
          "login #\(actor.raw) lists the impersonation #\(id.raw) of another")
      }
    }
  }
}
