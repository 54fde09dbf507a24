extension CommandTable {
  @Sendable static func userDelete(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    guard user.row.status != .deleted else {
      throw .refused(
        .rule(
          "status", "the user is deleted",
          instead: "remove what is left for good with USER.PURGE #\(user.id.raw), or give the contact a new login:"
            + " USER.CREATE username CONTACT #\(user.contactID.raw)"))
    }
    try turn.checkVersion(turn.version(of: user))
    let workspace = try turn.homeWorkspace(of: user)
    try turn.requireConsent(of: workspace)
    if workspace.policies.deleteNeedsReason, EntityNames.isBlank(turn.reason) {
      throw .refused(
        .rule("delete.needs-reason", "deleting a user is recorded with a reason", instead: "add REASON text"))
    }
    turn.read(user.cell.state.lsn)
    // T11, W4: time of other workspaces stands in nobody's way, unless the caller may see it. They lose nothing by this: the
    // contact stays, with what is recorded of it (S2, S8). Only what would remove the row itself is refused for records
    // that the caller may not see: `USER.PURGE` and `CONTACT.DELETE`.
    let seen = turn.reach(of: .timeRead, over: user)
    if workspace.policies.keepsTracked,
      try turn.isTracked(user, in: { $0 == workspace.id || seen.contains($0) })
    {
      throw .refused(
        .rule(
          "delete.keep-tracked", "time is recorded for \(user.username)",
          instead: "disable the products instead with PRODUCT.DISABLE user product"))
    }
    turn.requireAnotherSuperAdministrator(than: user)
    try turn.requireNotOwner(user)
    try turn.stopTimers(of: user)
    // T9: all product access goes, which frees the seats.
    for access in user.cell.state.people.allAccess(of: user.serial) {
      turn.emit(AccessSet(user.id, old: access, new: nil))
    }
    // A later login on the same contact starts without rights (S12).
    for grant in user.cell.state.people.grants(of: user.serial) { turn.emit(RoleRevoked(user.id, grant)) }
    for link in user.management { turn.emit(ManagementRemoved(user.id, link)) }
    if turn.has("ACCEPT-BILLING") { turn.emit(Noted(user.id, .billingAccepted(workspace.id))) }
    turn.emit(StatusSet(user.id, old: user.row.status, new: .deleted))
    turn.reply.ok()
  }
}

extension Turn {
  /// T11: whether time is recorded for a user, or for somebody who was merged into the user.
  fileprivate func isTracked(_ user: UserReference, in isMeant: (WorkspaceID) -> Bool) throws(Halt) -> Bool {
    let merged = try wholePerson(user.contactReference).dropFirst().flatMap(\.logins)
    return ([user] + merged).contains { $0.cell.state.hasTrackedTime($0.serial, where: isMeant) }
  }

  /// Stops the running timers of a user, in one workspace or in all; the recorded time stays with the contact.
  ///
  /// - Parameter moment: when the right to run the timers ended; nil for now.
  public func stopTimers(
    of user: UserReference, in workspace: WorkspaceID? = nil, at moment: Milliseconds? = nil
  ) throws(Halt) {
    for (running, timer) in user.cell.state.timers(of: user.serial) where workspace == nil || workspace == running {
      let end = max(timer.start, min(end(of: timer), moment ?? .max))
      emit(TimerStopped(user.id, running, entry: newEntry(in: user.cell), end: end))
    }
  }
}
