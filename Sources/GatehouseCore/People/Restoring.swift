/// S12: a deleted user comes back by a new login on the same contact. What the contact did reappears; sessions, keys, the
/// password, access and roles do not.
///
/// The login has the status that the last one had when it was deleted. Who was locked stays locked until a mailed reset
/// or an administrator unlocks them (L17), and who may not be booked may not still (L4): deleting and restoring is no way
/// around it.
extension CommandTable {
  static let restoreCommands: [CommandSpec] = [
    CommandSpec(
      "USER.RESTORE", .people, "Give a contact a login again, as the last one was but without access and its roles",
      [
        .word("#contact"), .optionalWord("username"), .option("ROLE", "role", repeats: true), .flag("WITHIN"),
        .flag("NOINVITE"), .option("MESSAGE", "text"), .flag("ACCEPT-BILLING"),
      ],
      reply:
        "a map `id, contact, username, status`; without a username the last one is taken. `ROLE` and `WITHIN` are as those"
        + " of USER.CREATE. The status is the one that"
        + " the last login had when it was deleted: who was locked stays locked, and is not invited. The login is a member of"
        + " its home alone, and employments elsewhere end",
      effect: .write,
      rights: .admin, needs: .permission(.userCreate, over: .contact(1)), route: .identifier(1),
      body: .decide(userRestore))
  ]

  @Sendable private static func userRestore(_ turn: Turn) throws(Halt) {
    let contact = try turn.contact(at: 1)
    if let user = contact.user {
      throw .refused(
        .conflict(
          "contact: #\(contact.id.raw) has the live user \(user.username); who is there need not be restored, and another"
            + " login takes USER.DELETE user first"))
    }
    try turn.requireNotAnonymised(contact)
    guard let former = contact.logins.first else {
      throw .refused(
        .notFound(
          "login: contact #\(contact.id.raw) has none that could be restored, because it never had one or its last was"
            + " purged; make one with USER.CREATE username CONTACT #\(contact.id.raw)"))
    }
    let username = turn.positional.count > 1 ? try turn.newUsername(2) : former.username
    // Where somebody without an e-mail address has an address as username, mails go there.
    if username != former.username { try turn.requireOwnLogin(toChange: .username) }
    turn.read(turn.directory.lsn)
    let home = turn.directory.workspace(former.home ?? mainWorkspace)
    try turn.require(.userCreate, over: .workspace(home.id))
    if let holder = try turn.holder(ofNewName: username) { throw .refused(turn.taken(username, by: holder)) }
    try turn.requireConsent(of: home)
    var fields = [UserField.initials, .reference, .division].compactMap { field -> UserText? in
      let text = former.cell.state.people.text(field, of: former.serial)
      return text.isEmpty ? nil : UserText(field, text)
    }
    if former.row.flags.contains(.restrictsBookings) { fields.append(UserText(.restrictBookings, "1")) }
    let status = former.cell.state.people.formerStatus(of: former.serial)
    let grants = try turn.givenGrants(in: home.id)
    for grant in grants {
      try turn.requireGranting(grant)
      if grant.role == .superAdministrator, !status.mayLogIn { throw .refused(Turn.superMustLogIn) }
    }
    try turn.requireFields(of: contact, fields, hasRole: !grants.isEmpty, in: home)
    try turn.requireUnique(reference: fields.first { $0.field == .reference }?.text ?? "", of: nil, in: home.id)
    let user = turn.newUser(in: contact.cell)
    turn.emit(
      UserCreated(
        user: user, contact: contact.id, username: username, status: status, workspaces: [home.id], fields: fields))
    turn.endEmployments(of: contact, outside: [home.id])
    for grant in grants { turn.emit(RoleGranted(user, grant)) }
    if turn.has("ACCEPT-BILLING") { turn.emit(Noted(user, .billingAccepted(home.id))) }
    if turn.has("NOINVITE"), turn.has("MESSAGE") {
      throw .refused(.syntax("MESSAGE is the text of the invitation, which NOINVITE suppresses; give one of them"))
    }
    let email = contact.text(.email)
    if !turn.has("NOINVITE"), status.mayBeInvited, !email.isEmpty {
      try turn.queueMail(
        .invitation, about: user, in: contact.cell, of: home.id, to: email, message: try turn.option("MESSAGE") ?? "")
    }
    turn.showNewUser(user, contact.id, username, status)
  }
}

extension Turn {
  /// S4, L2: what the home requires of a login that comes back.
  fileprivate func requireFields(
    of contact: ContactReference, _ fields: [UserText], hasRole: Bool, in home: Workspace
  ) throws(Halt) {
    let missing = lackedFields(of: contact, in: home, hasRole: hasRole) { field in
      fields.first { $0.field == field }?.text ?? ""
    }
    guard !missing.isEmpty else { return }
    throw .refused(
      .rule(
        "user.required-fields", "missing \(missing.joined(separator: ", "))",
        instead: missing == ["role"]
          ? "give ROLE role" : "make the login with USER.CREATE username CONTACT #\(contact.id.raw) and give them"))
  }

  /// The answer about a user that is made.
  func showNewUser(_ user: UserID, _ contact: ContactID, _ username: String, _ status: Status) {
    reply.map(4)
    reply.text("id")
    reply.integer(user.raw)
    reply.text("contact")
    reply.integer(contact.raw)
    reply.text("username")
    reply.text(username)
    reply.text("status")
    reply.text(status.name)
  }
}
