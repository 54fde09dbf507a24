extension CommandTable {
  @Sendable static func userSet(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    var pairs = try FieldPairs(turn, over: user.contactReference)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    try pairs.authorise(over: user.contactReference, turn)
    pairs.settleDays(of: user.contactReference, turn)
    try pairs.check(user.contactReference, turn)
    var count = turn.emit(pairs, over: user.contactReference)
    if count > 0 { turn.noteProducts(of: user) }
    for (field, new) in pairs.user {
      let old = user.cell.state.people.text(field, of: user.serial)
      guard old != new else { continue }
      if field == .reference {
        try turn.requireUnique(reference: new, of: user.id, in: user.home)
      }
      turn.emit(UserSet(user.id, field, old: old, new: new))
      count += 1
    }
    turn.reply.integer(count)
  }

  @Sendable static func userRename(_ turn: Turn) throws(Halt) {
    let new = try turn.newUsername(2)
    let user = try turn.user(1)
    try turn.refuseImpersonation("a username")
    try turn.requireNotDeleted(user)
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
    var recipient = email
    if EntityNames.isEmail(new) {
      recipient = new
      if email != new {
        turn.emit(ContactSet(user.cell.state.id(user.contact), .email, old: email, new: new))
        turn.noteProducts(of: user)
      }
    }
    guard !recipient.isEmpty else { return }
    try turn.queueMail(.usernameChanged, about: user.id, in: user.cell, to: recipient, "\(old) is now \(new)")
  }

  @Sendable static func userStatus(_ turn: Turn) throws(Halt) {
    let new = try turn.status(try turn.text(2, "status"))
    let user = try turn.user(1)
    try turn.requireNotDeleted(user)
    try turn.checkVersion(turn.version(of: user))
    guard new != .deleted else {
      throw .refused(
        .rule(
          "status", "a user is deleted with a reason and by its own rules", instead: "use USER.DELETE user REASON text")
      )
    }
    let old = user.row.status
    turn.reply.ok()
    guard old != new else { return }
    if !new.mayLogIn {
      turn.requireAnotherSuperAdministrator(than: user)
      // Locking is for emergencies and easily undone, so an owner can be locked, but not made inactive.
      if new != .locked { try turn.requireNotOwner(user) }
    }
    turn.emit(StatusSet(user.id, old: old, new: new))
  }
}

extension Turn {
  /// T8: records which products a change of shared data affects.
  public func noteProducts(of user: UserReference) {
    let products = user.cell.state.people.allAccess(of: user.serial).filter(\.isEnabled).map(\.product)
    if !products.isEmpty { emit(Noted(user.id, .productsTouched(products))) }
  }
}
