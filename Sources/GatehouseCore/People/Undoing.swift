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
    var work = ReadTrail()
    work.cursor = lsn
    work.count = 1
    let page: TrailPage
    switch try turn.outcome(of: work) {
    case .success(let found): page = found
    case .failure(let refusal): throw .refused(refusal)
    }
    let events = page.events.filter { $0.lsn == lsn }
    guard let part = events.first?.part else { throw .refused(.notFound("record \(lsn); AUDIT.LIST names them")) }
    let undoing = Undoing(lsn, part, turn)
    // Whoever may not see the people of a record is not told what it is.
    try undoing.hold()
    let users = try undoing.users()
    guard let permission = undoable[part.header.command], events.count == 1 else {
      let what = events.count == 1 ? "it is a \(part.header.command)" : "it is a transaction of several commands"
      throw .refused(
        .rule(
          "undo", "record \(lsn) cannot be taken back: \(what)",
          instead: "only USER.DELETE, USER.MERGE and USER.BULK can; give the command that changes it back"))
    }
    if let permission { for user in users { try turn.require(permission, over: user) } }
    for user in users { try undoing.checkTime(of: user) }
    try undoing.checkUntouched()
    try undoing.emit(as: permission == nil)
    for user in users { turn.emit(Noted(user.id, .tookBack(lsn))) }
    turn.reply.map(3)
    turn.reply.text("lsn")
    turn.reply.integer(lsn)
    turn.reply.text("command")
    turn.reply.text(part.header.command)
    turn.reply.text("users")
    turn.reply.array(users.count)
    for user in users { turn.reply.text(user.username) }
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
    for id in userIDs { if let user = try turn.user(id) { users.append(user) } }
    for id in contactIDs {
      guard let user = try turn.contact(id)?.user, !users.contains(where: { $0.id == user.id }) else { continue }
      users.append(user)
    }
    guard !users.isEmpty, users.allSatisfy({ !turn.isLimited || turn.knows($0) }) else {
      throw .refused(.notFound("record \(lsn); AUDIT.LIST names them"))
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

  /// Refuses if somebody has changed since what the record changed.
  func checkUntouched() throws(Halt) {
    for id in userIDs {
      guard let user = try turn.user(id) else { throw built("user #\(id.raw) was purged since") }
      if user.row.lsn != lsn { throw built("user \(user.username) was changed since, by record \(user.row.lsn)") }
    }
    for id in contactIDs {
      guard let contact = try turn.contact(id) else { throw built("contact #\(id.raw) was deleted since") }
      if contact.row.lsn != lsn {
        throw built("contact #\(id.raw) was changed since, by record \(contact.row.lsn)")
      }
    }
  }

  private func built(_ what: String) -> Halt {
    .refused(.rule("undo", what, instead: "change back by hand what is still to be; AUDIT.LIST shows what was"))
  }

  // MARK: The opposite

  /// - Parameter isEdit: whether each change needs the permission that it needed when it was made.
  func emit(as isEdit: Bool) throws(Halt) {
    for change in part.changes.reversed() {
      switch change.known {
      case let change as StatusSet: try takeBack(change, isEdit)
      case let change as ContactSet:
        if isEdit, let contact = try turn.contact(change.contact) {
          try turn.require([.contactSet], over: turn.target(of: contact))
        }
        turn.emit(ContactSet(change.contact, change.field, old: change.new, new: change.old))
      case let change as CustomFieldSet:
        guard let field = turn.directory.field(change.field), !field.isDropped else { continue }
        if isEdit {
          let user = try turn.contact(change.contact)?.user
          try turn.require([.contactSet, .memberManage], over: Target(.workspace(field.workspace), user))
        }
        turn.emit(CustomFieldSet(change.contact, field, old: change.new, new: change.old))
      case let change as UserSet:
        guard let user = try turn.user(change.user) else { continue }
        if isEdit { try turn.require([change.field == .authority ? .authoritySet : .userSet], over: Target(user)) }
        turn.emit(UserSet(change.user, change.field, old: change.new, new: change.old))
      case let change as AccessSet: try takeBack(change)
      case let change as RoleRevoked:
        guard let user = try turn.user(change.user), !change.grant.limits.hasEnded(at: turn.now) else { continue }
        try turn.requireGranting(change.grant, to: user)
        turn.emit(RoleGranted(change.user, change.grant))
      case let change as WorkspaceJoined: turn.emit(WorkspaceLeft(change.user, change.workspace))
      case let change as ContactsMerged:
        var parted = ContactsParted()
        (parted.keep, parted.drop) = (change.keep, change.drop)
        (parted.keepUser, parted.dropUser) = (change.keepUser, change.dropUser)
        turn.emit(parted)
      // What ended stays ended, and what was said was said.
      default: continue
      }
    }
  }

  private func takeBack(_ change: StatusSet, _ isEdit: Bool) throws(Halt) {
    guard let user = try turn.user(change.user) else { return }
    if isEdit { try turn.require(.userStatus, over: user) }
    if change.new == .deleted {
      if let other = user.contactReference.user {
        throw built("contact #\(user.contactID.raw) has another login since, \(other.username)")
      }
      if let holder = try turn.holder(ofNewName: user.username), holder.id != user.id {
        throw built("the username \(user.username) was given to somebody else since")
      }
      // Somebody else may have had the name meanwhile: it has to lead here again.
      turn.emit(UserRenamed(user.id, old: user.username, new: user.username))
    }
    turn.emit(StatusSet(user.id, old: change.new, new: change.old))
  }

  private func takeBack(_ change: AccessSet) throws(Halt) {
    let access = change.old ?? change.new
    guard let product = access.flatMap({ turn.directory.product($0.product) }) else { return }
    guard var old = change.old else { return turn.emit(AccessSet(change.user, old: change.new, new: nil)) }
    if old.limits.hasEnded(at: turn.now) { old.isEnabled = false }
    turn.setAccess(of: change.user, to: product, from: change.new, to: old)
  }
}
