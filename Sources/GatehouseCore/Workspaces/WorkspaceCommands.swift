extension CommandTable {
  static let workspaceCommands: [CommandSpec] = [
    CommandSpec(
      "WORKSPACE.CREATE", .organisation, "Add a workspace: a customer organisation with its own products and policies",
      [
        .word("name"), .option("PROFILE", "profile"), .option("PLAN", "plan"), .option("SUBDOMAIN", "subdomain"),
        .option("OWNER", "user"),
      ],
      reply: "`OK`; profiles are actitime, actionstep, aptien, accessplanit, clockify; the owner becomes a member",
      effect: .write, rights: .admin, needs: .permission(.workspaceCreate, over: .server), route: .directory,
      body: .decide(workspaceCreate)),
    CommandSpec(
      "WORKSPACE.GET", .organisation, "A workspace with all its policies", [.word("workspace")],
      reply: "a map `id, name, plan, owner, subdomain, created, version` and `policy.NAME` for each policy",
      needs: .nothing, route: .directory, body: .decide(workspaceGet)),
    CommandSpec(
      "WORKSPACE.SET", .organisation, "Set plan, owner, subdomain, policies or a whole profile, all or none",
      [.word("workspace"), .word("key"), .word("value"), .pairs("key", "value")],
      reply: "how many settings changed; keys are plan, owner, subdomain, profile and policy.NAME", effect: .write,
      isVersioned: true,
      rights: .admin, needs: .permissions([.workspaceSet, .securitySet, .workspaceTransfer], over: .workspace(1)),
      route: .directory, body: .decide(workspaceSet)),
    CommandSpec(
      "WORKSPACE.LIST", .organisation, "The workspaces, oldest first",
      reply: "an array of maps `id, name, plan, subdomain, created, version`", needs: .nothing, route: .directory,
      body: .decide(workspaceList)),
    CommandSpec(
      "WORKSPACE.MEMBER", .organisation, "Add a user to a workspace, or remove one",
      [
        .word("workspace"), .word("user"), .flag("REMOVE"), .option("FROM", "time", .time),
        .option("UNTIL", "time", .time), .flag("ACCEPT-BILLING"),
      ],
      reply: "1, or 0 if nothing changed; removing disables the workspace's products for the user, stops the"
        + " timer, ends employments and sessions there and takes the roles, also of who is deleted, and so does `UNTIL`"
        + " when it passes. For an existing member, an omitted"
        + " `FROM` or `UNTIL` stays as it is, and `none` removes it",
      effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.memberManage, over: .membership(workspace: 1, user: 2)),
      route: .user(2), body: .decide(workspaceMember)),
    CommandSpec(
      "WORKSPACE.TRANSFER", .organisation, "Hand a workspace on to another owner, who must be a member",
      [.word("workspace"), .word("user")], reply: "`OK`", effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.workspaceTransfer, over: .workspace(1)), route: .user(2), body: .decide(workspaceTransfer)),
  ]

  @Sendable private static func workspaceCreate(_ turn: Turn) throws(Halt) {
    let name = try Turn.name(try turn.text(1, "name", limit: Limits.nameBytes), "name")
    let view = try turn.directoryState().state.view
    turn.read(view.lsn)
    guard view.workspaceID(name) == nil else {
      throw .refused(.conflict("workspace: \(name) already exists", of: "name"))
    }
    guard view.workspaces.count < Limits.workspaces else {
      throw .refused(.limit("workspaces: at most \(Limits.workspaces)"))
    }
    let workspace = Workspace(
      id: WorkspaceID(view.workspaces.count + 1), name: name, created: turn.now,
      plan: try turn.option("PLAN").map { (plan) throws(Halt) in try Turn.name(plan, "PLAN") } ?? "free")
    var settings = WorkspaceSettings(workspace)
    if let profile = try turn.option("PROFILE") { try settings.take(profile: profile) }
    if let subdomain = try turn.option("SUBDOMAIN") { try settings.take("subdomain", subdomain, in: view) }
    turn.emit(WorkspaceCreated(workspace.id, name: name, plan: workspace.plan))
    if let word = turn.optionWord("OWNER") {
      let owner = try turn.user(word)
      try turn.requireNotDeleted(owner)
      guard owner.row.status.mayLogIn else { throw .refused(ownerMustLogIn) }
      try turn.requireRoom(forMemberships: owner.cell.state.people.memberships(of: owner.serial).count + 1)
      try settings.take("owner", "#\(owner.id.raw)", in: view)
      turn.emit(WorkspaceJoined(owner.id, workspace.id))
    }
    try settings.emit(turn)
    turn.reply.ok()
  }

  private static var ownerMustLogIn: Refusal {
    .rule(
      "owner", "the owner of a workspace must be able to log in",
      instead: "set a status that may log in first with USER.STATUS user active")
  }

  // MARK: Reading

  @Sendable private static func workspaceGet(_ turn: Turn) throws(Halt) {
    let workspace = try turn.workspace(at: 1)
    // Workspaces that an impersonation does not reach are invisible to it.
    guard turn.knownWorkspaces.contains(workspace.id) else {
      throw .refused(.notFound("workspace \(workspace.name)"))
    }
    let owner = try workspace.owner.flatMap { (id) throws(Halt) in try turn.user(id) }
    turn.reply.map(7 + Policies.all.count)
    describe(workspace, turn)
    turn.reply.text("owner")
    turn.reply.optional(owner?.username)
    for policy in Policies.all {
      turn.reply.text("policy.\(policy.name)")
      turn.reply.text(workspace.policies.text(of: policy))
    }
  }

  /// The six pairs common to all views of a workspace.
  private static func describe(_ workspace: Workspace, _ turn: Turn) {
    turn.reply.text("id")
    turn.reply.integer(workspace.id)
    turn.reply.text("name")
    turn.reply.text(workspace.name)
    turn.reply.text("plan")
    turn.reply.text(workspace.plan)
    turn.reply.text("subdomain")
    turn.reply.optional(workspace.subdomain)
    turn.reply.text("created")
    turn.reply.integer(workspace.created)
    turn.reply.text("version")
    turn.reply.integer(workspace.version)
  }

  @Sendable private static func workspaceList(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let known = turn.knownWorkspaces
    let workspaces = turn.directory.workspaces.filter { known.contains($0.id) }
    turn.reply.array(workspaces.count)
    for workspace in workspaces {
      turn.reply.map(6)
      describe(workspace, turn)
    }
  }

  // MARK: Changing

  @Sendable private static func workspaceSet(_ turn: Turn) throws(Halt) {
    let view = try turn.directoryState().state.view
    let workspace = try turn.workspace(at: 1)
    try turn.checkVersion(workspace.version)
    var settings = WorkspaceSettings(workspace)
    for pair in try turn.pairs(of: "key") {
      let key = try turn.text(pair.name, "key", limit: Limits.nameBytes).folded
      let value = try turn.text(pair.value, key)
      try turn.require(permission(toSet: key), over: key == "plan" ? .server : .workspace(workspace.id))
      switch key {
      case "owner": try settings.take(key, try newOwner(at: pair.value, of: workspace, turn), in: view)
      case "profile": try settings.take(profile: value)
      default: try settings.take(key, value, in: view)
      }
    }
    turn.reply.integer(try settings.emit(turn))
  }

  private static func permission(toSet key: String) -> Permission {
    switch key {
    // The plan decides what is paid and what it allows, so it is not the owner's alone to choose (K1).
    case "plan": .workspacePlan
    case "owner": .workspaceTransfer
    case "profile", "subdomain": .securitySet
    default: Workspace.policy(key)?.isAboutSecurity ?? true ? .securitySet : .workspaceSet
    }
  }

  /// The id of a user who can own the workspace, in the form of the setting.
  private static func newOwner(at word: Int, of workspace: Workspace, _ turn: Turn) throws(Halt) -> String {
    let owner = try turn.user(word)
    guard owner.limits(ofMembership: workspace.id).isNone else {
      throw .refused(
        .rule(
          "owner", "\(owner.username) is a member of \(workspace.name) for a limited time",
          instead: "remove the limits first with WORKSPACE.MEMBER \(workspace.name) user FROM none UNTIL none"))
    }
    guard owner.isMember(of: workspace.id) else {
      throw .refused(
        .rule(
          "owner", "\(owner.username) is not a member of \(workspace.name)",
          instead: "add the user first with WORKSPACE.MEMBER \(workspace.name) user"))
    }
    try turn.requireNotDeleted(owner)
    guard owner.row.status.mayLogIn else { throw .refused(ownerMustLogIn) }
    return "#\(owner.id.raw)"
  }

  @Sendable private static func workspaceTransfer(_ turn: Turn) throws(Halt) {
    let view = try turn.directoryState().state.view
    let workspace = try turn.workspace(at: 1)
    try turn.checkVersion(workspace.version)
    var settings = WorkspaceSettings(workspace)
    try settings.take("owner", try newOwner(at: 2, of: workspace, turn), in: view)
    try settings.emit(turn)
    turn.reply.ok()
  }

  @Sendable private static func workspaceMember(_ turn: Turn) throws(Halt) {
    // W7: callers can add only users whom they know; users of other workspaces do not exist for them.
    let user = try turn.user(2)
    let workspace = try turn.workspace(at: 1)
    let memberships = user.memberships
    let isMember = memberships.contains(workspace.id)
    try turn.checkVersion(turn.version(of: user))
    guard turn.has("REMOVE") else {
      try turn.requireNotDeleted(user)
      return turn.reply.flag(try join(user, workspace, isMember: isMember, memberships, turn))
    }
    guard !turn.has("FROM"), !turn.has("UNTIL") else {
      throw .refused(.syntax("REMOVE ends the membership now; leave FROM and UNTIL out"))
    }
    turn.reply.flag(isMember)
    if isMember { try remove(user, from: workspace, memberships, turn) }
  }

  /// - Returns: whether this changes anything.
  private static func join(
    _ user: UserReference, _ workspace: Workspace, isMember: Bool, _ memberships: [WorkspaceID], _ turn: Turn
  ) throws(Halt) -> Bool {
    let old = user.limits(ofMembership: workspace.id)
    let new = try turn.timeLimits(of: user, in: workspace.id, insteadOf: old.hasEnded(at: turn.now) ? .none : old)
    if !new.isNone, memberships.first == workspace.id || workspace.owner == user.id {
      throw .refused(
        .rule(
          "home", "a membership of the home, or of a workspace that the user owns, has no time limits",
          instead: "set a release date with USER.SET user released …, or limit the access with PRODUCT.ENABLE"))
    }
    if !isMember || old.hasEnded(at: turn.now) { try turn.requireConsent(of: workspace) }
    if !isMember {
      try turn.requireRoom(forMemberships: memberships.count + 1)
      turn.emit(WorkspaceJoined(user.id, workspace.id))
    }
    if new.end > old.end, user.holdsAnything(in: workspace.id, turn.directory) {
      try turn.requireGiving(
        PermissionSet([.memberManage]), over: .workspace(workspace.id), until: new.end,
        to: "extend the membership of a user with rights there")
    }
    // Else a membership that ends in a moment would take what removing it now may not.
    if isMember, new.isShorter(than: old, at: turn.now) { try requireEnding(user, in: workspace, turn) }
    if old != new { turn.emit(MembershipLimited(user.id, workspace.id, old: old, new: new)) }
    let isChange = !isMember || old != new
    if isChange, turn.has("ACCEPT-BILLING") { turn.emit(Noted(user.id, .billingAccepted(workspace.id))) }
    return isChange
  }

  private static func remove(
    _ user: UserReference, from workspace: Workspace, _ memberships: [WorkspaceID], _ turn: Turn
  ) throws(Halt) {
    guard workspace.owner != user.id else {
      throw .refused(
        .rule(
          "owner", "\(user.username) owns the workspace",
          instead: Turn.handOn(workspace)))
    }
    guard memberships.first != workspace.id else {
      throw .refused(
        .rule(
          "home", "\(workspace.name) is the home workspace of \(user.username), which governs the login",
          instead: "move the user first with USER.MOVEHOME user workspace, or delete the user"))
    }
    try requireEnding(user, in: workspace, turn)
    try turn.leave(workspace, user)
    if turn.has("ACCEPT-BILLING") { turn.emit(Noted(user.id, .billingAccepted(workspace.id))) }
  }

  /// What it takes to end a membership with all that rests on it, now or later.
  private static func requireEnding(_ user: UserReference, in workspace: Workspace, _ turn: Turn) throws(Halt) {
    try turn.requireConsent(of: workspace)
    for grant in user.grants where turn.directory.workspace(of: grant.scope) == workspace.id {
      try turn.requireRevoking(grant)
    }
    // B13: it does what these commands do one by one.
    let place = Target(.workspace(workspace.id), user)
    let accesses = user.cell.state.people.allAccess(of: user.serial).filter { access in
      access.isEnabled && turn.directory.product(access.product)?.workspace == workspace.id
    }
    if !accesses.isEmpty { turn.noteUse([.productAccess], over: place) }
    if accesses.contains(where: \.isAdministrator) { turn.noteTakingRights(over: .workspace(workspace.id)) }
    let isEmployed = user.employments.contains { $0.workspace == workspace.id }
    if isEmployed || user.management.contains(where: { $0.workspace == workspace.id }) {
      turn.noteUse([.employmentManage], over: place)
    }
  }
}

extension Turn {
  /// What an owner does before leaving.
  static func handOn(_ workspace: Workspace) -> String {
    "hand it on first with WORKSPACE.TRANSFER \(workspace.name) user"
  }

  /// Makes a user who is given something in a workspace a member of it, unless they are: a workspace knows and governs
  /// everybody who has access or a role there (W3).
  func join(_ user: UserReference, _ workspace: WorkspaceID) throws(Halt) {
    let joined = changes.compactMap { $0.as(WorkspaceJoined.self) }.filter { $0.user == user.id }
    if user.isMember(of: workspace) || joined.contains(where: { $0.workspace == workspace }) { return }
    try requireRoom(forMemberships: user.memberships.count + joined.count + 1)
    // S5, S6, S10, B13: it is what WORKSPACE.MEMBER does.
    let place = directory.workspace(workspace)
    try requireAuthority(by: place.policies)
    guard !place.policies.needsBillingAcceptance else {
      throw .refused(
        .rule(
          "user.needs-billing-acceptance", "\(place.name) adds users only if the bill is accepted",
          instead: "add the user first with WORKSPACE.MEMBER \(place.name) user ACCEPT-BILLING"))
    }
    noteUse([.memberManage], over: Target(.workspace(workspace)))
    emit(WorkspaceJoined(user.id, workspace))
  }

  public func requireRoom(forMemberships count: Int) throws(Halt) {
    guard count <= Limits.membershipsOfUser else {
      throw .refused(.limit("workspaces: a user is a member of at most \(Limits.membershipsOfUser)"))
    }
  }
}

/// The settings that a command changes, checked one by one and emitted together.
private struct WorkspaceSettings {
  private let workspace: Workspace
  private var values: [(key: String, value: String)] = []

  init(_ workspace: Workspace) { self.workspace = workspace }

  mutating func take(profile name: String) throws(Halt) {
    guard let profile = Policies.profiles[name.folded] else {
      throw .refused(
        .syntax("no profile '\(name)'; profiles are \(Policies.profiles.keys.sorted().joined(separator: ", "))"))
    }
    for policy in Policies.all {
      // A profile copies how a product behaves; the organisation's time zone, language, mailbox and name are not part of that.
      switch policy.standard {
      case .zone, .language, .address, .title: continue
      case .flag, .number, .span, .choice, .words: break
      }
      let value = profile.last { $0.name == policy.name }?.value
      set("policy.\(policy.name)", value ?? Policies.show(policy.standard))
    }
  }

  mutating func take(_ key: String, _ value: String, in view: Directory) throws(Halt) {
    switch key {
    case "plan": set(key, try Turn.name(value.lowercased(), "plan"))
    case "owner": set(key, value)
    case "subdomain":
      let value = value.lowercased()
      guard value.isEmpty || EntityNames.isSubdomain(value) else {
        throw .refused(.syntax("subdomain must have 1 to 63 characters of a-z, 0-9 and inner hyphens"))
      }
      if let holder = view.workspaceID(ofSubdomain: value), holder != workspace.id {
        throw .refused(.conflict("subdomain: \(value) belongs to another workspace", of: "subdomain"))
      }
      set(key, value)
    default:
      guard let policy = Workspace.policy(key) else { throw Self.unknown(key) }
      guard let parsed = Policies.parse(value, for: policy) else {
        throw .refused(.syntax("\(key) must be \(Policies.expectation(for: policy))"))
      }
      if key == "policy.approval.needs", case .words(let words) = parsed,
        let idle = words.first(where: { Permission(name: $0)?.isForSeeing ?? false })
      {
        throw .refused(.syntax("\(key) cannot have \(idle), which changes nothing that could wait for a second person"))
      }
      if case .zone(let name) = parsed { return set(key, try view.zones.zone(named: name, for: key).name) }
      set(key, Policies.show(parsed))
    }
  }

  private static func unknown(_ key: String) -> Halt {
    if key == "name" { return .refused(.syntax("a workspace keeps its name, because products are named by it")) }
    let policies = Policies.all.map { "policy.\($0.name)" }.joined(separator: ", ")
    return .refused(.syntax("no setting '\(key)'; settings are plan, owner, subdomain, profile, \(policies)"))
  }

  /// B12: whoever wants a mailbox to be told of impersonations must say which.
  private func checkMailbox() throws(Halt) {
    func text(_ key: String) -> String { values.last { $0.key == key }?.value ?? workspace.text(key) ?? "" }
    guard ["mailbox", "both"].contains(text("policy.impersonation.notify")),
      text("policy.impersonation.mailbox").isEmpty
    else { return }
    throw .refused(
      .rule(
        "impersonation.notify", "there is no mailbox to tell of impersonations",
        instead: "set policy.impersonation.mailbox too, or first set policy.impersonation.notify to off or person"))
  }

  /// A later value replaces an earlier one, so that one command can set a profile and adjust it.
  private mutating func set(_ key: String, _ value: String) {
    values.removeAll { $0.key == key }
    values.append((key, value))
  }

  /// B13: an owner holds every role, so handing the workspace on is granting; and what two people are asked for is not
  /// taken away by one.
  private func noteApproval(of key: String, _ new: String, _ turn: Turn) {
    let needs = workspace.policies.approvalNeeds
    if key == "owner", needs.contains("\(Permission.roleGrant.name)") {
      turn.noteUse(.roleGrant, in: workspace.id)
    }
    let left = new.split(separator: ",").map(String.init)
    if key == "policy.approval.needs", !needs.allSatisfy(left.contains) {
      turn.noteUse(.securitySet, in: workspace.id)
    }
  }

  /// Emits the settings that differ, and returns how many.
  @discardableResult
  func emit(_ turn: Turn) throws(Halt) -> Int {
    try checkMailbox()
    var count = 0
    for (key, new) in values {
      let old = workspace.text(key) ?? ""
      guard old != new else { continue }
      try turn.requireRank(toSet: key, of: workspace, from: old, to: new)
      noteApproval(of: key, new, turn)
      turn.emit(WorkspaceSet(workspace.id, key: key, old: old, new: new))
      count += 1
    }
    return count
  }
}
