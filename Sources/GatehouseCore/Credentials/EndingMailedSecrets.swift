/// Ends tokens of resets and mailed passwords when what they rest on is gone.
///
/// Either proves that somebody has the mailbox to which it was sent, and lets them log in as the user. So it ends for good,
/// in the record that changes the address or the username, that hands the user over to another home, or that makes the login
/// one that is refused: nothing of it comes back with a status, an undo or the old address. A password that the person has
/// changed since rests on nothing.
///
/// Commands get this without asking for it: the changes say what ends mailed secrets (`Change.endsMailedSecrets`).
extension Turn {
  func endMailedSecrets() throws(Halt) {
    guard traits.contains(.endsMailedSecrets) else { return }
    var ended = Set<UserID>()
    for index in changes.indices {
      guard let user = try userMailed(before: changes[index]), ended.insert(user.id).inserted else { continue }
      try endMailedSecrets(of: user)
      try tellOldAddress(of: user)
    }
  }

  /// The user of whom a change ends what was mailed; nil if it ends nothing.
  private func userMailed(before change: AnyChange) throws(Halt) -> UserReference? {
    guard let known = change.known, known.endsMailedSecrets else { return nil }
    switch known {
    // A user who is created by this very command is not there yet.
    case let change as StatusSet: return try user(change.user)
    case let change as UserRenamed: return try user(change.user)
    case let change as HomeSet: return try user(change.user)
    case let change as ContactSet: return try contact(change.contact)?.user
    default: preconditionFailure("\(type(of: known).name) does not say whose mails it ends")
    }
  }

  private func endMailedSecrets(of user: UserReference) throws(Halt) {
    // Anonymising forgets them all.
    let contact = user.contactID
    if changes.contains(where: { $0.as(ContactAnonymised.self)?.contact == contact }) { return }
    let row = user.cell.state.credentials.row(of: user.serial)
    read(row.lsn)
    let mails = user.cell.state.outbox.mails(about: user.id).filter { !$0.secret.isEmpty }
    for mail in mails { emit(MailRemoved(mail, .dropped)) }
    let isWaiting = mails.contains { $0.kind == .passwordGenerated }
    let endsPassword = row.isMailed && (isWaiting || hasOtherAddress(user))
    let endsReset = row.resetEnds > now
    guard endsReset || endsPassword else { return }
    emit(MailedSecretEnded(user.id, endsReset: endsReset, endsPassword: endsPassword))
    guard endsPassword else { return }
    endChallenges(of: user)
    for session in user.cell.state.sessionIDs(of: user.serial) { try endSession(session, .passwordChanged) }
  }

  /// Whether the decision's changes give a person another address than now.
  func hasOtherAddress(_ user: UserReference) -> Bool {
    var (username, email) = (user.username, user.contactReference.text(.email))
    for change in changes {
      if let change = change.as(UserRenamed.self), change.user == user.id { username = change.new }
      if let change = change.as(ContactSet.self), change.contact == user.contactID, change.field == .email {
        email = change.new
      }
    }
    return Self.address(username: username, email: email) != address(of: user)
  }
}
