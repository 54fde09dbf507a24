/// A request rests on the rights of whoever asked for it: of the person, and in an impersonation of the actor, too. When one
/// of them may not log in any more, or loses the permission that the request uses, it ends for good in the same record, in
/// whichever partition it is. Who gets the right back asks again. One that was made in an impersonation ends with it (L14).
///
/// This goes with the sessions that end when a right is lost (`endWhatLostItsRight`).
extension Turn {
  func endRequestsThatLostTheirRight(of people: [UserReference]) throws(Halt) {
    var users: [Int: (cell: HeldPartition, ids: Set<UserID>)] = [:]
    for user in people { users[user.cell.index, default: (user.cell, [])].ids.insert(user.id) }
    var requests = Set<ApprovalID>()
    for (cell, ids) in users.values { requests.formUnion(cell.state.approvals.ids(restingOn: ids)) }
    if requests.isEmpty { return }
    try hold(requests.map { partitioning.partition(of: $0) })
    let ended = Set(changes.compactMap { $0.as(ApprovalDecided.self)?.approval })
    let outlook = Outlook(self)
    for id in requests.sorted() where id != approval?.request.id && !ended.contains(id) {
      let cell = try cell(partitioning.partition(of: id))
      read(cell.state.lsn)
      guard let request = cell.state.approvals.open[id], request.isOpen(at: now) else { continue }
      if try hasLostItsRight(request, in: outlook) { try end(request) }
    }
  }

  /// Ends the requests that were made in an impersonation which ends: what it leaves behind is not done later.
  ///
  /// They are in the subject's partition, as the session is.
  func endRequests(of impersonation: Impersonation, as subject: UserReference) throws(Halt) {
    let ended = Set(changes.compactMap { $0.as(ApprovalDecided.self)?.approval })
    for request in subject.cell.state.approvals.open.values.sorted(by: { $0.id < $1.id })
    where request.subject == subject.id && request.actor == impersonation.actor && request.id != approval?.request.id
      && !ended.contains(request.id) && !isImpersonating(request)
    {
      try end(request)
    }
  }

  /// Whether an impersonation in which a request can have been made goes on.
  func isImpersonating(_ request: ApprovalRequest) -> Bool {
    guard let cell = held(partitioning.partition(of: request.subject)),
      let serial = cell.state.serial(of: request.subject)
    else { return false }
    return cell.state.sessionIDs(of: serial).contains { id in
      guard !endedSessions.contains(id), let slot = cell.state.slot(of: id) else { return false }
      let row = cell.state.sessions[slot]
      return row.isLive(at: now) && row.created <= request.requested
        && cell.state.sessions.impersonation(ofSlot: slot)?.actor == request.actor
    }
  }

  /// Ends a request that is not approved.
  func end(_ request: ApprovalRequest) throws(Halt) {
    // The actor's partition knows of it, too.
    try hold([request.actor, request.subject].map { partitioning.partition(of: $0) })
    emit(ApprovalDecided(request, approver: nil))
  }

  /// Whether those who asked will not be able to any more once the decision's changes are made.
  private func hasLostItsRight(_ request: ApprovalRequest, in outlook: Outlook) throws(Halt) -> Bool {
    try hold([request.actor, request.subject].map { partitioning.partition(of: $0) })
    for id in [request.actor, request.subject] {
      guard let user = try user(id) else { return true }
      let prospect = outlook.person(user)
      guard prospect.denial(in: outlook.directory, at: now) == nil else { return true }
      // A command can be asked for without this permission, if it does in passing what the permission is for.
      let held = user.holds(what: request, in: directory, at: request.requested)
      if held, !prospect.holds(what: request, in: outlook.directory, at: now) { return true }
    }
    return false
  }
}

extension PersonView {
  /// Whether the person holds the permission of a request over anybody in its workspace.
  fileprivate func holds(what request: ApprovalRequest, in directory: Directory, at now: Milliseconds) -> Bool {
    guard let permission = Permission(name: request.permission) else { return false }
    return holdings(in: directory, at: now).contains { holding in
      holding.permissions.contains(permission) && (holding.workspace ?? request.workspace) == request.workspace
    }
  }
}
