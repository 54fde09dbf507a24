extension Turn {
  /// Revokes grants. A former super administrator becomes a training administrator (L18), and if the main role is
  /// revoked, the most powerful remaining one becomes the main role (L11).
  ///
  /// - Parameters:
  ///   - all: what the user has, where the decision has changed it before.
  ///   - isLeaving: whether the user keeps no lesser role there: who leaves the scope of the grants, or whose time is up.
  public func revoke(
    _ grants: [Grant], from user: UserReference, having all: [Grant]? = nil, isLeaving: Bool = false
  ) throws(Halt) {
    var rest = all ?? user.grants
    for grant in grants {
      emit(RoleRevoked(user.id, grant))
      rest.removeAll { $0.isSame(as: grant) }
      let lesser = Grant(role: .trainingAdministrator, scope: grant.scope, isMain: grant.isMain)
      if grant.role == .superAdministrator, !isLeaving, !rest.contains(where: { $0.isSame(as: lesser) }) {
        emit(RoleGranted(user.id, lesser))
        rest.append(lesser)
      }
    }
    if grants.contains(where: \.isMain), !rest.contains(where: \.isMain),
      var strongest = rest.filter({ mayBeMain($0, of: user) && !$0.limits.hasEnded(at: now) }).max(by: {
        $0.role.rank < $1.role.rank
      })
    {
      let held = strongest
      strongest.isMain = true
      emit(RoleGranted(user.id, strongest, held: held))
    }
  }

  /// Whether a grant may be the main one (L11). The home workspace decides which role is, so a role granted elsewhere
  /// does not take over (W2).
  func mayBeMain(_ grant: Grant, of user: UserReference) -> Bool {
    directory.workspace(of: grant.scope).map { $0 == user.home } ?? true
  }

  /// The main role must be one of the home's, also after the home has changed.
  func moveMainRole(of user: UserReference, to home: WorkspaceID) {
    func mayBeMain(_ grant: Grant) -> Bool { directory.workspace(of: grant.scope).map { $0 == home } ?? true }
    if let held = user.grants.first(where: \.isMain) {
      if mayBeMain(held) { return }
      emitAsNotMain(held, of: user)
    }
    // There may be none yet, where all were of this workspace and it was not the home.
    let possible = user.grants.filter { mayBeMain($0) && !$0.limits.hasEnded(at: now) }
    guard let held = possible.max(by: { $0.role.rank < $1.role.rank }) else { return }
    var new = held
    new.isMain = true
    emit(RoleGranted(user.id, new, held: held))
  }

  /// The main role ceases to be it, because another one is to be.
  ///
  /// - Parameter others: those of which the decision says it already.
  func endMain(of user: UserReference, except others: [Grant]) {
    guard let main = user.grants.first(where: \.isMain), !others.contains(where: { $0.isSame(as: main) })
    else { return }
    emitAsNotMain(main, of: user)
  }

  /// The main role ceases to be it (L19: the trail tells it, although the new one takes the mark by itself).
  private func emitAsNotMain(_ main: Grant, of user: UserReference) {
    var other = main
    other.isMain = false
    emit(RoleGranted(user.id, other, held: main))
  }

  /// Whether a grant becomes the main one: the first grant does, and one for which this is asked.
  func becomesMain(_ grant: Grant, of user: UserReference) throws(Halt) -> Bool {
    guard mayBeMain(grant, of: user) else {
      if has("MAIN") {
        throw .refused(
          .rule(
            "home", "the main role is one in the home workspace of the user, or everywhere", instead: "leave MAIN out"))
      }
      return false
    }
    return has("MAIN") || !user.grants.contains(where: \.isMain)
  }
}
