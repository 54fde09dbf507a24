/// The changes that take a record back, each after the checks of the command that would do the same by hand.
extension Undoing {
  /// - Parameter isEdit: whether each change needs the permission that it needed when it was made.
  func emit(asEdit isEdit: Bool) throws(Halt) {
    try takeBackFields(isEdit)
    // Before the status: whether a super administrator counts as one who may log in follows from that.
    for change in part.changes.reversed().compactMap({ $0.as(RoleRevoked.self) }) { try takeBack(change) }
    for change in part.changes.reversed() {
      switch change.known {
      case let change as StatusSet: try takeBack(change, isEdit)
      case let change as EmploymentSet: try takeBack(change)
      case let change as AccessSet: try takeBack(change)
      case let change as WorkspaceJoined:
        guard let user = try turn.user(change.user) else { continue }
        turn.emit(WorkspaceLeft(change.user, change.workspace, limits: user.limits(ofMembership: change.workspace)))
      case let change as ContactsMerged:
        var parted = ContactsParted()
        (parted.keep, parted.drop, parted.others) = (change.keep, change.drop, change.others)
        (parted.keepUser, parted.dropUser) = (change.keepUser, change.dropUser)
        turn.emit(parted)
      // Fields are taken back above. What ended stays ended, and what was said was said.
      default: continue
      }
    }
    // In the order in which they were listed.
    for change in part.changes.compactMap({ $0.as(ManagementRemoved.self) }) { try takeBack(change) }
  }

  /// Sets the fields of each person as they were, as `USER.SET` would.
  private func takeBackFields(_ isEdit: Bool) throws(Halt) {
    for user in try users() {
      let contact = user.contactReference
      try guarded(user) { () throws(Halt) in
        let pairs = try formerFields(of: contact, user)
        if pairs.isEmpty { return }
        if isEdit {
          try turn.requireNotDeleted(user)
          try pairs.authorise(over: contact, turn)
        }
        try pairs.check(contact, turn)
        _ = try turn.emit(pairs, of: user)
      }
    }
  }

  /// The values that fields of a person had before, as far as they are valid by now: a choice may be gone.
  private func formerFields(of contact: ContactReference, _ user: UserReference) throws(Halt) -> FieldPairs {
    var pairs = FieldPairs()
    for change in part.changes {
      switch change.known {
      case let change as ContactSet where change.contact == contact.id:
        pairs.contact.append(ContactText(change.field, try turn.value(change.old, of: change.field)))
      case let change as CustomFieldSet where change.contact == contact.id:
        guard let field = turn.directory.field(change.field) else { continue }
        guard field.allows(change.old) else { throw built("\(field.name) cannot be \(change.old) any more") }
        pairs.custom.append((field, try turn.value(change.old, of: field)))
      case let change as UserSet where change.user == user.id:
        pairs.user.append((change.field, try Turn.value(change.old, of: change.field)))
      default: continue
      }
    }
    return pairs
  }

  private func takeBack(_ change: StatusSet, _ isEdit: Bool) throws(Halt) {
    guard let user = try turn.user(change.user) else { return }
    if isEdit {
      try turn.require(.userStatus, over: user)
    } else {
      // S5, S6, S10: it adds a user.
      let home = turn.directory.workspace(user.home ?? mainWorkspace)
      try turn.requireConsent(of: home)
      if turn.has("ACCEPT-BILLING") { turn.emit(Noted(user.id, .billingAccepted(home.id))) }
      try guarded(user) { () throws(Halt) in try requireFields(of: user, in: home) }
    }
    if change.new == .deleted, try !turn.isLed(to: user) {
      turn.emit(UsernameRegained(user.id, username: user.username))
    }
    try guarded(user) { () throws(Halt) in _ = try turn.setStatus(of: user, change.old) }
  }

  /// S4, L2: what the home requires by now of a login that comes back with its roles.
  private func requireFields(of user: UserReference, in home: Workspace) throws(Halt) {
    let comesWithRole = part.changes.contains { change in
      change.as(RoleRevoked.self).map { $0.user == user.id && !$0.grant.limits.hasEnded(at: turn.now) } ?? false
    }
    let missing = turn.lackedFields(
      of: user.contactReference, in: home, hasRole: comesWithRole || !user.grants.isEmpty
    ) { user.cell.state.people.text($0, of: user.serial) }
    guard !missing.isEmpty else { return }
    throw .refused(
      .rule(
        "user.required-fields", "missing \(missing.joined(separator: ", "))",
        instead: "make another login with USER.CREATE username CONTACT #\(user.contactID.raw) and give them"))
  }

  private func takeBack(_ change: EmploymentSet) throws(Halt) {
    // What another workspace did with it meanwhile is no obstacle, is not told, and stays (W4).
    guard let contact = try turn.contact(change.contact), isUntouched(change, of: contact) else { return }
    if let old = change.old, !turn.directory.isThere(.account(old.account, of: old.workspace)) {
      // Of another workspace not even that is told (W4): it stays ended.
      guard turn.knownWorkspaces.contains(old.workspace) else { return }
      throw built("the \(turn.text(of: .account(old.account, of: old.workspace))) was deleted since")
    }
    if change.old == nil, let new = change.new, new.isMain {
      let others = contact.cell.state.people.employments(of: contact.serial).filter {
        $0.workspace == new.workspace && $0.account != new.account
      }
      let taken = part.changes.compactMap { $0.as(EmploymentSet.self) }.filter { $0.contact == contact.id }
        .compactMap(\.new?.account)
      if let other = others.first(where: { !taken.contains($0.account) }) {
        guard turn.knownWorkspaces.contains(new.workspace) else { return }
        throw built("\(name(of: contact)) is employed at \(turn.directory.accountName(other.account)) since")
      }
    }
    let held = contact.cell.state.people.employments(of: contact.serial)
    turn.setEmployment(of: change.contact, from: change.new, to: change.old, among: held)
  }

  /// Of other workspaces comes back what the record took, for their administrators to see to: a role as it was if it is
  /// still there, an access disabled, since whether there is still a seat for it is not the caller's to know (W4).
  private func takeBack(_ change: RoleRevoked) throws(Halt) {
    guard let user = try turn.user(change.user), !change.grant.limits.hasEnded(at: turn.now) else { return }
    var grant = change.grant
    let workspace = turn.directory.workspace(of: grant.scope)
    let isKnown = workspace.map(turn.knownWorkspaces.contains) ?? true
    let isMember = workspace.map(user.isMember) ?? true
    if isKnown {
      guard isMember else {
        throw built(
          "\(user.username) had the role \(turn.directory.name(of: grant.role)) \(turn.text(of: grant.scope)), and is no"
            + " member there any more")
      }
      // The record took the role from the user as they were, who may have been locked.
      let isReturning = part.changes.contains { $0.as(StatusSet.self)?.user == user.id }
      try guarded(user) { () throws(Halt) in
        try turn.requireGrantable(grant, to: user, who: isReturning ? nil : user.row.status)
        try turn.requireGranting(grant, to: user)
      }
    } else if !isMember || !turn.directory.isThere(grant.scope) || turn.directory.fault(of: grant) != nil {
      return
    }
    if grant.isMain, !turn.mayBeMain(grant, of: user) || user.grants.contains(where: \.isMain) { grant.isMain = false }
    turn.emit(RoleGranted(change.user, grant, held: user.grants.first { $0.isSame(as: grant) }))
  }

  /// L9: whom the user looked after, as far as they are there. Of other workspaces this is as it is with roles.
  private func takeBack(_ change: ManagementRemoved) throws(Halt) {
    guard let user = try turn.user(change.user), !user.management.contains(change.link) else { return }
    let link = change.link
    let isKnown = turn.knownWorkspaces.contains(link.workspace)
    guard try isThere(link), user.isMember(of: link.workspace) else {
      guard isKnown else { return }
      let what = ManagementLinkForm.text(link, in: turn.directory) ?? ""
      throw built("\(user.username) looked after \(what), which is not there any more, or not of the same workspace")
    }
    if isKnown {
      try guarded(user) { () throws(Halt) in try turn.requireGiving(link, to: user) }
    }
    turn.emit(ManagementAdded(user.id, link))
  }

  /// Whether what a link names is still there, and a person still a member.
  private func isThere(_ link: ManagementLink) throws(Halt) -> Bool {
    if let scope = link.scope { return turn.directory.isThere(scope) }
    guard case .user(let id) = link.target, let managed = try turn.user(id) else { return false }
    return managed.isMember(of: link.workspace)
  }

  private func takeBack(_ change: AccessSet) throws(Halt) {
    let access = change.old ?? change.new
    guard let user = try turn.user(change.user), let product = access.flatMap({ turn.directory.product($0.product) })
    else { return }
    guard var old = change.old else { return turn.emit(AccessSet(change.user, old: change.new, new: nil)) }
    let isKnown = turn.knownWorkspaces.contains(product.workspace)
    if old.limits.hasEnded(at: turn.now) || !isKnown || !user.isMember(of: product.workspace) { old.isEnabled = false }
    if isKnown {
      try guarded(user) { () throws(Halt) in
        let site = turn.site(of: product)
        if old.isEnabled { try turn.require(.productAccess, over: site, of: user) }
        if old.licence != 0 { try turn.require(.licenceAssign, over: site, of: user) }
        if old.isAdministrator {
          try turn.requireGiving(
            .productAdministrator, over: site, until: old.limits.end, to: "say who administers it")
        }
        try turn.requireRoom(forProducts: user.cell.state.people.allAccess(of: user.serial).count + 1)
      }
    }
    turn.setAccess(of: change.user, to: product, from: change.new, to: old)
  }
}
