extension CommandTable {
  @Sendable static func userSet(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    turn.reply.integer(try turn.emit(try turn.settledPairs(of: user), of: user))
  }

  @Sendable static func userRename(_ turn: Turn) throws(Halt) {
    let new = try turn.newUsername(2)
    let user = try turn.user(1)
    try turn.requireNotDeleted(user)
    try turn.requireNotAnonymised(user.contactReference)
    try turn.checkVersion(turn.version(of: user))
    let old = user.username
    turn.reply.ok()
    guard old != new else { return }
    if let holder = try turn.holder(ofNewName: 2, besides: user.id) {
      throw .refused(turn.taken(new, by: holder))
    }
    for name in [old, new] { _ = try turn.cell(NameKey(name, turn.partitioning).partition) }
    turn.emit(UserRenamed(user.id, old: old, new: new))
    let email = user.cell.state.people.text(.email, of: user.contact)
    let former = turn.address(of: user)
    var recipient = email
    if EntityNames.isEmail(new) {
      recipient = new
      if email != new {
        // B13: it is what USER.SET email does.
        turn.noteUse([.contactSet], over: Target(user))
        turn.emit(ContactSet(user.cell.state.id(user.contact), .email, old: email, new: new))
        turn.noteProducts(of: user)
      }
    }
    let home = user.home ?? mainWorkspace
    // Also where mails went until now: whoever reads those should know that it was somebody else.
    for address in former == recipient ? [recipient] : [recipient, former] {
      try turn.queueMail(
        .usernameChanged, about: user.id, in: user.cell, of: home, to: address,
        facts: [
          (.actor, try turn.name(of: turn.author, in: home)), (.oldUsername, old), (.newUsername, new),
        ])
    }
  }

  @Sendable static func userStatus(_ turn: Turn) throws(Halt) {
    let new = try turn.status(try turn.text(2, "status"))
    let user = try turn.user(1)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    turn.reply.ok()
    _ = try turn.setStatus(of: user, new)
  }
}

extension Turn {
  /// The fields and values that a command gives, checked against a user.
  /// - Parameters:
  ///   - isBulk: whether `status` may be among them.
  ///   - isShared: whether they are set of several users.
  func settledPairs(
    of user: UserReference, isBulk: Bool = false, isShared: Bool = false
  ) throws(Halt) -> FieldPairs {
    let person = user.contactReference
    var pairs = try FieldPairs(self, over: person, isBulk: isBulk, isShared: isShared)
    try pairs.authorise(over: person, self)
    pairs.settleDays(of: person, self)
    try pairs.check(person, self)
    return pairs
  }

  /// Sets fields of a user and its contact.
  /// - Returns: how many change.
  func emit(_ pairs: FieldPairs, of user: UserReference) throws(Halt) -> Int {
    var count = emit(pairs, over: user.contactReference)
    for (field, new) in pairs.user {
      let old = user.cell.state.people.text(field, of: user.serial)
      guard old != new else { continue }
      if field == .reference { try requireUnique(reference: new, of: user.id, in: user.home) }
      emit(UserSet(user.id, field, old: old, new: new))
      count += 1
    }
    return count
  }

  /// Sets a user's status.
  /// - Returns: whether it is another than before.
  func setStatus(of user: UserReference, _ new: Status) throws(Halt) -> Bool {
    guard new != .deleted else {
      throw .refused(
        .rule(
          "status", "a user is deleted with a reason and by its own rules", instead: "use USER.DELETE user REASON text")
      )
    }
    let old = user.row.status
    guard old != new else { return false }
    if !new.mayLogIn {
      requireAnotherSuperAdministrator(than: user)
      // Locking is for emergencies and easily undone, so an owner can be locked, but not made inactive.
      if new != .locked { try requireNotOwner(user) }
    }
    emit(StatusSet(user.id, old: old, new: new))
    if new.mayLogIn, !old.mayLogIn { try forgetLockingFailures(of: user) }
    return true
  }

  /// Who may log in again by what an administrator says does so as after LOGIN.UNLOCK: one slip must not lock anew.
  private func forgetLockingFailures(of user: UserReference) throws(Halt) {
    let row = user.cell.state.credentials.row(of: user.serial)
    read(row.lsn)
    guard user.row.status == .locked || row.locks(after: row.failures, limit: homePolicies(of: user).lockAfter),
      row.failures > 0
    else { return }
    // As LOGIN.UNLOCK: whoever finds a key could lock and unlock somebody, and guess without ever waiting.
    try requireOwnLogin(toChange: .password)
    try requireTakingOver(user, by: [.userStatus])
    emit(LoginCleared(user.id, failures: row.failures))
  }

  /// T8: records which products a change of shared data affects.
  public func noteProducts(of user: UserReference) {
    let products = user.cell.state.people.allAccess(of: user.serial).filter(\.isEnabled).map(\.product)
    if !products.isEmpty { emit(Noted(user.id, .productsTouched(products))) }
  }
}
