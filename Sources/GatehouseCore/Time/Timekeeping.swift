/// What the commands for timers and entries share: whose time the caller may record, and when.
extension Turn {
  // MARK: Who may

  /// K1, K7: recording time for others may require the workspace's owner and the enterprise plan.
  func requireAccountTools(over user: UserReference, in id: WorkspaceID) throws(Halt) {
    guard let principal = asUser else { return }
    let workspace = directory.workspace(id)
    // An impersonation of the owner does not give the owner's rights.
    let isOwner = !principal.isImpersonation && workspace.owner == principal.subject
    if sides.contains(where: { $0.person?.id == principal.subject && $0.isOneself(user) }) { return }
    if workspace.policies.accountsNeedOwner, !isOwner {
      throw .refused(
        .noPermission(
          "the ownership of workspace \(workspace.name) (policy accounts.needs-owner); ask its owner to do it"))
    }
    if workspace.policies.accountsNeedEnterprise, workspace.plan != Workspace.enterprise {
      throw .refused(
        .noPermission(
          "the enterprise plan of workspace \(workspace.name) (policy accounts.needs-enterprise); ask the operator of the"
            + " server for it"))
    }
  }

  /// The workspaces whose entries a list of a user's time may show.
  func readableWorkspaces(of user: UserReference) throws(Halt) -> Reach {
    guard has("WORKSPACE") else { return reach(of: .timeRead, over: user) }
    let workspace = try workspace()
    try require([.timeRead], over: Target(.workspace(workspace.id), user), own: .timeRead)
    return .only([workspace.id])
  }

  /// The workspaces whose entries a list of everybody's time may show, as far as the workspace decides.
  func readableWorkspaces() throws(Halt) -> Reach {
    read(directory.lsn)
    let reach = sides.reduce(Reach.all) { $0.intersection($1.widestReach(of: .timeRead)) }
    guard has("WORKSPACE") else { return reach }
    let workspace = try workspace()
    if !reach.contains(workspace.id) { try require(.timeRead, over: .workspace(workspace.id)) }
    return reach.intersection(.only([workspace.id]))
  }

  /// New time is recorded only for members with a login that is not deleted.
  public func requireTimekeeper(_ user: UserReference, in workspace: WorkspaceID) throws(Halt) {
    if user.row.status == .deleted {
      throw .refused(
        .rule(
          "status", "the login of \(user.username) is deleted",
          instead: "create a new one on the same contact with USER.CREATE … CONTACT #id"))
    }
    guard user.isMember(of: workspace, at: now) else {
      throw .refused(
        .rule(
          "member", "\(user.username) is not a member of workspace \(directory.workspace(workspace).name)",
          instead: "name another with WORKSPACE, or add the user with WORKSPACE.MEMBER"))
    }
  }

  // MARK: Times

  /// The value of a time option. It must not be in the future, apart from a tolerance for clock differences.
  public func workTime(_ token: String) throws(Halt) -> Milliseconds? {
    guard let time = try time(token) else { return nil }
    guard time <= now + Limits.futureTolerance else {
      throw .refused(
        .rule(
          "future", "\(token) \(TimeText.text(of: time)) is ahead of the server's time \(TimeText.text(of: now))",
          instead: "give a time at most \(Limits.futureTolerance / 60_000) minutes ahead"))
    }
    return time
  }

  public func requireOrder(_ start: Milliseconds, _ end: Milliseconds) throws(Halt) {
    guard end < start else { return }
    throw .refused(
      .rule(
        "end", "the end \(TimeText.text(of: end)) is before the start \(TimeText.text(of: start))",
        instead: "give an end that is not before the start"))
  }

  // MARK: Stopping

  func newEntry(in cell: HeldPartition) -> EntryID { newID(in: cell, after: cell.state.time.entries.last) }

  /// When a timer that is stopped now ends; it may have been started slightly ahead of now.
  public func end(of timer: RunningTimer) -> Milliseconds { max(now, timer.start) }

  /// Turns a running timer into a finished entry and returns it.
  public func stop(
    _ timer: RunningTimer, of user: UserReference, in workspace: WorkspaceID, at end: Milliseconds
  ) throws(Halt) -> EntryView {
    try requireOrder(timer.start, end)
    let id = newEntry(in: user.cell)
    emit(TimerStopped(user.id, workspace, entry: id, end: end))
    if withDirectory({ $0.facts(ofWorkspace: workspace).notifiesStopped }), userPrincipal?.actor != user.id {
      try tellStopped(timer, of: user, in: workspace, at: end)
    }
    let content = EntryContent(start: timer.start, end: end, project: timer.project, note: timer.note)
    return EntryView(
      id: id, user: user, workspace: workspace, content: content, startedBy: timer.startedBy,
      startedAs: timer.startedAs, stoppedBy: author, stoppedAs: impersonatedUser, version: 1, isDeleted: false)
  }

  /// K8: sends a notice, if the policy asks for it.
  private func tellStopped(
    _ timer: RunningTimer, of user: UserReference, in workspace: WorkspaceID, at end: Milliseconds
  ) throws(Halt) {
    try queueMail(
      .timerStopped, about: user.id, in: user.cell, of: workspace, to: address(of: user),
      facts: [
        (.actor, try name(of: author, in: workspace)), (.start, TimeText.text(of: timer.start)),
        (.end, TimeText.text(of: end)),
      ])
  }

  // MARK: Authors

  /// Who really runs this command.
  public var author: Author { (userPrincipal?.actor).map { .user($0) } ?? .service(connection.service ?? 0) }

  /// As whom, in an impersonation.
  var impersonatedUser: UserID? { asUser.flatMap { $0.isImpersonation ? $0.subject : nil } }

  /// The name of an author: the username or the service's name; `#id` for a user whom the caller does not know (W4). If
  /// the user is in a partition that is not held, the decision asks for it.
  ///
  /// - Parameter workspace: where the author's action belongs; nil if the caller has just seen it.
  public func name(of author: Author, in workspace: WorkspaceID? = nil) throws(Halt) -> String {
    switch author {
    case .service(let id):
      read(directoryLSN)
      return withDirectory { $0.serviceName(id) } ?? ServiceIdentity.localName
    case .user(let id):
      guard let user = try user(id), !isStranger(user, in: workspace.map { .only([$0]) } ?? .all) else {
        return "#\(id.raw)"
      }
      noteAuthor(user)
      return user.username
    }
  }

  /// The same for a list that is gathered, which looks names up at its end.
  ///
  /// - Returns: nil where the name is yet to be looked up; it is noted then.
  func name(of author: Author, in workspace: WorkspaceID, _ gathered: inout Gathered) -> String? {
    switch author {
    case .service(let id):
      read(directoryLSN)
      return withDirectory { $0.serviceName(id) } ?? ServiceIdentity.localName
    case .user(let id):
      guard let person = gathered.people[id] else {
        gathered.unnamed.insert(id)
        return nil
      }
      return person.flatMap { isStranger($0, in: .only([workspace])) ? nil : $0.username } ?? "#\(id.raw)"
    }
  }
}
