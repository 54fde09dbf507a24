/// What the commands about timers and entries have in common: who may keep whose time, and how it is shown.
extension Turn {
  // MARK: Who may

  /// Whether the command runs for the person whose login this is, or was: what a contact did stays the
  /// contact's under a new login (S12).
  private func isOneself(_ user: UserReference, _ principal: UserPrincipal) -> Bool {
    if principal.subject == user.id { return true }
    guard partitioning.partition(of: principal.subject) == user.cell.index,
      let serial = user.cell.state.serial(of: principal.subject)
    else { return false }
    return user.cell.state.users[serial].contact == user.row.contact
  }

  /// Whether the command runs for the owner of a workspace. Nobody gets an owner's rights by impersonating.
  private func isOwner(of workspace: Workspace, _ principal: UserPrincipal) -> Bool {
    !principal.isImpersonation && workspace.owner == principal.subject
  }

  /// Starting, stopping and correcting: one's own; another's as an administrator or as the workspace's owner.
  /// The workspace may ask that it be the owner, and the enterprise plan (K1, K7).
  public func requireTimekeeping(of user: UserReference, in workspace: Workspace) throws(Halt) {
    guard let principal = asUser else { return }
    try requireReach(to: workspace.id)
    if isOneself(user, principal) { return }
    let isOwner = isOwner(of: workspace, principal)
    if workspace.policies.accountsNeedOwner, !isOwner {
      throw .refused(.noPermission("the ownership of workspace \(workspace.name) (policy accounts.needs-owner)"))
    }
    if workspace.policies.accountsNeedEnterprise, workspace.plan != Workspace.enterprise {
      throw .refused(
        .noPermission("the enterprise plan of workspace \(workspace.name) (policy accounts.needs-enterprise)"))
    }
    if !isOwner { try requireManaging(timeOf: user, in: workspace) }
  }

  /// Reading: one's own; another's as an administrator or as the workspace's owner.
  public func requireTimeReading(of user: UserReference, in workspace: Workspace) throws(Halt) {
    guard let principal = asUser else { return }
    try requireReach(to: workspace.id)
    if isOneself(user, principal) || isOwner(of: workspace, principal) { return }
    try requireManaging(timeOf: user, in: workspace)
  }

  /// Whoever administers one workspace or product has no business with the time of others.
  private func requireManaging(timeOf user: UserReference, in workspace: Workspace) throws(Halt) {
    try requireAdministrator(in: workspace.id)
    try requireManaging(user)
  }

  public func mayReadTime(of user: UserReference, in workspace: Workspace) throws(Halt) -> Bool {
    do {
      try requireTimeReading(of: user, in: workspace)
      return true
    } catch {
      guard case .refused = error else { throw error }
      return false
    }
  }

  /// The workspaces of which a list of somebody's time may tell: nil for all.
  public func readableWorkspaces(of user: UserReference) throws(Halt) -> Set<WorkspaceID>? {
    if has("WORKSPACE") {
      let workspace = try workspace()
      try requireTimeReading(of: user, in: workspace)
      return [workspace.id]
    }
    guard let principal = asUser else { return nil }
    if let bound = principal.boundTo {
      try requireTimeReading(of: user, in: directory.workspace(bound))
      return [bound]
    }
    if isOneself(user, principal) { return nil }
    if principal.isAdministrator {
      try requireManaging(user)
      return nil
    }
    var readable = Set<WorkspaceID>()
    for workspace in directory.workspaces where try mayReadTime(of: user, in: workspace) {
      readable.insert(workspace.id)
    }
    if readable.isEmpty { try requireAdministrator() }
    return readable
  }

  /// The workspaces of which a list of everybody's time may tell, as far as the workspace decides: nil for all.
  public func readableWorkspaces() throws(Halt) -> Set<WorkspaceID>? {
    read(directory.lsn)
    let asked = has("WORKSPACE") ? try workspace() : nil
    guard let principal = asUser else { return asked.map { [$0.id] } }
    if let asked { try requireReach(to: asked.id) }
    var allowed = principal.boundTo.map { Set([$0]) }
    if !principal.isAdministrator {
      let owned = directory.workspaces.filter { isOwner(of: $0, principal) }.map(\.id)
      let own = Set(owned).union(principal.administers.compactMap { self.workspace(of: $0) })
      allowed = allowed?.intersection(own) ?? own
    }
    if let asked { allowed = allowed?.intersection([asked.id]) ?? [asked.id] }
    if allowed?.isEmpty == true { try requireAdministrator() }
    return allowed
  }

  /// New time is recorded for members whose login is not gone.
  public func requireTimekeeper(_ user: UserReference, in workspace: Workspace) throws(Halt) {
    if user.row.status == .deleted {
      throw .refused(
        .rule(
          "status", "the login of \(user.username) is deleted",
          instead: "make a new one on the same contact with USER.CREATE … CONTACT #id"))
    }
    guard user.cell.state.isMember(user.serial, of: workspace.id) else {
      throw .refused(
        .rule(
          "member", "\(user.username) is not a member of workspace \(workspace.name)",
          instead: "name another with WORKSPACE, or add the user with WORKSPACE.MEMBER"))
    }
  }

  // MARK: Times

  /// A time that somebody worked at: not after now, but for the differences of clocks.
  public func workTime(_ token: String) throws(Halt) -> Milliseconds? {
    guard let time = try time(token) else { return nil }
    guard time <= now + Limits.futureTolerance else {
      throw .refused(
        .rule(
          "future", "\(token) \(TimeText.text(of: time)) lies ahead of the server's \(TimeText.text(of: now))",
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

  /// When a timer stops that is stopped now: it may have been started a little ahead of now.
  public func end(of timer: RunningTimer) -> Milliseconds { max(now, timer.start) }

  /// Makes a running timer the finished entry that is returned.
  public func stop(
    _ timer: RunningTimer, of user: UserReference, in workspace: Workspace, at end: Milliseconds
  ) throws(Halt) -> EntryView {
    try requireOrder(timer.start, end)
    let id = newEntry(in: user.cell)
    emit(TimerStopped(user.id, workspace.id, entry: id, end: end))
    if workspace.policies.notifiesStopped, principal.actor != user.id {
      try tellStopped(timer, of: user, in: workspace, at: end)
    }
    let content = EntryContent(start: timer.start, end: end, project: timer.project, note: timer.note)
    return EntryView(
      id: id, user: user, workspace: workspace.id, content: content, startedBy: timer.startedBy, stoppedBy: author,
      version: 1, isDeleted: false)
  }

  /// K8: the notice, where the policy asks for it.
  private func tellStopped(
    _ timer: RunningTimer, of user: UserReference, in workspace: Workspace, at end: Milliseconds
  ) throws(Halt) {
    let email = user.cell.state.text(.email, of: user.contact)
    let message =
      "Your timer in \(workspace.name), started at \(TimeText.text(of: timer.start)), was stopped at "
      + "\(TimeText.text(of: end)) by \(try name(of: author))."
    try queueMail(
      .timerStopped, about: user.id, in: user.cell, to: email.isEmpty ? user.username : email, message)
  }

  // MARK: Authors

  /// Who really carries out this command.
  public var author: Author { principal.actor.map { .user($0) } ?? .service(connection.service ?? 0) }

  /// The name of an author: the username, or the service's name. Of somebody who lives in a partition that
  /// is not held the decision asks for it, but a list that is gathered shows the id.
  public func name(of author: Author, isGathering: Bool = false) throws(Halt) -> String {
    switch author {
    case .service(let id):
      read(directory.lsn)
      return directory.service(id)?.name ?? "local"
    case .user(let id):
      if isGathering, home?.index != partitioning.partition(of: id) { return "#\(id.raw)" }
      return try user(id)?.username ?? "#\(id.raw)"
    }
  }
}
