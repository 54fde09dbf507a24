/// B9: a delete, a merge or a bulk edit is taken back within the policy's time, by a record that says the opposite. It is
/// refused where somebody has changed since what it would change back.
///
/// What ended with the command stays ended: sessions, timers and messages do not come back.
extension CommandTable {
  static let undoCommands: [CommandSpec] = [
    CommandSpec(
      "UNDO", .people, "Take back a USER.DELETE, USER.MERGE or USER.BULK, by the number of its record",
      [.word("lsn", .integer)],
      reply:
        "a map `lsn, command, users`: what was taken back, and the users who are as before. The policy `undo.window` of"
        + " the home workspace says how long it may be. Sessions and timers that ended stay ended",
      effect: .write, rights: .admin,
      needs: .permissions(
        [.userDelete, .userMerge, .contactSet, .userSet, .userStatus, .memberManage], over: .anything),
      route: .directory, body: .decide(undo))
  ]

  private static let undoable: [String: Permission?] = [
    "USER.DELETE": .userDelete, "USER.MERGE": .userMerge, "USER.BULK": nil,
  ]

  @Sendable private static func undo(_ turn: Turn) throws(Halt) {
    let lsn = LSN(try Turn.integer(try turn.text(1, "lsn"), "lsn", in: 1...Int.max))
    try turn.refuseImpersonation("who somebody is")
    var work = ReadTrail()
    work.cursor = lsn
    work.count = 1
    let page: TrailPage
    switch try turn.outcome(of: work) {
    case .success(let found): page = found
    case .failure(let refusal): throw .refused(refusal)
    }
    let events = page.events.filter { $0.lsn == lsn }
    guard let part = events.first?.part, try turn.maySee(events) else {
      throw .refused(.notFound("record \(lsn); AUDIT.LIST names them"))
    }
    let command = part.approvedCommand ?? part.header.command
    guard let permission = undoable[command], events.count == 1 else {
      let what = events.count == 1 ? "its command is \(command)" : "it is a transaction of several commands"
      throw .refused(
        .rule(
          "undo", "record \(lsn) cannot be taken back: \(what)",
          instead: "only USER.DELETE, USER.MERGE and USER.BULK can; give the command that changes it back"))
    }
    let undoing = Undoing(lsn, part, turn)
    try undoing.hold()
    let users = try undoing.users()
    if let permission { for user in users { try turn.require(permission, over: user) } }
    for user in users { try undoing.checkTime(of: user) }
    try undoing.checkUntouched()
    try undoing.emit(asEdit: permission == nil)
    for user in users { turn.emit(Noted(user.id, .tookBack(lsn))) }
    turn.reply.map(3)
    turn.reply.text("lsn")
    turn.reply.integer(lsn)
    turn.reply.text("command")
    turn.reply.text(command)
    turn.reply.text("users")
    turn.reply.array(users.count)
    for user in users { turn.reply.text(user.username) }
  }
}

extension Turn {
  /// Whether the trail shows the caller anything of a record. Of any other, not even the command is told (W4).
  fileprivate func maySee(_ events: [TrailEvent]) throws(Halt) -> Bool {
    let reach = AuditReach(self)
    if reach.isAll { return !events.isEmpty }
    for event in events {
      let workspaces = try subjectWorkspaces(of: event.part.changes) { (partition) throws(Halt) in
        try cell(partition)
      }
      if event.part.changes.contains(where: { reach.shows($0, at: event.lsn, workspaces, in: directory) }) {
        return true
      }
    }
    return false
  }
}

extension RecordPart {
  /// The command that a second person approved, if it was carried out with the approval (B13).
  fileprivate var approvedCommand: String? {
    let approved = changes.lazy.compactMap { $0.as(ApprovalDecided.self)?.command }
    return approved.first { !$0.isEmpty }
  }
}

/// Taking back one record.
private struct Undoing {
  let lsn: LSN
  let part: RecordPart
  let turn: Turn

  init(_ lsn: LSN, _ part: RecordPart, _ turn: Turn) {
    self.lsn = lsn
    self.part = part
    self.turn = turn
  }

  private var userIDs: [UserID] {
    var ids: [UserID] = []
    for change in part.changes {
      let id: UserID?
      switch change.known {
      case let change as UserSet: id = change.user
      case let change as StatusSet: id = change.user
      case let change as AccessSet: id = change.user
      case let change as RoleRevoked: id = change.user
      case let change as WorkspaceJoined: id = change.user
      default: id = nil
      }
      if let id, !ids.contains(id) { ids.append(id) }
    }
    return ids
  }

  private var contactIDs: [ContactID] {
    var ids: [ContactID] = []
    for change in part.changes {
      let found: [ContactID]
      switch change.known {
      case let change as ContactSet: found = [change.contact]
      case let change as CustomFieldSet: found = [change.contact]
      case let change as EmploymentSet: found = [change.contact]
      case let change as ContactsMerged: found = [change.keep, change.drop]
      default: found = []
      }
      for id in found where !ids.contains(id) { ids.append(id) }
    }
    return ids
  }

  /// Asks at once for all whom the record is about.
  func hold() throws(Halt) {
    let partitioning = turn.partitioning
    try turn.hold(
      userIDs.map { partitioning.partition(of: $0) } + contactIDs.map { partitioning.partition(of: $0) })
    var names: [Int] = []
    for id in userIDs {
      guard let user = try turn.user(id) else { continue }
      names.append(NameKey(user.username, partitioning).partition)
    }
    try turn.hold(names)
  }

  /// Those whom it is about, the logins of contacts among them.
  func users() throws(Halt) -> [UserReference] {
    var users: [UserReference] = []
    for id in userIDs {
      guard let user = try turn.user(id) else { throw built("user #\(id.raw) was purged since") }
      users.append(user)
    }
    for id in contactIDs {
      guard let contact = try turn.contact(id) else { throw built("contact #\(id.raw) was deleted since") }
      guard let user = contact.newestLogin, !users.contains(where: { $0.id == user.id }) else { continue }
      users.append(user)
    }
    return users
  }

  func checkTime(of user: UserReference) throws(Halt) {
    turn.read(turn.directory.lsn)
    let window = turn.directory.workspace(user.home ?? mainWorkspace).policies.undoWindow
    guard turn.now - part.header.time <= window else {
      throw .refused(
        .rule(
          "undo.window",
          "record \(lsn) is of \(TimeText.text(of: part.header.time)), longer ago than the policy allows",
          instead: "give the command that changes it back"))
    }
  }

  private func built(_ what: String) -> Halt {
    .refused(.rule("undo", what, instead: "change back by hand what is still to be; AUDIT.LIST shows what was"))
  }

  // MARK: What was built on it

  /// Refuses if what the record changed was changed again since, or something else rests on it.
  func checkUntouched() throws(Halt) {
    for user in try users() where user.contactReference.isAnonymised {
      throw built("contact #\(user.contactID.raw) was anonymised since")
    }
    for change in part.changes {
      switch change.known {
      case let change as StatusSet: try check(change)
      case let change as ContactSet:
        guard let contact = try turn.contact(change.contact) else { continue }
        try expect(change.new, contact.text(change.field), change.field.name, contact)
      case let change as CustomFieldSet:
        guard let contact = try turn.contact(change.contact) else { continue }
        guard let field = turn.directory.field(change.field), !field.isDropped else {
          throw built("a field that it set was dropped since")
        }
        try expect(
          change.new, contact.cell.state.people.custom(field.id, of: contact.serial), field.name, contact)
      case let change as UserSet:
        guard let user = try turn.user(change.user) else { continue }
        try expect(
          change.new, user.cell.state.people.text(change.field, of: user.serial), change.field.name,
          user.contactReference)
      case let change as AccessSet:
        guard let user = try turn.user(change.user), let product = (change.old ?? change.new)?.product else { continue }
        guard user.access(to: product) == change.new else {
          throw built("the access of \(user.username) to a product was changed since")
        }
      case let change as ContactsMerged: try check(change)
      default: continue
      }
    }
  }

  private func expect(_ new: String, _ now: String, _ field: String, _ contact: ContactReference) throws(Halt) {
    guard new != now else { return }
    let name = contact.newestLogin?.username ?? "contact #\(contact.id.raw)"
    throw built("\(field) of \(name) was changed since")
  }

  private func check(_ change: StatusSet) throws(Halt) {
    guard let user = try turn.user(change.user) else { return }
    guard user.row.status == change.new else {
      throw built("the status of \(user.username) was changed since, to \(user.row.status.name)")
    }
    guard change.new == .deleted else { return }
    let contact = user.contactReference
    if let newest = contact.logins.first, newest.id != user.id {
      throw built("contact #\(contact.id.raw) got another login since, \(newest.username)")
    }
    let isMergedHere = part.changes.contains { $0.as(ContactsMerged.self)?.drop == contact.id }
    if !isMergedHere, let other = user.cell.state.people.successor(ofContact: user.contact) {
      throw built("contact #\(contact.id.raw) was merged into contact #\(other.raw) since")
    }
    if let holder = try turn.holder(ofNewName: user.username), holder.id != user.id {
      throw built("the username \(user.username) was given to somebody else since")
    }
    let reference = user.cell.state.people.text(.reference, of: user.serial)
    try turn.requireUnique(reference: reference, of: user.id, in: user.home)
  }

  private func check(_ change: ContactsMerged) throws(Halt) {
    guard let keep = try turn.contact(change.keep), let drop = try turn.contact(change.drop) else { return }
    guard drop.cell.state.people.successor(ofContact: drop.serial) == keep.id else {
      throw built("contact #\(drop.id.raw) leads elsewhere by now")
    }
    if let next = keep.cell.state.people.successor(ofContact: keep.serial) {
      throw built("contact #\(keep.id.raw) was merged into contact #\(next.raw) since")
    }
  }

  // MARK: The opposite

  /// - Parameter isEdit: whether each change needs the permission that it needed when it was made.
  func emit(asEdit isEdit: Bool) throws(Halt) {
    for change in part.changes.reversed() {
      switch change.known {
      case let change as StatusSet: try takeBack(change, isEdit)
      case let change as ContactSet:
        guard let contact = try turn.contact(change.contact) else { continue }
        if isEdit { try turn.require([.contactSet], over: turn.target(of: contact)) }
        try require(change.old, change.field.name, of: contact)
        turn.emit(ContactSet(change.contact, change.field, old: change.new, new: change.old))
      case let change as CustomFieldSet:
        guard let contact = try turn.contact(change.contact), let field = turn.directory.field(change.field) else {
          continue
        }
        if isEdit {
          try turn.require(
            [.contactSet, .memberManage], over: Target(.workspace(field.workspace), contact.newestLogin))
        }
        if field.isMandatory, change.old.isEmpty, contact.home == field.workspace {
          throw built("\(turn.directory.workspace(field.workspace).name) requires \(field.name) by now")
        }
        guard field.allows(change.old) else { throw built("\(field.name) cannot be \(change.old) any more") }
        turn.emit(CustomFieldSet(change.contact, field, old: change.new, new: change.old))
      case let change as EmploymentSet:
        if let old = change.old { try requireThere(.account(old.account, of: old.workspace)) }
        turn.emit(EmploymentSet(change.contact, old: change.new, new: change.old))
      case let change as UserSet:
        guard let user = try turn.user(change.user) else { continue }
        if isEdit { try turn.require([change.field == .authority ? .authoritySet : .userSet], over: Target(user)) }
        try require(change.old, change.field.name, of: user.contactReference)
        turn.emit(UserSet(change.user, change.field, old: change.new, new: change.old))
      case let change as AccessSet: try takeBack(change)
      case let change as RoleRevoked: try takeBack(change)
      case let change as WorkspaceJoined:
        guard let user = try turn.user(change.user) else { continue }
        try turn.stopTimers(of: user, in: change.workspace)
        turn.emit(
          WorkspaceLeft(change.user, change.workspace, limits: user.limits(ofMembership: change.workspace)))
      case let change as ContactsMerged:
        var parted = ContactsParted()
        (parted.keep, parted.drop, parted.others) = (change.keep, change.drop, change.others)
        (parted.keepUser, parted.dropUser) = (change.keepUser, change.dropUser)
        turn.emit(parted)
      // What ended stays ended, and what was said was said.
      default: continue
      }
    }
  }

  /// S4: what a workspace requires by now is not taken away.
  private func require(_ value: String, _ field: String, of contact: ContactReference) throws(Halt) {
    guard value.isEmpty, contact.user != nil else { return }
    let home = turn.directory.workspace(contact.home ?? mainWorkspace)
    if home.policies.requiredFields.contains(field) { throw built("\(home.name) requires \(field) by now") }
  }

  private func requireThere(_ scope: Scope) throws(Halt) {
    if !turn.directory.isThere(scope) { throw built("the \(turn.text(of: scope)) was deleted since") }
  }

  private func takeBack(_ change: StatusSet, _ isEdit: Bool) throws(Halt) {
    guard let user = try turn.user(change.user) else { return }
    if isEdit { try turn.require(.userStatus, over: user) }
    // Somebody else may have had the name meanwhile: it has to lead here again.
    if change.new == .deleted { turn.emit(UserRenamed(user.id, old: user.username, new: user.username)) }
    turn.emit(StatusSet(user.id, old: change.new, new: change.old))
  }

  /// Of other workspaces comes back what the record took, for their administrators to see to: a role as it was, an access
  /// disabled, since whether there is still a seat for it is not the caller's to know (W4).
  private func takeBack(_ change: RoleRevoked) throws(Halt) {
    guard let user = try turn.user(change.user), !change.grant.limits.hasEnded(at: turn.now) else { return }
    try requireThere(change.grant.scope)
    let workspace = turn.directory.workspace(of: change.grant.scope)
    if workspace.map(turn.knownWorkspaces.contains) ?? true { try turn.requireGranting(change.grant, to: user) }
    turn.emit(RoleGranted(change.user, change.grant))
  }

  private func takeBack(_ change: AccessSet) throws(Halt) {
    let access = change.old ?? change.new
    guard let product = access.flatMap({ turn.directory.product($0.product) }) else { return }
    guard var old = change.old else { return turn.emit(AccessSet(change.user, old: change.new, new: nil)) }
    if old.limits.hasEnded(at: turn.now) || !turn.knownWorkspaces.contains(product.workspace) { old.isEnabled = false }
    turn.setAccess(of: change.user, to: product, from: change.new, to: old)
  }
}
