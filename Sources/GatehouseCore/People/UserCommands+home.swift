extension CommandTable {
  /// W1: needs administrators of both workspaces.
  ///
  /// No policy of the old home is got around by it: what that asks of whoever deletes a user, and what it wants two people
  /// for, it asks of whoever takes the user away from it.
  @Sendable static func userMoveHome(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let new = try turn.workspace(at: 2)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    guard user.isMember(of: new.id) else {
      throw .refused(
        .rule(
          "member", "\(user.username) is not a member of \(new.name)",
          instead: "add the user first with WORKSPACE.MEMBER \(new.name) user"))
    }
    guard user.limits(ofMembership: new.id).isNone else {
      throw .refused(
        .rule(
          "member", "\(user.username) is a member of \(new.name) for a limited time",
          instead: "remove the limits first with WORKSPACE.MEMBER \(new.name) user FROM none UNTIL none"))
    }
    turn.reply.ok()
    guard let old = user.home, old != new.id else { return }
    try requireFields(of: user, in: new, turn)
    // The one loses a user, and the other gets one: each as if it were done there alone.
    for home in [turn.directory.workspace(old), new] {
      try turn.requireConsent(of: home)
    }
    turn.noteHandingOver(from: old, to: new.id)
    turn.noteUse([.userCreate], over: Target(.workspace(new.id)))
    if turn.has("ACCEPT-BILLING") {
      for home in [old, new.id] { turn.emit(Noted(user.id, .billingAccepted(home))) }
    }
    turn.emit(HomeSet(user.id, old: old, new: new.id))
    turn.moveMainRole(of: user, to: new.id)
  }

  /// S4, L2: checks what the new home requires of its users.
  private static func requireFields(of user: UserReference, in home: Workspace, _ turn: Turn) throws(Halt) {
    let state = user.cell
    let missing = turn.lackedFields(of: user.contactReference, in: home, hasRole: !user.grants.isEmpty) {
      state.state.people.text($0, of: user.serial)
    }
    guard missing.isEmpty else {
      throw .refused(
        .rule(
          "user.required-fields", "\(home.name) requires \(missing.joined(separator: ", "))",
          instead: "set what is missing first"))
    }
    let reference = state.state.people.text(.reference, of: user.serial)
    try turn.requireUnique(reference: reference, of: user.id, in: home.id)
  }
}
