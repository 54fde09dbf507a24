/// P13: nobody can read a password. An administrator sets one, or has one made and mailed; either is temporary unless the
/// policy `password.admin-sets-final` says otherwise. A user changes it knowing the old one, or by a reset mail.
extension CommandTable {
  static let passwordCommands: [CommandSpec] = [
    CommandSpec(
      "PASSWORD.SET", .people, "Set a user's password, which ends all sessions",
      [.word("user"), .word("password"), .flag("TEMPORARY"), .flag("FINAL")],
      reply: "`OK`. It is temporary, to be changed at the next login, unless the policy `password.admin-sets-final` of"
        + " the user's home is on. Nobody sets their own: PASSWORD.CHANGE asks for the old one",
      effect: .write, rights: .admin, needs: .permission(.credentialSet, over: .user(1)), route: .user(1),
      secrets: [2], withholds: ["IDEM"], ownLogin: .password, body: .decide(passwordSet)),
    CommandSpec(
      "PASSWORD.GENERATE", .people, "Make a password at random, and mail it to the user", [.word("user")],
      reply:
        "`OK`; it is temporary. Only the mail tells it. It ends where the user's address changes before the user has"
        + " changed it, and where the mail still waits when the username changes or the login is refused by its status",
      effect: .write, rights: .admin,
      needs: .permission(.credentialSet, over: .user(1)), route: .user(1), withholds: ["IDEM"],
      ownLogin: .password, body: .decide(passwordGenerate)),
    CommandSpec(
      "PASSWORD.IMPORT", .people, "Set the password that a user has in another system, of which only the hash is known",
      [.word("user"), .word("hash")],
      reply:
        "`OK`; all sessions end. At the next login the password is hashed anew. The hash is one of Argon2, scrypt or"
        + " PBKDF2 in the PHC string format or that of passlib, PBKDF2 in that of Django, or one of `crypt`: bcrypt,"
        + " yescrypt, scrypt, sha512-crypt or sha256-crypt. One that takes over \(Limits.hashMemory >> 20) MiB of"
        + " memory, \(Limits.hashIterations) iterations of PBKDF2, \(Limits.hashRounds) rounds of sha-crypt,"
        + " 2^\(Limits.hashPower) rounds of bcrypt, or a block size of \(Limits.hashBlockSize) or a parallelism of"
        + " \(Limits.hashParallelism) of scrypt is refused."
        + " Only for services",
      effect: .write, rights: .admin, needs: .permission(.credentialSet, over: .user(1)), route: .user(1),
      secrets: [2], withholds: ["IDEM"], body: .decide(passwordImport)),
    CommandSpec(
      "PASSWORD.CHANGE", .people, "Change one's own password, with `AS`", [.word("old"), .word("new")],
      reply: "`OK`; all sessions end, this one too. `REFUSED password` where the old one is wrong, which counts as a"
        + " failed login, and where the new one is the old one",
      effect: .write, rights: .sessions, needs: .nothing, route: .directory, secrets: [1, 2],
      withholds: ["IDEM", "DRYRUN"], isForTemporary: true, ownLogin: .password, body: .decide(passwordChange)),
    CommandSpec(
      "PASSWORD.RESET", .people, "Mail a user a token for setting another password", [.word("user")],
      reply: "`OK`, whether or not there is such a user. The token lasts 20 minutes; another is mailed after a minute"
        + " at the earliest. A locked user may ask for one, too. It ends where the user's address or username changes, and"
        + " where the login is refused by another status than locked",
      effect: .write, rights: .sessions, needs: .service(), route: .user(1), withholds: ["IDEM", "DRYRUN"],
      body: .decide(passwordReset)),
    CommandSpec(
      "PASSWORD.REDEEM", .people, "Set a password with the token of a reset mail", [.word("token"), .word("password")],
      reply: "`OK`; all sessions end, and a locked user is unlocked. The next login needs the second factor as ever",
      effect: .write, rights: .sessions, needs: .service(), route: .directory, secrets: [1, 2],
      withholds: ["IDEM", "DRYRUN"], body: .decide(passwordRedeem)),
    CommandSpec(
      "PASSWORD.GET", .people, "Whether a user has a password, and how often a wrong one was given", [.word("user")],
      reply: "a map `set` (when the password was set, null if there is none), `temporary` (1 or 0), `failures` (wrong"
        + " passwords and codes since the last login) and `waits-until` (null if no wait is left). LOGIN.UNLOCK ends the wait",
      needs: .permission(.credentialSet, over: .user(1), own: .credentialSet), route: .user(1),
      body: .decide(passwordGet)),
  ]

  @Sendable private static func passwordGet(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    turn.read(user.cell.state.lsn)
    let row = user.cell.state.credentials.row(of: user.serial)
    turn.reply.map(4)
    turn.reply.text("set")
    turn.reply.optional(row.hasPassword ? row.setAt : nil)
    turn.reply.text("temporary")
    turn.reply.flag(row.hasPassword && row.isTemporary)
    turn.reply.text("failures")
    turn.reply.integer(row.failures)
    turn.reply.text("waits-until")
    turn.reply.optional(row.waitsUntil > turn.now ? row.waitsUntil : nil)
  }

  // MARK: By an administrator

  @Sendable private static func passwordSet(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireNotDeleted(user)
    try turn.requireNotAnonymised(user.contactReference)
    try turn.requireSomebodyElse(user)
    turn.read(turn.directory.lsn)
    let policies = turn.homePolicies(of: user)
    guard !(turn.has("TEMPORARY") && turn.has("FINAL")) else {
      throw .refused(.syntax("a password is TEMPORARY or FINAL; give one of them"))
    }
    guard !turn.has("FINAL") || policies.adminSetsFinal else {
      throw .refused(
        .rule(
          "password.admin-sets-final", "a password that somebody else sets is temporary here",
          instead: "leave FINAL out, or set the policy of the user's home workspace"))
    }
    let hash = try turn.hash(try turn.newPassword(2), turn.strength(for: user))
    try turn.setPassword(
      of: user, hash: hash, isTemporary: turn.has("TEMPORARY") || !policies.adminSetsFinal, .administrator)
    turn.reply.ok()
  }

  @Sendable private static func passwordImport(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireNotDeleted(user)
    try turn.requireNotAnonymised(user.contactReference)
    try turn.requireService(toImport: "a hash")
    turn.read(turn.directory.lsn)
    try turn.setPassword(of: user, hash: try turn.importedHash(2), isTemporary: false, .imported)
    turn.reply.ok()
  }

  @Sendable private static func passwordGenerate(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireNotDeleted(user)
    try turn.requireNotAnonymised(user.contactReference)
    try turn.requireSomebodyElse(user)
    turn.read(turn.directory.lsn)
    let address = turn.address(of: user)
    guard !address.isEmpty else {
      throw .refused(
        .rule(
          "mail", "\(user.username) has no e-mail address", instead: "set one with USER.SET, or use PASSWORD.SET"))
    }
    let made = try turn.outcome(of: GeneratePassword()).unwrapped()
    try turn.setPassword(of: user, hash: made.hash, isTemporary: true, .generated)
    let home = user.home ?? mainWorkspace
    try turn.queueMail(
      .passwordGenerated, about: user.id, in: user.cell, of: home, to: address,
      facts: [(.actor, try turn.name(of: turn.author, in: home))], secret: made.salt)
    turn.reply.ok()
  }

  // MARK: By the user

  @Sendable private static func passwordChange(_ turn: Turn) throws(Halt) {
    guard let principal = turn.asUser, let user = try turn.user(principal.subject) else {
      throw .refused(.syntax("PASSWORD.CHANGE is for users: AS session PASSWORD.CHANGE old new"))
    }
    turn.read(turn.directory.lsn)
    let row = user.cell.state.credentials.row(of: user.serial)
    turn.read(row.lsn)
    guard let hash = user.cell.state.credentials.hash(of: user.serial) else {
      throw .refused(.rule("password", "you have none", instead: "ask for one with PASSWORD.RESET"))
    }
    guard turn.now >= row.waitsUntil else {
      throw .refused(
        .rule(
          "wait", "too many wrong passwords",
          instead: "try again after \(TimeText.text(of: row.waitsUntil))"))
    }
    try turn.requireShort(password: 1)
    let password = try turn.newPassword(2)
    guard password != turn.password(1) else { throw .refused(Turn.unchanged) }
    let strength = turn.strength(for: user)
    try turn.requireLength(of: password, strength)
    let work = HashPassword(
      password: password, strength: strength,
      old: OldPassword(hash: hash, password: turn.givenPassword(1)))
    switch try turn.outcome(of: work).unwrapped() {
    case .hashed(let hash):
      try turn.setPassword(of: user, hash: hash, isTemporary: false, .user)
      turn.reply.ok()
    case .weak(let why): throw .refused(Turn.weak(why))
    case .unchanged: throw .refused(Turn.unchanged)
    case .wrongOld:
      // Answered like a refusal, but the failure stays.
      try turn.noteFailure(of: user)
      turn.reply.error(
        Refusal.rule("password", "the old one is wrong", instead: "give the password of the login").text, of: "old")
    }
  }

  @Sendable private static func passwordReset(_ turn: Turn) throws(Halt) {
    turn.reply.ok()
    // What cannot be an id is answered like any name that nobody has.
    let user = try turn.isID(1) && Turn.identifier(turn.word(1)) == nil ? nil : turn.userIfAny(1)
    turn.read(turn.directory.lsn)
    // Made for everybody: whoever asks must not find out by the time it takes who exists.
    let salt = SecretText.randomPart(turn.entropy.draw())
    var token = turn.resetToken(of: user?.id ?? .none, salt: salt)
    let digest = token.withUTF8 { turn.digest(UnsafeRawBufferPointer($0)) }
    guard let user, mayMailReset(to: user, turn) else { return turn.emit(ResetUnanswered(user?.id)) }
    let ends = turn.now + Limits.resetLife
    turn.emit(ResetAsked(user.id, token: digest, ends: ends))
    try turn.queueMail(
      .passwordReset, about: user.id, in: user.cell, of: user.home ?? mainWorkspace, to: turn.address(of: user),
      facts: [(.end, TimeText.text(of: ends))], secret: salt)
  }

  private static func mayMailReset(to user: UserReference, _ turn: Turn) -> Bool {
    let row = user.cell.state.credentials.row(of: user.serial)
    turn.read(row.lsn)
    return (user.row.status.mayLogIn || user.row.status == .locked) && EntityNames.isEmail(turn.address(of: user))
      && turn.now - row.resetAsked >= Limits.resetPause
      && user.cell.state.outbox.hasRoom(for: user.home ?? mainWorkspace, at: turn.now)
  }

  @Sendable private static func passwordRedeem(_ turn: Turn) throws(Halt) {
    let user = try SecretText.user(ofReset: turn.word(1)).flatMap { (id) throws(Halt) in try turn.user(id) }
    turn.read(turn.directory.lsn)
    // A service that is bound to workspaces does nothing outside them (W6).
    guard let user, !turn.isLimited || turn.knows(user),
      user.row.status.mayLogIn || user.row.status == .locked,
      let token = user.cell.state.credentials.resetToken(of: user.serial),
      token.matches(turn.digest(turn.word(1))),
      turn.now < user.cell.state.credentials.row(of: user.serial).resetEnds
    else {
      throw .refused(
        .rule("reset", "the token is wrong, used or too old", instead: "ask for another with PASSWORD.RESET user"))
    }
    let row = user.cell.state.credentials.row(of: user.serial)
    turn.read(row.lsn)
    // P13: whoever set a temporary password knows it, so the user's own is another one.
    let temporary = row.isTemporary ? user.cell.state.credentials.hash(of: user.serial) : nil
    let hash = try turn.hash(try turn.newPassword(2), turn.strength(for: user), unlike: temporary)
    try turn.setPassword(of: user, hash: hash, isTemporary: false, .reset)
    if user.row.status == .locked { turn.emit(StatusSet(user.id, old: .locked, new: .active)) }
    turn.reply.ok()
  }
}

extension Turn {
  /// The policies of the workspace that governs a user's identity (W5).
  func homePolicies(of user: UserReference) -> Policies { directory.workspace(user.home ?? mainWorkspace).policies }

  /// Refuses to set the caller's own password as an administrator: whoever finds a session open must not change the password
  /// without knowing it.
  func requireSomebodyElse(_ user: UserReference) throws(Halt) {
    guard asUser?.subject == user.id else { return }
    throw .refused(
      .rule("password", "your own takes the old one", instead: "use PASSWORD.CHANGE old new, or PASSWORD.RESET"))
  }

  /// Refuses words that are too long to be a password: hashing them would cost.
  func requireShort(password index: Int) throws(Halt) {
    guard word(index).count <= Limits.passwordBytes else {
      throw .refused(
        .syntax("the password is longer than \(Limits.passwordBytes) bytes", of: argumentName(index)))
    }
  }

  /// A new password in a word: long enough, short enough, and text.
  func newPassword(_ index: Int) throws(Halt) -> SecretWord {
    try requireShort(password: index)
    guard let text = String(validating: word(index), as: UTF8.self) else {
      throw .refused(.syntax("the password is not valid UTF-8", of: argumentName(index)))
    }
    let length = text.unicodeScalars.count
    guard Limits.passwordCharacters.contains(length) else {
      throw .refused(
        .rule(
          "password", "it has \(length) characters",
          instead: "choose one of \(Limits.passwordCharacters.lowerBound) to \(Limits.passwordCharacters.upperBound)",
          of: argumentName(index)))
    }
    guard !text.unicodeScalars.contains(where: Self.isNotInPasswords) else {
      throw .refused(
        .rule("password", "it has control characters", instead: "leave them out", of: argumentName(index)))
    }
    guard !EntityNames.isBlank(text) else {
      throw .refused(
        .rule("password", "it has nothing that can be seen", instead: "choose words", of: argumentName(index)))
    }
    return password(index)
  }

  /// Controls, separators of lines, and what is no character at all (RFC 8265).
  private static func isNotInPasswords(_ scalar: Unicode.Scalar) -> Bool {
    isControl(scalar) || scalar.value < 0x20 || scalar.value & 0xfffe == 0xfffe
      || (0xfdd0...0xfdef).contains(scalar.value)
  }

  /// A password in a word. Keyboards compose letters differently, so what looks the same is the same (RFC 8265).
  func password(_ index: Int) -> SecretWord { SecretWord(CaseFolding.normalised(word(index)) ?? Array(word(index))) }

  /// A password in a word that is to be compared with a hash.
  func givenPassword(_ index: Int) -> GivenPassword {
    let (composed, typed) = (password(index), SecretWord(Array(word(index))))
    return GivenPassword(composed, typed: composed == typed ? nil : typed)
  }

  /// What a user's new password is measured by.
  func strength(for user: UserReference) -> PasswordStrength {
    let home = directory.workspace(user.home ?? mainWorkspace)
    let people = { (field: ContactField) in user.cell.state.people.text(field, of: user.contact) }
    return strength(
      related: [user.username, people(.first), people(.middle), people(.last), people(.email)], in: home)
  }

  /// What a new password is measured by in a home workspace.
  ///
  /// - Parameter related: the names and addresses of the person.
  func strength(related: [String], in home: Workspace) -> PasswordStrength {
    PasswordStrength(
      score: Int(home.policies.passwordStrength),
      related: (related + [home.name, "gatehouse"]).filter { !$0.isEmpty }, length: Int(home.policies.passwordLength))
  }

  /// Refuses a new password that is shorter than the home wants it.
  func requireLength(of password: SecretWord, _ strength: PasswordStrength) throws(Halt) {
    let length = String(decoding: password.bytes, as: UTF8.self).unicodeScalars.count
    guard length >= strength.length else {
      throw .refused(
        .rule(
          "password.length", "it has \(length) characters", instead: "choose one of at least \(strength.length)"))
    }
  }

  /// The hash of a new password.
  /// - Parameter former: a hash that must not be of the same password.
  func hash(
    _ password: SecretWord, _ strength: PasswordStrength, unlike former: String? = nil
  ) throws(Halt) -> String {
    try requireLength(of: password, strength)
    switch try hashed(HashPassword(password: password, strength: strength, old: nil, former: former)) {
    case nil: return ""
    case .hashed(let hash): return hash
    case .unchanged: throw .refused(Self.unchanged)
    case .weak(let why): throw .refused(Self.weak(why))
    case .wrongOld: preconditionFailure("an old password was wrong that nobody has asked for")
    }
  }

  static var unchanged: Refusal {
    .rule("password", "the new one is the one that is to be changed", instead: "choose another one")
  }

  static func weak(_ why: String) -> Refusal {
    .rule("password.strength", why, instead: "choose a longer one, such as several words that do not belong together")
  }

  /// Sets a password, which ends all sessions, and makes the secrets worthless that wait to be mailed.
  func setPassword(
    of user: UserReference, hash: String, isTemporary: Bool, _ means: PasswordMeans
  ) throws(Halt) {
    for mail in user.cell.state.outbox.mails(about: user.id) where !mail.secret.isEmpty {
      emit(MailRemoved(mail, .dropped))
    }
    emit(PasswordSet(user.id, hash: hash, isTemporary: isTemporary, means))
    noteProducts(of: user)
    try endSessions(of: user, .passwordChanged)
  }
}

extension Result where Failure == Refusal {
  /// The product of work; its refusal is that of the command.
  func unwrapped() throws(Halt) -> Success {
    switch self {
    case .success(let product): return product
    case .failure(let refusal): throw .refused(refusal)
    }
  }
}
