/// Whoever reads the mails of an address can reset the password. So an address is told that another takes its place: where
/// that was not meant, nobody else would notice.
extension Turn {
  func tellOldAddress(of user: UserReference) throws(Halt) {
    let contact = user.contactID
    // Who is anonymised has no address any more.
    if changes.contains(where: { $0.as(ContactAnonymised.self)?.contact == contact }) { return }
    // A new name is told to both addresses, and says it, too.
    if changes.contains(where: { $0.as(UserRenamed.self)?.user == user.id }) { return }
    let home = user.home ?? mainWorkspace
    // A notice is not worth refusing what it tells of.
    guard hasOtherAddress(user), user.cell.state.outbox.hasRoom(for: home, at: now) else { return }
    try queueMail(
      .addressChanged, about: user.id, in: user.cell, of: home, to: address(of: user),
      facts: [(.actor, try name(of: author, in: home))])
  }
}
