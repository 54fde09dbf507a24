extension Turn {
  /// Queues a message in the same record as the command's other changes.
  ///
  /// - Parameter cell: the user's partition, or the one in which the user is being created.
  func queueMail(
    _ kind: Mail.Kind, about user: UserID, in cell: HeldPartition, to recipient: String, _ message: String
  ) throws(Halt) {
    guard cell.state.outbox.mails.count < Limits.mailsOfPartition else {
      throw .refused(.limit("mails: more than \(Limits.mailsOfPartition) wait to be sent"))
    }
    let id: MailID = newID(in: cell, after: cell.state.outbox.last)
    emit(MailQueued(Mail(id: id, user: user, kind: kind, recipient: recipient, message: message)))
  }
}
