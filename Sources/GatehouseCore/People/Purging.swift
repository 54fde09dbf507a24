/// L12: deleting takes two steps. `USER.DELETE` takes the login away; `USER.PURGE` removes what is left of it for good,
/// once nothing refers to it. The contact stays (S8), and so does the trail.
extension CommandTable {
  static let purgeCommands: [CommandSpec] = [
    CommandSpec(
      "USER.PURGE", .people, "Remove a deleted login for good; its contact stays", [.word("user")],
      reply:
        "`OK`; refused while anything refers to the login, naming what. Mails to and about the login are given up, but"
        + " for those that report an act. CONTACT.DELETE removes the contact then",
      effect: .write, isVersioned: true, rights: .admin, needs: .permission(.userPurge, over: .user(1)),
      route: .user(1),
      body: .decide(userPurge))
  ]

  @Sendable private static func userPurge(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    if let named = try turn.anyUser(1), named.id != user.id {
      throw .refused(
        .rule(
          "purge", "\(named.username) was merged into \(user.username), to whom name and id lead",
          instead: "leave it, or take the merge back with UNDO first"))
    }
    try turn.checkVersion(turn.version(of: user))
    guard user.row.status == .deleted else {
      throw .refused(
        .rule(
          "purge", "\(user.username) is not deleted",
          instead: "delete the user first with USER.DELETE \(user.username) REASON text"))
    }
    try turn.requireAuthority(by: turn.homePolicies(of: user))
    turn.read(user.cell.state.lsn)
    let references = try turn.references(to: user)
    guard references.isEmpty else {
      throw .refused(
        .rule(
          "references", "\(user.username) is referred to by \(references.joined(separator: ", "))",
          instead: "remove what can be removed first, or clear the personal data with USER.ANONYMISE #\(user.id.raw)"))
    }
    _ = try turn.cell(NameKey(user.username, turn.partitioning).partition)
    try turn.dropMails(of: user)
    try turn.endRequests(about: [user.id], [])
    try turn.forgetAnswers(about: [user.id], [])
    turn.emit(UserPurged(user.id, username: user.username, contact: user.contactID))
    turn.reply.ok()
  }
}

extension Turn {
  /// What refers to a deleted login, each thing as a person would name it.
  fileprivate func references(to user: UserReference) throws(Halt) -> [String] {
    var found: [String] = []
    let seen = seen(of: user)
    let orders = user.cell.state.time.entries(of: user.serial, contact: user.contact)
    let entries = orders.filter { seen.contains($0.workspace) }.reduce(0) { $0 + $1.count }
    if entries > 0 { found.append("\(entries) time \(entries == 1 ? "entry" : "entries") (ENTRY.DELETE)") }
    var others = orders.map(\.workspace)
    // Mails to and because of the user, and those who look after the user, may be kept anywhere.
    var (mails, managers) = (0, 0)
    for cell in try everything() {
      let told = cell.state.outbox.mails(tellingOf: user.id).filter { mail in
        !seen.contains(mail.workspace) || mustBeSent(mail, in: cell, despite: user)
      }.map(\.workspace)
      let looking = cell.state.people.managers(of: user.id).map(\.workspace)
      mails += told.count(where: seen.contains)
      managers += looking.count(where: seen.contains)
      others += told + looking
    }
    if mails > 0 {
      found.append("\(mails) mail\(mails == 1 ? "" : "s") that \(mails == 1 ? "reports" : "report") an act (MAIL.DROP)")
    }
    if managers > 0 { found.append("\(managers) management link\(managers == 1 ? "" : "s") (MANAGE.REMOVE)") }
    if others.contains(where: { !seen.contains($0) }) { found.append("records that you may not see") }
    let merged = user.cell.state.people.merged(into: user.contact)
    return found + merged.map { "contact #\($0.raw), which was merged into this one" }
  }
}

extension Turn {
  /// Whether a mail that tells of a purged user keeps the login: it reports an act, can still be sent, and whoever acted must
  /// not silence it. All others are the person's own, or tell of somebody who is gone for good.
  private func mustBeSent(_ mail: Mail, in cell: HeldPartition, despite user: UserReference) -> Bool {
    guard mail.kind.reportsAct, let queued = cell.state.outbox[mail.id] else { return false }
    let address = mail.user == user.id ? address(of: user) : mail.recipient
    return queued.state(at: now) != .dead && !mail.isPointless(for: .deleted, at: address)
  }

  /// Gives up the mails about a purged user and to them. Those about others that only name the user as the one who did it
  /// are sent without the name.
  fileprivate func dropMails(of user: UserReference) throws(Halt) {
    for cell in try everything() {
      for mail in cell.state.outbox.mails(tellingOf: user.id) {
        emit(MailRemoved(mail, .dropped))
        if mail.user == user.id || mail.addressee == user.id { continue }
        let id: MailID = newID(in: cell, after: cell.state.outbox.last)
        emit(MailQueued(mail.namingActor(user.id.anonymousName, id: id)))
      }
    }
  }
}

extension People {
  /// The links of those of the partition who look after a user.
  fileprivate func managers(of user: UserID) -> [ManagementLink] {
    Set(referrers[.ofUser(user)]).sorted().flatMap { serial in
      management(of: Int(serial)).filter { $0.target == .user(user) }
    }
  }
}

extension RecordedTime {
  /// How many entries were recorded under a login, by workspace.
  fileprivate func entries(of user: Int, contact: Int) -> [(workspace: WorkspaceID, count: Int)] {
    orders.of(UInt32(contact)).filter { $0.user == UInt32(user) && !$0.serials.isEmpty }
      .map { ($0.workspace, $0.serials.count) }
  }
}

/// A deleted login is removed for good. Its id is not given out again, and its name is free.
public struct UserPurged: PartitionChange {
  public static var code: UInt8 { 18 }
  public static var name: String { "user-purged" }

  public var user = UserID.none
  public var username = ""
  public var contact = ContactID.none

  public init() {}

  public init(_ user: UserID, username: String, contact: ContactID) {
    self.user = user
    self.username = username
    self.contact = contact
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.removed("username", &username, as: UsernameForm.self)
    try visitor.field("contact", &contact, as: ContactForm.self)
  }

  public var person: PersonSubject? { .contact(contact) }

  public var sealing: SealedUnder? { .one(.user(user)) }

  public mutating func forget() { username = user.anonymousName }

  public var facts: [Fact] { [.holder(username.folded)] }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    // The index compares names with the rows, so the name leaves first.
    let key = NameKey(username, state.partitioning)
    if key.partition == state.index { state.leave(username, key, by: user) }
    guard state.isMine(user) else { return }
    let serial = state.partitioning.serial(of: user)
    let contact = Int(state.people.users[serial].contact)
    let filed = state.people.filed(user: serial)
    state.forgetReference(of: serial)
    state.unindexProvisioned(of: serial)
    let homes = state.people.homes(ofContact: contact)
    state.people.forgetLogin(serial)
    state.people.keepHomes(homes, ofContact: contact, lsn)
    state.credentials.forget(serial)
    state.secondFactors.forget(serial)
    state.apiKeys.forget(serial)
    state.people.vacate(serial)
    state.people.refile(filed)
    state.people.contacts[contact].lsn = lsn
    state.forgotten.add([.user(user)], lsn)
  }
}
