extension CommandTable {
  static let approvalCommands: [CommandSpec] = [
    CommandSpec(
      "APPROVAL.LIST", .people, "Commands that wait for a second person, the oldest first",
      [.option("WORKSPACE", "workspace"), .option("COUNT", "n", .integer)],
      reply:
        "an array of maps `approval, command, permission, workspace, requested, expires, requested-by, as, reason`:"
        + " those that need a permission which the caller holds there, and the caller's own; what else a command takes is"
        + " found out when it is approved. One that tells of other workspaces, too, is shown to"
        + " those who may read users there; a command that concerns one workspace is seen by all who approve there. Requests"
        + " end after a week, and for good when whoever asked may not log in any more or loses the right, or with the"
        + " impersonation in which they were made, unless the actor has an older one of the same user still",
      needs: .nothing, route: .everywhere, body: .gather(collect: collectApprovals, finish: finishApprovals)),
    CommandSpec(
      "APPROVAL.GRANT", .people, "Approve a command that waits, and carry it out", [.word("approval", .integer)],
      reply: "what the command answers. It is decided now, and needs the right of whoever asked for it and of whoever"
        + " approves it, who are two people; `STALE` if it would now do something else than what was asked for, and not if somebody has done"
        + " it meanwhile, so that there is nothing left to do. The trail"
        + " has it as the deed of the one who asked, with its reason, and has the other and their `REASON` beside it",
      effect: .write, rights: .admin, needs: .nothing, route: .identifier(1), ownLogin: .approval,
      body: .decide(approvalGrant)),
    CommandSpec(
      "APPROVAL.REFUSE", .people, "Refuse a command that waits, or withdraw one's own", [.word("approval", .integer)],
      reply: "`OK`", effect: .write, rights: .admin, needs: .nothing, route: .identifier(1),
      body: .decide(approvalRefuse)),
  ]

  @Sendable private static func collectApprovals(
    _ turn: Turn, _ cell: HeldPartition, _ gathered: inout Gathered
  ) throws(Halt) {
    turn.read(cell.state.lsn)
    turn.read(turn.directory.lsn)
    let workspace = turn.has("WORKSPACE") ? try turn.workspace().id : nil
    let count = try turn.listCount()
    for request in cell.state.approvals.open.values {
      guard request.isOpen(at: turn.now), workspace == nil || request.workspace == workspace, turn.maySee(request)
      else {
        continue
      }
      var key = ContiguousArray<UInt8>()
      withUnsafeBytes(of: UInt64(bitPattern: request.requested).bigEndian) { key.append(contentsOf: $0) }
      let item = Gathered.Item(key: key, id: request.id.raw, reply: Reply(), request: request)
      gathered.insert(item, most: count)
    }
  }

  @Sendable private static func finishApprovals(_ turn: Turn, _ gathered: inout Gathered) throws(Halt) {
    turn.reply.array(gathered.items.count)
    for request in gathered.items.compactMap(\.request) { turn.show(request, &gathered) }
  }

  @Sendable private static func approvalGrant(_ turn: Turn) throws(Halt) {
    let request = try turn.approval(1)
    guard let approver = turn.asUser else {
      throw .refused(
        .rule("approval", "a person approves, not a service", instead: "give AS and the session of who approves"))
    }
    guard let requester = try turn.user(request.subject), let actor = try turn.user(request.actor) else {
      throw .refused(.notFound("user: whoever asked for approval #\(request.id.raw) was purged"))
    }
    guard !turn.sides.contains(where: { $0.isOneself(requester) || $0.isOneself(actor) }) else {
      throw .refused(
        .rule(
          "approval", "whoever asked for it cannot approve it",
          instead: "let another holder of \(request.permission) do so"))
    }
    guard let permission = Permission(name: request.permission),
      turn.allows(permission, over: .workspace(request.workspace))
    else {
      throw .refused(
        .noPermission(
          "the permission \(request.permission) in the workspace \(turn.directory.workspace(request.workspace).name)"))
    }
    guard [requester, actor].allSatisfy({ $0.denial(in: turn.directory, at: turn.now) == nil }) else {
      throw .refused(
        .rule(
          "approval", "whoever asked for it may not log in any more", instead: "refuse it with APPROVAL.REFUSE"))
    }
    guard request.actor == request.subject || turn.isImpersonating(request) else {
      throw .refused(
        .rule(
          "approval", "the impersonation in which it was asked for has ended",
          instead: "refuse it with APPROVAL.REFUSE"))
    }
    try turn.run(request, requester, actor, approver: approver.subject)
    turn.emit(ApprovalDecided(request, approver: approver.subject, saying: turn.reason))
  }

  @Sendable private static func approvalRefuse(_ turn: Turn) throws(Halt) {
    let request = try turn.approval(1)
    try turn.end(request)
    turn.reply.ok()
  }
}

extension Turn {
  /// Ends the open requests about somebody whose personal data is cleared: their words can hold it (L6).
  func endRequests(about users: [UserID], _ contacts: [ContactID]) throws(Halt) {
    for cell in try everything() {
      for request in cell.state.approvals.open.values.sorted(by: { $0.id < $1.id })
      where request.id != approval?.request.id
        && (request.users.contains(where: users.contains) || request.contacts.contains(where: contacts.contains))
      {
        try end(request)
      }
    }
  }

  /// Whether the caller may know of a request: who asked for it, and who may approve it; through a service that is bound,
  /// only of those in the whole workspaces that it knows.
  fileprivate func maySee(_ request: ApprovalRequest) -> Bool {
    guard isLimited else { return true }
    guard sides.allSatisfy({ !$0.isService || $0.knownWorkspaces.contains(request.workspace) }) else { return false }
    let isOwn = asUser.map { $0.subject == request.subject || $0.actor == request.actor } ?? false
    if isOwn { return true }
    guard let permission = Permission(name: request.permission), allows(permission, over: .workspace(request.workspace))
    else { return false }
    return request.places.allSatisfy { allows(.userRead, over: .workspace($0)) }
  }

  /// The open request of an id.
  fileprivate func approval(_ index: Int) throws(Halt) -> ApprovalRequest {
    let id: ApprovalID = try id(index, "approval")
    let cell = try cell(partitioning.partition(of: id))
    read(cell.state.lsn)
    read(directory.lsn)
    guard let request = cell.state.approvals.open[id], request.isOpen(at: now), maySee(request) else {
      throw .refused(.notFound("approval #\(id.raw); APPROVAL.LIST names those that wait"))
    }
    return request
  }

  /// The map of a request.
  fileprivate func show(_ request: ApprovalRequest, _ gathered: inout Gathered) {
    let names = [request.actor, request.subject].map { name(of: .user($0), in: request.workspace, &gathered) ?? "" }
    reply.map(9)
    reply.text("approval")
    reply.integer(request.id.raw)
    reply.text("command")
    reply.text(request.words.map(ShownText.value).joined(separator: " "))
    reply.text("permission")
    reply.text(request.permission)
    reply.text("workspace")
    reply.text(directory.workspace(request.workspace).name)
    reply.text("requested")
    reply.integer(request.requested)
    reply.text("expires")
    reply.integer(request.requested + ApprovalRequest.life)
    reply.text("requested-by")
    reply.text(names[0])
    reply.text("as")
    reply.optional(request.subject == request.actor ? nil : names[1])
    reply.text("reason")
    reply.optional(request.reason.isEmpty ? nil : request.reason)
  }
}
