/// B13: dangerous acts need two people. The policy `approval.needs` of a workspace names permissions; a command that cannot
/// do without one of them there is kept as a request, and is carried out when another holder of the permission approves it.
///
/// Which permissions a command uses is known only once it is decided: `Turn.require`, the one place where they are
/// enforced, notes those that need a second person. So the command is decided first, with all its refusals, and then its
/// changes are dropped and a request is made of it. When it is approved it is decided again, on the rights of both people,
/// and may then change nothing that it would not have changed when it was asked for.
///
/// It concerns people: a command through `AS`. A service by itself acts for the operator, who sets the policy.
struct ApprovalDemand {
  /// What needs a second person, and the workspace whose policy says so.
  let permission: Permission
  let workspace: WorkspaceID
}

/// A request that is being approved.
struct Approval {
  let request: ApprovalRequest
  let approver: UserID
  /// The sides of the approver.
  let approvers: [Side]
  /// The name of the command that was asked for.
  let command: String
  /// What it does in passing that needs a second person, too, and that the approver does not hold.
  var lacking: ApprovalDemand?
}

extension Turn {
  /// Whether a use of a permission can need a second person.
  var isWatchedForApproval: Bool { approval == nil && mayNeedApproval }

  private var mayNeedApproval: Bool { userPrincipal != nil && gate.isWrite && directory.asksForApproval }

  /// Notes the use of permissions any of which is enough.
  func noteUse(_ permissions: [Permission], over target: Target) {
    guard mayNeedApproval, demand == nil else { return }
    read(directory.lsn)
    var found: ApprovalDemand?
    for permission in permissions {
      // With one that nobody asks about, the command needs no other.
      guard let workspace = askingWorkspace(permission, target) else { return }
      if found == nil { found = ApprovalDemand(permission: permission, workspace: workspace) }
    }
    if let found { note(found) }
  }

  /// Notes something that needs a second person whatever permissions the policy names.
  func noteUse(_ permission: Permission, in workspace: WorkspaceID) {
    guard mayNeedApproval, demand == nil else { return }
    note(ApprovalDemand(permission: permission, workspace: workspace))
  }

  /// Notes that whoever has a role is given more by it. That is granting it once more, and so each workspace counts over which
  /// somebody has it, and not only the one that has defined it: what two people granted there, one does not widen alone.
  func noteWidening(of role: Role, definedIn workspace: WorkspaceID?) throws(Halt) {
    guard mayNeedApproval, demand == nil else { return }
    noteUse([.roleGrant], over: Target(workspace.map { Site.workspace($0) } ?? .server))
    // One of a workspace is held over that alone.
    guard workspace == nil, demand == nil else { return }
    for place in try workspaces(inWhichIsHeld: role) { noteUse([.roleGrant], over: Target(.workspace(place))) }
  }

  /// A request names one demand, the first. What else the command does that needs a second person, this one must hold, too:
  /// else the policy of one workspace would be met by somebody whom another does not ask.
  private func note(_ found: ApprovalDemand) {
    guard let approval else { return demand = found }
    let isHeld = approval.approvers.allSatisfy { side in
      side.holdings.contains { $0.covers(.workspace(found.workspace), found.permission) }
    }
    if !isHeld, approval.lacking == nil { self.approval?.lacking = found }
  }

  private func askingWorkspace(_ permission: Permission, _ target: Target) -> WorkspaceID? {
    let workspaces: [WorkspaceID] =
      switch target.site(for: permission, at: now) {
      // What holds everywhere holds in `main`, the operator's workspace, whose policy therefore counts.
      case .server: [mainWorkspace]
      case .workspace(let id), .product(_, let id), .account(_, let id), .group(_, let id): [id]
      // Only there the command can do something. What others ask for is not their business, and not told (W4).
      case .anyOf(let ids): ids.filter { allows(permission, over: .workspace($0), of: target.user) }
      }
    return workspaces.first { directory.workspace($0).policies.approvalNeeds.contains("\(permission.name)") }
  }

  // MARK: Asking

  /// Makes a request of what was decided, if it needs a second person.
  func waitForApproval() throws(Halt) {
    guard let demand, let principal = asUser, !isDryRun, hasChanges else { return }
    guard !hasSecretWord else {
      throw .refused(
        .rule(
          "approval", "\(directory.workspace(demand.workspace).name) asks for two people, and a secret cannot wait",
          instead: "ask a service to do it"))
    }
    guard !reply.nodes.contains(where: { $0.kind == .secret }) else {
      throw .refused(
        .rule(
          "approval",
          "\(directory.workspace(demand.workspace).name) asks for two people, and \(spec.name) answers a secret, which"
            + " would go to whoever approves it",
          instead: "ask a service to do it"))
    }
    // What the gate would refuse cannot be approved either.
    _ = try movedCounters()
    try requireLastingHolders()
    guard let subject = try user(principal.subject) else { return }
    var request = ApprovalRequest()
    (request.subject, request.actor) = (principal.subject, principal.actor)
    (request.permission, request.workspace) = ("\(demand.permission.name)", demand.workspace)
    (request.requested, request.reason) = (now, recordedReason)
    (request.boundTo, request.isByKey) = (principal.boundTo ?? 0, principal.isByKey)
    request.words = try wordsToKeep()
    request.changes = marksOfChanges().flatMap(\.marks)
    try noteConcerned(in: &request)
    let actors = try self.cell(partitioning.partition(of: request.actor))
    dropDecision()
    let cell = subject.cell
    read(cell.state.lsn)
    read(actors.state.lsn)
    if let equal = cell.state.approvals.equal(to: request, at: now) {
      request.id = equal
    } else {
      let count = actors.state.approvals.count(askedBy: request.actor, at: now)
      if let full = cell.state.approvals.limit(reachedBy: request, having: count) { throw .refused(.limit(full)) }
      request.id = newID(in: cell, after: cell.state.approvals.last)
      emit(ApprovalRequested(request))
    }
    askedFor = request.id
    reply.map(3)
    reply.text("approval")
    reply.integer(request.id.raw)
    show(demand)
  }

  /// Whether a word of the command is a secret, which no record may have. Where a token or an id can stand, the id is none.
  private var hasSecretWord: Bool {
    if hasSecretOption { return true }
    // A token in the wrong place, such as a reason.
    if (1..<arguments.count).contains(where: { SecretText.isLike(arguments[$0]) }) { return true }
    return spec.secrets.contains { word in
      guard word < arguments.count else { return false }
      switch spec.route {
      case .session(word), .key(word): return Self.identifier(arguments[word]) == nil
      default: return true
      }
    }
  }

  /// The two pairs that say what needs a second person.
  func show(_ demand: ApprovalDemand) {
    reply.text("needs")
    reply.text(demand.permission.name)
    reply.text("workspace")
    reply.text(directory.workspace(demand.workspace).name)
  }

  /// The words of the command without its idempotency key, which belongs to this request and not to the deed.
  private func wordsToKeep() throws(Halt) -> [String] {
    let key = spec.withheld.contains("IDEM") ? nil : optionWord("IDEM")
    var words: [String] = []
    for index in 0..<arguments.count where key.map({ index != $0 && index != $0 - 1 }) ?? true {
      words.append(try text(index, "the command"))
    }
    guard words.reduce(0, { $0 + $1.utf8.count }) <= Limits.approvalBytes else {
      throw .refused(
        .limit("approvals: a command that waits has at most \(Limits.approvalBytes) bytes; give it in parts"))
    }
    return words
  }

  /// Notes whom the changes are about, so that nothing is told of them once they are anonymised (L6), and of which
  /// workspaces the request tells something (W4).
  private func noteConcerned(in request: inout ApprovalRequest) throws(Halt) {
    var keys: [UInt64] = []
    for change in changesAskedFor { change.known?.addKeys(to: &keys) }
    let named = named ?? NamedInWords()
    var places = named.workspaces
    for key in Set(keys).sorted() {
      switch RecordKey.Subject(key) {
      case .user(let id): if isNew(id) { request.isAboutNew = true } else { request.users.append(id) }
      case .contact(let id): if isNew(id) { request.isAboutNew = true } else { request.contacts.append(id) }
      case .workspace(let id): places.insert(id)
      case .product(let id): if let product = directory.product(id) { places.insert(product.workspace) }
      case .actor, .service, .unplaced, .fact: break
      }
    }
    // Who is named stands in the words, changed or not.
    request.users += named.users.subtracting(request.users).sorted()
    request.contacts += named.contacts.subtracting(request.contacts).sorted()
    for id in named.users.union(request.users) {
      places.formUnion(try user(id)?.unknownHome(in: request.workspace) ?? [])
    }
    for id in named.contacts.union(request.contacts) {
      guard let contact = try contact(id) else { continue }
      places.formUnion(
        contact.newestLogin.map { $0.unknownHome(in: request.workspace) } ?? contact.home.map { [$0] } ?? [])
    }
    // A workspace that is being made has no people yet.
    places = places.filter { $0 != request.workspace && Int($0) <= directory.workspaces.count }
    request.places = places.sorted()
  }

  // MARK: Granting

  /// Runs the command of a request, on the rights of both: who asked for it, and who approves it. It is recorded as done by
  /// the one who asked.
  func run(
    _ request: ApprovalRequest, _ requester: UserReference, _ actor: UserReference, approver: UserID
  ) throws(Halt) {
    let outer = (sides: sides, principal: userPrincipal)
    defer { (sides, userPrincipal) = (outer.sides, outer.principal) }
    try performInside(request.words) { () throws(Halt) in
      approval = Approval(request: request, approver: approver, approvers: outer.sides, command: spec.name)
      sides.append(Side(.subject, requester, within: .all, in: directory, at: now))
      if actor.id != requester.id { sides.append(Side(.actor, actor, within: .all, in: directory, at: now)) }
      if request.boundTo != 0 { sides.append(Side(.binding, boundTo: [request.boundTo])) }
      // What nobody may do while impersonating, or with an API key, was not to be asked for either, and is not done now.
      userPrincipal = UserPrincipal(
        actor: request.actor, subject: request.subject, isImpersonation: request.actor != request.subject,
        isByKey: request.isByKey, boundTo: request.boundTo == 0 ? nil : request.boundTo, sides: sides)
      try enforceNeed()
    }
    if let lacking = approval?.lacking {
      throw .refused(
        .noPermission(
          "the permission \(lacking.permission.name) in the workspace \(directory.workspace(lacking.workspace).name), to"
            + " approve it"))
    }
    try requireWhatWasAsked(request)
  }

  /// Refuses if the command would by now do something else than what was asked for: because a name means somebody else, or
  /// a role gives more.
  private func requireWhatWasAsked(_ request: ApprovalRequest) throws(Halt) {
    // Requests of version 1 of their form do not say.
    if request.changes.isEmpty { return }
    let asked = Set(request.changes)
    guard let other = marksOfChanges(askedAt: request.requested).first(where: { asked.isDisjoint(with: $0.marks) })
    else { return }
    let text = ChangeText(other.change, in: directory)
    throw .refused(
      Refusal(
        .stale,
        "approval #\(request.id.raw): it would now make a change that was not asked for, \(text.kind) of \(text.entity);"
          + " refuse it, and have it asked for again"))
  }
}

extension UserReference {
  /// The home of somebody who is no member of a workspace, and so is not known there.
  fileprivate func unknownHome(in workspace: WorkspaceID) -> [WorkspaceID] {
    if isMember(of: workspace) { return [] }
    return home.map { [$0] } ?? []
  }
}

/// What the words of a command were found to name, where it may have to wait or its answer is kept.
struct NamedInWords {
  var workspaces: Set<WorkspaceID> = []
  var users: Set<UserID> = []
  var contacts: Set<ContactID> = []
  /// Those whom only the answer names.
  var authors: Set<UserID> = []
}

extension Turn {
  /// Notes what a word names. Called by those who look up names.
  func noteNamed(_ workspace: WorkspaceID) { noteNamed { $0.workspaces.insert(workspace) } }
  func noteNamed(_ user: UserReference) { noteNamed { $0.users.insert(user.id) } }
  func noteNamed(_ contact: ContactReference) { noteNamed { $0.contacts.insert(contact.id) } }

  /// Notes whom the answer names as the one who did something.
  func noteAuthor(_ user: UserReference) { noteNamed { $0.authors.insert(user.id) } }

  @inline(__always)
  private func noteNamed(_ note: (inout NamedInWords) -> Void) {
    guard named != nil || isWatchedForApproval else { return }
    var all = named ?? NamedInWords()
    note(&all)
    named = all
  }
}
