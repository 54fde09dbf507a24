/// L6: personal data is cleared, the record and its history stay.
///
/// Personal data is what the card of the person says: names, contact data, added fields, usernames, initials, reference,
/// what provisioning systems keep;
/// and what was said to and of the person by machines: mails, addresses and agents of sessions, password hashes, second
/// factors, answers kept under an `IDEM` key, requests for approval that name the person. Notes of entries, linked records
/// and the reasons of commands are the history that stays.
///
/// The log cannot be rewritten. What it says of a person is sealed under keys of the person (`SealedChange`), and these are
/// destroyed once the record that anonymises is durable (`ForgottenPeople`). The trail shows that something was set, and
/// not what. Nobody gives the person new data, which would stay hidden there.
///
/// Three things are out of reach: a copy made before, which has the data and the keys; records in folders of format 2,
/// which are not sealed and stay until the archive's retention is over; and the name in the 64-bit hashes by which the
/// archive's index finds who held a username, which tell a name only to who guesses it.
extension CommandTable {
  static let anonymiseCommands: [CommandSpec] = [
    CommandSpec(
      "USER.ANONYMISE", .people, "Clear all personal data of a user; the record and its history stay",
      [.word("user"), .flag("ACCEPT-BILLING")],
      reply:
        "a map `user, username, contact, backups`: the name is `anonymous-` and the id. A live login becomes inactive."
        + " Within a second the keys are destroyed under which log and archive tell of the person; `INFO snapshot` shows"
        + " `keys_to_destroy`. Snapshots are replaced within some minutes, or by `COMPACT` at once. `backups` is an array"
        + " of what is out of reach and how to recognise it: copies made before, of which the server does not know."
        + " Notes, reasons and linked records stay, as part of the history",
      effect: .write, isVersioned: true, rights: .admin, needs: .permission(.userAnonymise, over: .user(1)),
      route: .user(1),
      body: .decide(userAnonymise)),
    CommandSpec(
      "CONTACT.ANONYMISE", .people, "Clear all personal data of somebody who has no login", [.word("#id")],
      reply:
        "a map `contact, backups`, as those of USER.ANONYMISE; logins that were deleted are cleared with the contact. Who"
        + " has a login is for USER.ANONYMISE",
      effect: .write, isVersioned: true, rights: .admin, needs: .permission(.userAnonymise, over: .contact(1)),
      route: .identifier(1),
      body: .decide(contactAnonymise)),
  ]

  @Sendable private static func contactAnonymise(_ turn: Turn) throws(Halt) {
    let contact = try turn.contact(at: 1)
    try turn.checkVersion(turn.version(of: contact))
    if let user = contact.user {
      throw .refused(
        .conflict("contact: #\(contact.id.raw) has the live user \(user.username); use USER.ANONYMISE \(user.username)")
      )
    }
    // B13: it does what these commands do.
    for permission in [Permission.userRename, .contactSet] {
      turn.noteUse([permission], over: turn.target(of: contact))
    }
    guard !contact.isAnonymised else {
      throw .refused(.conflict("contact: #\(contact.id.raw) is anonymised already"))
    }
    try turn.anonymise(contact)
    turn.reply.map(2)
    turn.reply.text("contact")
    turn.reply.integer(contact.id.raw)
    showOutOfReach(turn)
  }

  @Sendable private static func userAnonymise(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    let contact = user.contactReference
    if let newest = contact.newestLogin, newest.id != user.id {
      throw .refused(
        .conflict(
          "user: \(user.username) is an earlier login of contact #\(contact.id.raw); anonymise \(newest.username) instead"
        ))
    }
    try turn.checkVersion(turn.version(of: user))
    if user.row.status != .deleted {
      // S5, S6: it takes the login away, as USER.DELETE does.
      turn.read(turn.directory.lsn)
      let home = turn.directory.workspace(user.home ?? mainWorkspace)
      try turn.requireConsent(of: home)
      if turn.has("ACCEPT-BILLING") { turn.emit(Noted(user.id, .billingAccepted(home.id))) }
    }
    turn.requireAnotherSuperAdministrator(than: user)
    try turn.requireNotOwner(user)
    // B13: it does what these commands do.
    for permission in [Permission.userRename, .contactSet, .userSet, .userStatus] {
      turn.noteUse([permission], over: Target(user))
    }
    if contact.isAnonymised {
      throw .refused(.conflict("user: \(user.username) is anonymised already"))
    }
    try turn.anonymise(contact)
    if user.row.status.mayLogIn || user.row.status == .locked || user.row.status == .pending {
      try turn.stopTimers(of: user)
      turn.emit(StatusSet(user.id, old: user.row.status, new: .inactive))
    }
    turn.reply.map(4)
    turn.reply.text("user")
    turn.reply.integer(user.id.raw)
    turn.reply.text("username")
    turn.reply.text(user.id.anonymousName)
    turn.reply.text("contact")
    turn.reply.integer(contact.id.raw)
    showOutOfReach(turn)
  }

  /// The pair `backups`.
  private static func showOutOfReach(_ turn: Turn) {
    turn.reply.text("backups")
    let copies = outOfReach(of: turn.now)
    turn.reply.array(copies.count)
    for text in copies { turn.reply.text(text) }
  }

  /// What forgetting cannot reach. The server does not know which copies there are, so it says how to tell them.
  private static func outOfReach(of time: Milliseconds) -> [String] {
    let time = TimeText.text(of: time)
    return [
      "copies of the data folder from before \(time), whether of gatehousectl backup, of files, disks or virtual machines: "
        + "they have the data and the keys; `gatehousectl inspect COPY --since \(time)` shows no record in such a one; "
        + "delete it, and make a new one once INFO snapshot shows keys_to_destroy:0",
      "copies of the files keys and keys.copy from before: with one of them, later copies of the folder can be read too; "
        + "delete them",
      "what has left the server: exports, files that people were imported from, mails that were sent, copies of the feed",
    ]
  }
}

extension Turn {
  /// Refuses to give personal data to somebody who was anonymised.
  func requireNotAnonymised(_ contact: ContactReference) throws(Halt) {
    guard contact.isAnonymised else { return }
    throw .refused(
      .rule(
        "anonymised", "contact #\(contact.id.raw) was anonymised and stays so",
        instead: "make a new contact with CONTACT.CREATE or USER.CREATE"))
  }
}

extension Turn {
  /// Clears what is known of a person.
  fileprivate func anonymise(_ contact: ContactReference) throws(Halt) {
    // All names that the person went by, under whichever login, and as whichever contact.
    let contacts = try wholePerson(contact)
    let logins = contacts.flatMap(\.logins).map { ($0, new: $0.id.anonymousName) }
    try hold(
      logins.flatMap { [$0.0.username, $0.new] }.map { NameKey($0, partitioning).partition })
    for (login, new) in logins {
      if try holder(ofNewName: new, besides: login.id) != nil {
        throw .refused(.conflict("username: \(new) is taken; rename that user first"))
      }
      if login.username != new { emit(UserRenamed(login.id, old: login.username, new: new)) }
      endKeys(of: login, .anonymised)
    }
    for contact in contacts { emit(ContactAnonymised(contact.id)) }
    let users = logins.map { $0.0.id }
    try endRequests(about: users, contacts.map(\.id))
    try forgetMails(tellingOf: users)
    try forgetAnswers(about: users, contacts.map(\.id))
  }

  /// Drops the mails that have the address of somebody or tell of them. Who is told of something that the person did gets
  /// another mail, which does not say who it was.
  fileprivate func forgetMails(tellingOf users: [UserID]) throws(Halt) {
    for cell in try everything() {
      var dropped: Set<MailID> = []
      for user in users {
        for mail in cell.state.outbox.mails(tellingOf: user) where dropped.insert(mail.id).inserted {
          emit(MailRemoved(mail, .dropped))
          if users.contains(mail.user) || users.contains(mail.addressee) { continue }
          let id: MailID = newID(in: cell, after: cell.state.outbox.last)
          emit(MailQueued(mail.namingActor(mail.actor.anonymousName, id: id)))
        }
      }
    }
  }
}

extension ContactReference {
  var isAnonymised: Bool { cell.state.people.isAnonymised(contact: serial) }
}

extension UserID {
  /// The username of somebody who was anonymised.
  var anonymousName: String { "anonymous-\(raw)" }
}

extension People {
  func isAnonymised(contact serial: Int) -> Bool {
    contacts.withDetails(of: serial) { Details.field(ContactTag.anonymised, in: $0) != nil }
  }

  /// Clears what is known of a person, except which logins there were, which workspace governs them, and who employed
  /// them.
  mutating func anonymise(contact serial: Int) {
    var kept = Details()
    contacts.withDetails(of: serial) { details in
      for tag in [
        ContactTag.home, ContactTag.formerHomes, ContactTag.formerLogin, ContactTag.merged, ContactTag.mergedInto,
        ContactTag.employments,
      ] {
        if let field = Details.field(tag, in: details) { kept.set(tag, field) }
      }
    }
    kept.encode(ContactTag.anonymised) { $0.byte(1) }
    contacts.setDetails(of: serial, kept.bytes)
    contacts[serial].hired = .min
    contacts[serial].released = .min
    noteTexts(of: serial)
  }
}

extension PartitionState {
  /// Clears what a login says of its person, except the username.
  mutating func anonymise(login serial: Int) {
    forgetReference(of: serial)
    unindexProvisioned(of: serial)
    credentials.forget(serial)
    secondFactors.forget(serial)
    var details = people.users.details(of: serial)
    for field in [UserField.initials, .reference, .division] { details[text: field.rawValue] = "" }
    details.remove(UserTag.provisioned)
    people.users.setDetails(of: serial, details.bytes)
  }
}

/// The personal data of a contact and of its logins is cleared.
public struct ContactAnonymised: PartitionChange {
  public static var code: UInt8 { 19 }
  public static var name: String { "contact-anonymised" }

  public var contact = ContactID.none

  public init() {}

  public init(_ contact: ContactID) { self.contact = contact }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&contact, as: ContactForm.self)
  }

  public var facts: [Fact] { ContactField.allCases.filter(\.isOfEmployment).map { .field(contact, $0) } }

  public var concern: Concern { .contact(contact) }

  public func apply(to person: inout PersonFacts) {
    guard contact == person.contact else { return }
    person.hired = .min
    person.released = .min
    person.timezone = ""
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: contact)
    let logins = state.people.logins(ofContact: serial)
    for login in logins {
      state.anonymise(login: login)
      state.apiKeys.forget(login)
      state.people.touch(user: login, lsn)
    }
    state.people.anonymise(contact: serial)
    state.people.touch(contact: serial, lsn)
    state.people.noteChange(of: serial)
    state.forgotten.add([.contact(contact)] + logins.map { .user(state.id($0)) }, lsn)
  }
}
