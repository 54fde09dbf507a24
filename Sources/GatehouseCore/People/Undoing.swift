/// B9: a delete, a merge or a bulk edit is taken back within the policy's time, by a record that says the opposite.
///
/// It is refused where it was taken back already, where somebody has changed since what it would change back, and where
/// something rests on what it would take. For the rest it asks what the command asks by which somebody would do the same
/// by hand: `FieldPairs.check` of fields, `setStatus` of a status, `requireGrantable` of roles. So an undo cannot bring
/// about what no other command can.
///
/// What ended with the command stays ended: sessions, timers and messages do not come back, and neither do resets under
/// way, passwords that waited to be mailed, and requests that waited for a second person.
extension CommandTable {
  static let undoCommands: [CommandSpec] = [
    CommandSpec(
      "UNDO", .people, "Take back a USER.DELETE, USER.MERGE or USER.BULK, by the number of its record",
      [.word("lsn", .integer), .flag("ACCEPT-BILLING")],
      reply:
        "a map `lsn, command, users`: what was taken back, and the users who are as before. The policy `undo.window` of"
        + " the home workspace says how long it may be. A record is taken back once, and only while nothing was built on"
        + " it; not if it is of a transaction (`MULTI`) that changed things by several commands. A merge is not taken back if"
        + " time or linked records of the person were recorded since, nor if the login that came back might log in and the"
        + " kept one may not since; what else the kept one has got since, it keeps. What ended stays ended: sessions, timers, keys,"
        + " mails, resets of a password, and requests for approval",
      effect: .write, rights: .admin,
      needs: .permissions(
        [.userDelete, .userMerge, .contactSet, .userSet, .userStatus, .memberManage], over: .anything),
      route: .directory, ownLogin: .identity, body: .decide(undo))
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
    guard let part = events.first?.part, try turn.maySee(events) else {
      throw .refused(.notFound("record \(lsn); AUDIT.LIST names them"))
    }
    if let asked = part.changes.lazy.compactMap({ $0.as(ApprovalRequested.self) }).first {
      throw .refused(
        .rule(
          "undo", "by record \(lsn) somebody only asked for \(part.header.command)",
          instead: "APPROVAL.REFUSE \(asked.request.id.raw) takes that back while it waits"))
    }
    let command = part.approvedCommand ?? part.header.command
    guard let permission = undoable[command], events.count == 1 else {
      let what = events.count == 1 ? "its command is \(command)" : "it is a transaction of several commands"
      throw .refused(
        .rule(
          "undo", "record \(lsn) cannot be taken back: \(what)",
          instead: "only USER.DELETE, USER.MERGE and USER.BULK can, each in a record of its own; give the command that"
            + " changes it back"))
    }
    let undoing = Undoing(lsn, part, turn)
    try undoing.hold()
    let users = try undoing.users()
    if let permission { for user in users { try turn.require(permission, over: user) } }
    for user in users { try undoing.checkTime(of: user) }
    for user in users { try undoing.checkFirstTime(user) }
    try undoing.checkUntouched()
    try undoing.checkUnbuilt()
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
    if reach.isAll, !mindsRank(.auditRead) { return !events.isEmpty }
    for event in events {
      let facts = try subjectFacts(of: event.part.changes, for: reach) { (partition) throws(Halt) in
        try cell(partition)
      }
      if event.part.changes.contains(where: { reach.shows($0, at: event.lsn, facts, in: directory) }) {
        return true
      }
    }
    return false
  }
}

extension RecordPart {
  /// The command that a second person approved, if it was carried out with the approval (B13).
  fileprivate var approvedCommand: String? {
    let decided = changes.lazy.compactMap { $0.as(ApprovalDecided.self) }
    return decided.first { $0.isGranted && !$0.command.isEmpty }?.command
  }
}

/// Taking back one record.
struct Undoing {
  let lsn: LSN
  let part: RecordPart
  let turn: Turn

  init(_ lsn: LSN, _ part: RecordPart, _ turn: Turn) {
    self.lsn = lsn
    self.part = part
    self.turn = turn
  }

  var userIDs: [UserID] {
    var ids: [UserID] = []
    for change in part.changes {
      let id: UserID?
      switch change.known {
      case let change as UserSet: id = change.user
      case let change as StatusSet: id = change.user
      case let change as AccessSet: id = change.user
      case let change as RoleRevoked: id = change.user
      case let change as WorkspaceJoined: id = change.user
      case let change as ManagementRemoved: id = change.user
      default: id = nil
      }
      if let id, !ids.contains(id) { ids.append(id) }
    }
    return ids
  }

  var contactIDs: [ContactID] {
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
    let managed = part.changes.compactMap { change -> UserID? in
      if case .user(let id)? = change.as(ManagementRemoved.self)?.link.target { id } else { nil }
    }
    try turn.hold(
      (userIDs + managed).map { partitioning.partition(of: $0) }
        + contactIDs.map { partitioning.partition(of: $0) })
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
      // Without a login nobody says whether it may be changed back, and a part alone is not taken back.
      guard let user = contact.newestLogin else { throw built("contact #\(id.raw) has no login any more") }
      if !users.contains(where: { $0.id == user.id }) { users.append(user) }
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

  func built(_ what: String) -> Halt {
    .refused(.rule("undo", what, instead: "change back by hand what is still to be; AUDIT.LIST shows what was"))
  }

  /// A record is taken back once. What it changed may be as it left it for another reason by now, such as another delete.
  func checkFirstTime(_ user: UserReference) throws(Halt) {
    let undone = user.cell.state.people.undone(of: user.serial)
    if let earlier = undone.first(where: { $0.record == lsn }) {
      throw .refused(
        .rule(
          "undo", "record \(lsn) was taken back already, by record \(earlier.by)",
          instead: "what was done since has a record of its own; AUDIT.LIST names it"))
    }
    guard undone.count < Limits.undosOfUser || (undone.first?.time ?? 0) + Limits.undoLife <= turn.now else {
      throw .refused(.limit("undo: \(user.username) was changed back \(Limits.undosOfUser) times lately"))
    }
  }

  /// Runs the checks of another command, whose refusal then says whom it is about.
  func guarded(_ user: UserReference, _ body: () throws(Halt) -> Void) throws(Halt) {
    do throws(Halt) {
      try body()
    } catch {
      guard case .refused(let refusal) = error else { throw error }
      throw .refused(Refusal(refusal.code, "\(refusal.message) (user \(user.username); nothing was taken back)"))
    }
  }
}
