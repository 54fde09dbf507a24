/// B13: dangerous acts need two people. The policy `approval.needs` of a workspace names permissions; a command that needs
/// one of them there is kept as a request, and runs when another holder of the permission approves it.
///
/// It concerns people: a command through `AS`. A service by itself acts for the operator, who sets the policy.
extension Turn {
  /// Keeps the command as a request if it needs a second person.
  /// - Returns: whether it was kept; the reply then says under which number.
  func isKeptForApproval() throws(Halt) -> Bool {
    guard let principal = asUser, !isApproving, !isDryRun,
      case .permissions(let permissions, let ground, let own) = spec.need,
      let (permission, workspace) = try demand(permissions, ground, own)
    else { return false }
    guard spec.secrets.isEmpty else {
      throw .refused(
        .rule(
          "approval", "\(directory.workspace(workspace).name) asks for two people, and a secret cannot wait",
          instead: "ask a service to do it"))
    }
    guard let subject = try user(principal.subject) else { return false }
    let cell = subject.cell
    guard cell.state.approvals.hasRoom(at: now) else {
      throw .refused(.limit("approvals: too many wait; have some of them granted or refused first"))
    }
    var request = ApprovalRequest()
    request.id = newID(in: cell, after: cell.state.approvals.last)
    (request.subject, request.actor) = (principal.subject, principal.actor)
    (request.permission, request.workspace) = ("\(permission.name)", workspace)
    (request.requested, request.reason) = (now, reason)
    for index in 0..<arguments.count { request.words.append(try text(index, "the command")) }
    emit(ApprovalRequested(request))
    reply.map(3)
    reply.text("approval")
    reply.integer(request.id.raw)
    reply.text("needs")
    reply.text(permission.name)
    reply.text("workspace")
    reply.text(directory.workspace(workspace).name)
    return true
  }

  /// The permission and the workspace that ask for a second person; nil if none does.
  private func demand(
    _ permissions: [Permission], _ ground: Ground, _ own: Permission?
  ) throws(Halt) -> (Permission, WorkspaceID)? {
    read(directory.lsn)
    guard directory.asksForApproval, let target = try target(ground) else { return nil }
    // What people do to their own things they do alone.
    if own != nil, sides.contains(where: target.isOwn) { return nil }
    for permission in permissions {
      let workspaces: [WorkspaceID] =
        switch target.site(for: permission, at: now) {
        case .server: []
        case .workspace(let id), .product(_, let id), .account(_, let id), .group(_, let id): [id]
        case .anyOf(let ids): ids
        }
      for id in workspaces where directory.workspace(id).policies.approvalNeeds.contains("\(permission.name)") {
        return (permission, id)
      }
    }
    return nil
  }

  /// Runs the command of a request, on the authority of both: who asked for it, and who approves it.
  func run(_ request: ApprovalRequest) throws(Halt) {
    guard let requester = try user(request.subject), let actor = try user(request.actor) else {
      throw .refused(.notFound("user: whoever asked for approval #\(request.id.raw) was purged"))
    }
    let outer = sides
    defer {
      sides = outer
      isApproving = false
    }
    try performInside(request.words) { () throws(Halt) in
      isApproving = true
      sides.append(Side(.subject, requester, within: .all, in: directory, at: now))
      if actor.id != requester.id { sides.append(Side(.actor, actor, within: .all, in: directory, at: now)) }
      try enforce(spec.need)
    }
  }
}
