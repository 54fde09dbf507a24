/// B13: dangerous acts need two people. The policy `approval.needs` of a workspace names permissions; a command that needs
/// one of them there is kept as a request, and runs when another holder of the permission approves it.
///
/// It concerns people: a command through `AS`. A service by itself acts for the operator, who sets the policy.
extension Turn {
  /// Keeps the command as a request if it needs a second person.
  /// - Returns: whether it was kept; the reply then says under which number.
  func isKeptForApproval() throws(Halt) -> Bool {
    guard mayNeedApproval, case .permissions(_, let ground, _) = spec.need, let target = try target(ground) else {
      return false
    }
    return try isKeptForApproval(over: [target])
  }

  /// The same for a command that says only in its body whom it concerns.
  func isKeptForApproval(over targets: [Target]) throws(Halt) -> Bool {
    guard mayNeedApproval, let principal = asUser, let (permission, workspace) = demand(over: targets) else {
      return false
    }
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
    var bytes = 0
    for index in 0..<arguments.count {
      request.words.append(try text(index, "the command"))
      bytes += arguments[index].count
    }
    guard bytes <= Limits.approvalBytes else {
      throw .refused(
        .limit("approvals: a command that waits has at most \(Limits.approvalBytes) bytes; give it in parts"))
    }
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

  private var mayNeedApproval: Bool {
    guard asUser != nil, !isApproving, !isDryRun else { return false }
    read(directory.lsn)
    return directory.asksForApproval
  }

  /// The permission and the workspace that ask for a second person; nil if none does.
  private func demand(over targets: [Target]) -> (Permission, WorkspaceID)? {
    guard case .permissions(let permissions, _, let own) = spec.need else { return nil }
    for target in targets {
      // What people do to their own things they do alone.
      if own != nil, sides.contains(where: target.isOwn) { continue }
      if let found = demand(permissions, over: target) { return found }
    }
    return nil
  }

  private func demand(_ permissions: [Permission], over target: Target) -> (Permission, WorkspaceID)? {
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
