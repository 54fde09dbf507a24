extension Turn {
  /// Queues a mail, with what else the command changes. A person without an address gets none.
  ///
  /// - Parameters:
  ///   - cell: the user's partition, or the one where the user is being made.
  ///   - workspace: whose mail it is.
  ///   - addressee: who gets it, if that is not the user.
  func queueMail(
    _ kind: Mail.Kind, about user: UserID, in cell: HeldPartition, of workspace: WorkspaceID, to recipient: String,
    addressee: UserID = .none, message: String = "", facts: [(MailFact, String)] = [], secret: String = ""
  ) throws(Halt) {
    guard EntityNames.isEmail(recipient) else { return }
    guard cell.state.outbox.hasRoom(for: workspace, at: now) else {
      throw .refused(
        .limit(
          "mails: more than \(Limits.mailsOfWorkspace) of a workspace, or \(Limits.mailsOfPartition), wait to be sent;"
            + " MAIL.LIST shows them, gatehousectl mail sends them"))
    }
    let id: MailID = newID(in: cell, after: cell.state.outbox.last)
    let actor = facts.contains { $0.0 == .actor } ? principal.actor : nil
    emit(
      MailQueued(
        Mail(
          id: id, user: user, kind: kind, to: recipient, of: workspace, created: now, message: message,
          facts: facts.filter { !$0.1.isEmpty }.map { FieldText($0.0, $0.1) }, secret: secret, addressee: addressee,
          actor: actor ?? .none)))
  }

  /// The address at which a person gets notices; empty if there is none.
  func address(of user: UserReference) -> String {
    Self.address(username: user.username, email: user.cell.state.people.text(.email, of: user.contact))
  }

  static func address(username: String, email: String) -> String {
    email.isEmpty && EntityNames.isEmail(username) ? username : email
  }
}
