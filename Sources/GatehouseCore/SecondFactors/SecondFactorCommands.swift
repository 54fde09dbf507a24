/// L5: a second factor at login, by an app that shows codes which change with time.
extension CommandTable {
  static let secondFactorCommands: [CommandSpec] = [
    CommandSpec(
      "LOGIN.TOTP", .login, "Go on with a login that waits for the second factor", [.word("challenge"), .word("code")],
      reply:
        "a map as LOGIN.PASSWORD answers it; where the login has begun a second factor, also `recovery-codes`, which"
        + " are shown once. The code is one of the app, or a recovery code. A wrong one is `DENY credentials` and counts as a"
        + " wrong password does; the challenge stays. `DENY challenge` where it is unknown, used, older than five minutes,"
        + " or another service's",
      effect: .write, rights: .sessions, needs: .service(), route: .directory, secrets: [1, 2],
      withholds: ["IDEM", "DRYRUN"], body: .decide(loginTOTP)),
    CommandSpec(
      "TOTP.ENROL", .login, "Begin a second factor: a secret for the user's authenticator app", [.word("user")],
      reply: "the `otpauth` address, which the app reads from a picture. It counts once TOTP.CONFIRM has confirmed it,"
        + " within 15 minutes. The policy `login.issuer` names the issuer",
      effect: .write, rights: .sessions,
      needs: .permission(.credentialSet, over: .user(1), own: .credentialSet), route: .user(1), withholds: ["IDEM"],
      ownLogin: .secondFactor, body: .decide(totpEnrol)),
    CommandSpec(
      "TOTP.CONFIRM", .login, "Confirm with a code that the app has the secret", [.word("user"), .word("code")],
      reply: "an array of ten recovery codes, shown once; each works once in place of a code. From now on logins take a"
        + " code; all sessions end",
      effect: .write, rights: .sessions,
      needs: .permission(.credentialSet, over: .user(1), own: .credentialSet), route: .user(1), secrets: [2],
      withholds: ["IDEM", "DRYRUN"], ownLogin: .secondFactor, body: .decide(totpConfirm)),
    CommandSpec(
      "TOTP.DISABLE", .login, "Take a user's second factor away", [.word("user"), .secretOption("CODE", "code")],
      reply:
        "`OK`; all sessions end. Users give a code of their own, or a recovery code; administrators of the home need"
        + " none for others",
      effect: .write, rights: .sessions,
      needs: .permission(.credentialSet, over: .user(1), own: .credentialSet), route: .user(1),
      withholds: ["IDEM", "DRYRUN"], ownLogin: .secondFactor, body: .decide(totpDisable)),
    CommandSpec(
      "TOTP.GET", .login, "Whether a user has a second factor", [.word("user")],
      reply: "a map `enrolled` (1 or 0), `since` (null if not), `recovery-codes` (how many are left)",
      needs: .permission(.credentialSet, over: .user(1), own: .credentialSet), route: .user(1),
      body: .decide(totpGet)),
  ]

  // MARK: Logging in

  @Sendable private static func loginTOTP(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    guard let (user, challenge) = try turn.challenge(turn.word(1)) else {
      turn.reply.map(2)
      return turn.showDenial("challenge")
    }
    let row = user.cell.state.credentials.row(of: user.serial)
    turn.read(row.lsn)
    let sources = turn.guessSources(NetworkAddress(challenge.wish.origin.address))
    let wait = max(row.waitsUntil - turn.now, turn.wait(sources))
    guard wait <= 0 else { return turn.showWaiting(for: wait) }
    let match = turn.match(turn.word(2), user, isPending: challenge.enrols)
    guard let match, user.row.status != .locked else {
      turn.note(.credentials, of: user, to: challenge.product)
      turn.noteGuess(sources)
      try turn.noteFailure(of: user)
      turn.reply.map(2)
      return turn.showDenial("credentials")
    }
    turn.emit(ChallengeAnswered(user.id, challenge.digest))
    var codes: [String]?
    if challenge.enrols, case .step(let step) = match {
      codes = turn.confirmSecondFactor(of: user, step: step)
    } else {
      turn.use(match, of: user)
    }
    if row.failures > 0 { turn.emit(LoginCleared(user.id, failures: row.failures)) }
    try turn.admit(user, to: challenge.product, challenge.wish, recovery: codes, since: challenge.lsn)
    // After the new one, which takes a slot that is free already. These were opened without a second factor.
    if codes != nil { try turn.endSessions(of: user, .secondFactorChanged) }
  }

  // MARK: Enrolling

  @Sendable private static func totpEnrol(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireCredentialMaking(of: user, "a second factor")
    // Its secret could be sealed nowhere.
    try turn.requireNotAnonymised(user.contactReference)
    guard !user.cell.state.secondFactors.isEnrolled(user.serial) else {
      throw .refused(
        .rule(
          "second-factor", "\(user.username) has one already",
          instead: "take it away first with TOTP.DISABLE \(user.username)"))
    }
    turn.reply.secret(turn.beginSecondFactor(of: user))
  }

  @Sendable private static func totpConfirm(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireCredentialMaking(of: user, "a second factor")
    guard let factor = user.cell.state.secondFactors.factor(of: user.serial), factor.pending != nil,
      turn.now < factor.begun + Limits.enrolmentLife
    else {
      throw .refused(
        .rule("second-factor", "nothing is to be confirmed", instead: "begin with TOTP.ENROL \(user.username)"))
    }
    guard case .step(let step) = turn.match(turn.word(2), user, isPending: true) else {
      throw .refused(
        .rule(
          "second-factor", "the code is wrong",
          instead: "give the six digits that the app shows now; check the clock of the device"))
    }
    turn.show(recovery: turn.confirmSecondFactor(of: user, step: step))
    try turn.endSessions(of: user, .secondFactorChanged)
  }

  @Sendable private static func totpDisable(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireCredentialMaking(of: user, "a second factor")
    guard let factor = user.cell.state.secondFactors.factor(of: user.serial) else {
      turn.read(user.cell.state.lsn)
      throw .refused(.notFound("second factor: \(user.username) has none"))
    }
    turn.read(factor.lsn)
    if turn.asUser?.subject == user.id, factor.secret != nil {
      guard try turn.hasProved(user) else { return }
    }
    turn.emit(SecondFactorDisabled(user.id))
    try turn.endSessions(of: user, .secondFactorChanged)
    turn.reply.ok()
  }

  @Sendable private static func totpGet(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    turn.read(user.cell.state.lsn)
    let factor = user.cell.state.secondFactors.factor(of: user.serial)
    turn.reply.map(3)
    turn.reply.text("enrolled")
    turn.reply.flag(factor?.secret != nil)
    turn.reply.text("since")
    turn.reply.optional(factor.flatMap { $0.secret == nil ? nil : $0.confirmed })
    turn.reply.text("recovery-codes")
    turn.reply.integer(factor?.recovery.count ?? 0)
  }
}

extension Turn {
  /// Whether a user who takes the own second factor away has given a code of it: whoever finds a session open must not get
  /// rid of it. If not, the answer says so. A wrong code counts as a failed login.
  fileprivate func hasProved(_ user: UserReference) throws(Halt) -> Bool {
    let row = user.cell.state.credentials.row(of: user.serial)
    read(row.lsn)
    guard let word = optionWord("CODE") else {
      throw .refused(
        .rule("second-factor", "your own takes a code", instead: "add CODE and a code of the app, or a recovery code"))
    }
    guard now >= row.waitsUntil else {
      throw .refused(
        .rule(
          "wait", "too many wrong passwords or codes", instead: "try again after \(TimeText.text(of: row.waitsUntil))"))
    }
    guard match(self.word(word), user) != nil else {
      try noteFailure(of: user)
      // Answered like a refusal, but the failure stays.
      reply.error(
        Refusal.rule("second-factor", "the code is wrong", instead: "give a code that was not used before").text)
      return false
    }
    return true
  }
}
