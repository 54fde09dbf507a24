/// Logging in with a password.
///
/// A user who does not exist, a wrong password and a locked user are answered alike and in about the same time: each
/// costs a hash, each counts as a failure, and each makes the next attempt wait.
extension CommandTable {
  static let passwordLoginCommands: [CommandSpec] = [
    CommandSpec(
      "LOGIN.PASSWORD", .login, "Log a user in to a product with a password",
      [
        .word("user"), .word("product"), .word("password"), .secretOption("TOTP", "code"), .option("TTL", "duration"),
        .option("IDLE", "duration"),
      ] + SessionOrigin.options,
      reply:
        "a map `decision` and what goes with it: `ALLOW` with `session` (the token, shown once), `id`, `expires` and"
        + " `must-change` (1 where the password is temporary: with AS, the session then only reads what concerns the user,"
        + " changes the password and logs out; it begins no second factor); `DENY` with `reason`: `credentials` (no such user,"
        + " a wrong password, a locked user), `wait` with `retry-after` in milliseconds (too many of those, for the user, from"
        + " the address that IP tells, or through the service), or, once the password was right, a reason of `LOGIN.CHECK`;"
        + " `CHALLENGE` with `challenge` and `expires` where the user has a second"
        + " factor and `TOTP` gives no code: LOGIN.TOTP goes on. A `CHALLENGE` has `enrol`, too, where a policy wants a second"
        + " factor and the user has none: show it as a picture, and send the code of the app with LOGIN.TOTP."
        + " The user is named by username; a `#id` is nobody's here",
      effect: .write, rights: .sessions, needs: .service(), route: .user(1), secrets: [3],
      withholds: ["IDEM", "DRYRUN"], body: .decide(loginPassword)),
    CommandSpec(
      "LOGIN.UNLOCK", .login, "Forget a user's wrong passwords, and unlock", [.word("user")],
      reply: "`OK`; the status of a locked user is active then. Not for oneself", effect: .write, rights: .admin,
      needs: .permissions([.userStatus, .credentialSet], over: .user(1)), route: .user(1), ownLogin: .password,
      body: .decide(loginUnlock)),
  ]

  @Sendable private static func loginPassword(_ turn: Turn) throws(Halt) {
    // People log in by their names. An id is nobody's here: guesses at it and at the name would wait together, and so tell
    // which names there are.
    let found = turn.isID(1) ? nil : try turn.userIfAny(1)
    let user = found?.row.status == .deleted ? nil : found
    // Guesses count for whoever has the name, also where the service knows nobody of that name: or else the answers that
    // two services get would tell together that somebody has it.
    var holder = user
    if holder == nil, !turn.isID(1) { holder = try turn.holder(ofLoginName: 1) }
    turn.read(turn.directory.lsn)
    let product = turn.productID(turn.word(2))
    let guesses = try turn.guesses(at: holder)
    let sources = turn.guessSources(try turn.toldAddress())
    let wait = max(guesses.waitsUntil - turn.now, turn.wait(sources))
    guard wait <= 0 else {
      turn.note(.waiting, of: user, to: product, username: 1, productName: 2, mayBePassword: true)
      return turn.showWaiting(for: wait)
    }
    try turn.requireShort(password: 3)
    let hash = user.flatMap { $0.cell.state.credentials.hash(of: $0.serial) }
    let match = try turn.outcome(of: CheckPassword(hash: hash, password: turn.givenPassword(3))).unwrapped()
    guard let user, case .right(let rehashed) = match, user.row.status != .locked, !guesses.waitsUnseen(at: turn.now)
    else {
      turn.note(.credentials, of: user, to: product, username: 1, productName: 2, mayBePassword: true)
      turn.noteGuess(sources)
      try turn.noteFailure(of: holder, guesses, mayLock: user != nil)
      turn.reply.map(2)
      return turn.showDenial("credentials")
    }
    if let rehashed { turn.emit(PasswordSet(user.id, hash: rehashed, isTemporary: false, .rehashed)) }
    let demand = product.map { turn.factorDemand(of: user, for: $0) } ?? .nothing
    let isEnrolled = user.cell.state.secondFactors.isEnrolled(user.serial)
    // A right password alone forgets nothing where it takes a code too: else codes could be guessed without waits.
    if !isEnrolled { turn.forget(guesses, at: user) }
    if let denial = user.loginDenial(to: product, in: turn.directory, at: turn.now) {
      turn.note(denial, of: user, to: product, username: 1, productName: 2, mayBePassword: true)
      turn.reply.map(2)
      return turn.showDenial(denial.reason)
    }
    guard let product else { throw .refused(turn.noProduct(2)) }
    let wish = try turn.sessionWish()
    switch demand {
    case .nothing: break
    case .enrolment: return turn.show(turn.issueChallenge(to: user, product, wish, enrols: true), enrolling: user)
    case .code:
      guard let word = turn.optionWord("TOTP") else {
        return turn.show(turn.issueChallenge(to: user, product, wish, enrols: false))
      }
      guard let match = turn.match(turn.word(word), user) else {
        turn.note(.credentials, of: user, to: product, username: 1, productName: 2, mayBePassword: true)
        turn.noteGuess(sources)
        try turn.noteFailure(of: user, guesses)
        turn.reply.map(2)
        return turn.showDenial("credentials")
      }
      turn.use(match, of: user)
      turn.forget(guesses, at: user)
    }
    try turn.admit(user, to: product, wish)
  }

  @Sendable private static func loginUnlock(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireNotDeleted(user)
    // Whoever finds a session open could guess at the password or the second factor without ever waiting.
    guard turn.asUser?.subject != user.id else {
      throw .refused(
        .rule("password", "nobody forgets the own wrong ones", instead: "wait, or ask another administrator"))
    }
    try turn.requireTakingOver(user, by: [.userStatus, .credentialSet])
    let failures = user.cell.state.credentials.row(of: user.serial).failures
    turn.read(user.cell.state.lsn)
    if failures > 0 { turn.emit(LoginCleared(user.id, failures: failures)) }
    if user.row.status == .locked { turn.emit(StatusSet(user.id, old: .locked, new: .active)) }
    turn.reply.ok()
  }
}

/// The wrong passwords that were given for a name.
///
/// Somebody into whom others were merged has several names (L13). Guesses at any of them count against the one login, so
/// that no name is a way around the wait of another. But if the names waited together, guesses at them would tell that
/// they are one. So each waits by itself, as a name that nobody has; and while the login waits for guesses at other names,
/// every password is answered as a wrong one.
struct Guesses {
  /// At the name itself.
  var failures: UInt32 = 0
  var waitsUntil: Milliseconds = 0
  /// Where they are kept if nobody has the name, or somebody has it beside others: the partition, and the digest of the name.
  var stranger: (cell: HeldPartition, name: Digest)?
  /// Until when the login waits for guesses at all of its names.
  var loginWaitsUntil: Milliseconds = 0

  /// Whether the login waits although the name does not.
  func waitsUnseen(at now: Milliseconds) -> Bool { loginWaitsUntil > now }
}

extension Turn {
  /// Whoever has the name in a word and may log in with it, whether or not the caller knows them.
  fileprivate func holder(ofLoginName word: Int) throws(Halt) -> UserReference? {
    guard let found = try anyUser(word) else { return nil }
    let holder = found.row.status == .deleted ? try lead(from: found) : found
    return holder.row.status == .deleted ? nil : holder
  }

  /// The wrong passwords given for a user, or, if nil, for the name that word 1 gives.
  func guesses(at user: UserReference?) throws(Halt) -> Guesses {
    guard let user else { return try guesses(atName: 1) }
    let row = user.cell.state.credentials.row(of: user.serial)
    read(row.lsn)
    guard user.hasOtherNames else {
      // Where a name that nobody has would wait for room, this one does.
      let names = row.failures == 0 ? try cell(nameKey(1).partition) : nil
      let room = names?.state.credentials.roomForStrangers(at: now)
      return Guesses(failures: row.failures, waitsUntil: room ?? row.waitsUntil)
    }
    var guesses = try guesses(atName: 1)
    guesses.loginWaitsUntil = row.waitsUntil
    // All were forgotten: by a login with another of the names, or because the login was unlocked.
    if row.failures == 0, guesses.failures > 0 { (guesses.failures, guesses.waitsUntil) = (0, 0) }
    return guesses
  }

  /// The wrong passwords given for a name, whoever has it.
  private func guesses(atName word: Int) throws(Halt) -> Guesses {
    let cell = try cell(nameKey(word).partition)
    read(cell.state.lsn)
    var writer = ByteWriter()
    writer.digest(folderSecret)
    writer.block(UnsafeRawBufferPointer(rebasing: foldedName[..<foldedCount]))
    let name = writer.withBytes(digest)
    guard let row = cell.state.credentials.strangers[name] else {
      return Guesses(waitsUntil: cell.state.credentials.roomForStrangers(at: now) ?? 0, stranger: (cell, name))
    }
    return Guesses(failures: row.failures, waitsUntil: row.waitsUntil, stranger: (cell, name))
  }

  /// A wrong password or code was given for a user, or for a name that nobody has: the next attempt waits, and in the end the
  /// user is locked.
  ///
  /// - Parameter mayLock: a service locks nobody whom it does not know.
  fileprivate func noteFailure(of user: UserReference?, _ guesses: Guesses, mayLock: Bool = true) throws(Halt) {
    if let (cell, name) = guesses.stranger {
      let (count, until) = failed(after: guesses.failures)
      emit(StrangerFailed(cell.index, name, failures: count, waitsUntil: until))
    } else if user == nil {
      preconditionFailure("guesses at nobody")
    }
    // While the login waits no password is looked at, so there is nothing to count.
    if let user, !guesses.waitsUnseen(at: now) { try noteFailure(of: user, mayLock: mayLock) }
  }

  /// A wrong password or code was given for a user: the next attempt waits, and in the end the user is locked.
  func noteFailure(of user: UserReference, mayLock: Bool = true) throws(Halt) {
    let row = user.cell.state.credentials.row(of: user.serial)
    let (count, until) = failed(after: row.failures)
    emit(LoginFailed(user.id, failures: count, waitsUntil: until))
    if mayLock, row.locks(after: count, limit: homePolicies(of: user).lockAfter) { lock(user) }
  }

  private func lock(_ user: UserReference) {
    // Whoever holds everything in a workspace is not locked: whoever guesses could lock out everybody who can unlock.
    guard user.row.status.mayLogIn, !user.holdsEverything(in: directory, at: now) else { return }
    emit(StatusSet(user.id, old: user.row.status, new: .locked))
  }

  /// The right password was given for a user, by the name at which those guesses were.
  fileprivate func forget(_ guesses: Guesses, at user: UserReference) {
    if let (cell, name) = guesses.stranger, guesses.failures > 0 {
      emit(StrangerFailed(cell.index, name, failures: 0, waitsUntil: 0))
    }
    let failures = user.cell.state.credentials.row(of: user.serial).failures
    if failures > 0 { emit(LoginCleared(user.id, failures: failures)) }
  }

  private func failed(after failures: UInt32) -> (count: UInt32, until: Milliseconds) {
    let count = failures == .max ? failures : failures + 1
    let wait = Throttle.wait(after: count)
    return (count, wait == 0 ? 0 : now + wait)
  }

  /// Opens the session of a login that has proved who it is, if the login rules allow it.
  ///
  /// - Parameters:
  ///   - recovery: the recovery codes of a second factor that this login has begun.
  ///   - begun: the record with which the login began to wait, if it has waited for a second factor.
  func admit(
    _ user: UserReference, to product: ProductID, _ wish: SessionWish, recovery: [String]? = nil,
    since begun: LSN = .max
  ) throws(Halt) {
    if let denial = user.loginDenial(to: product, in: directory, at: now, since: begun) {
      note(denial, of: user, to: product)
      reply.map(2)
      return showDenial(denial.reason)
    }
    let opened = try openSession(of: user, in: product, wish)
    noteAdmission(to: product)
    let mustChange = user.cell.state.credentials.row(of: user.serial).isTemporary
    if mustChange {
      let workspace = directory.facts(ofProduct: product).workspace
      emit(SessionRestricted(opened.id, of: user.id, product: product, workspace: workspace))
    }
    reply.map(recovery == nil ? 5 : 6)
    reply.text("decision")
    reply.text("ALLOW")
    show(opened)
    reply.text("must-change")
    reply.flag(mustChange)
    guard let recovery else { return }
    reply.text("recovery-codes")
    show(recovery: recovery)
  }

  /// - Parameter user: who has to begin a second factor.
  fileprivate func show(
    _ issued: (token: SecretText.Whole, expires: Milliseconds), enrolling user: UserReference? = nil
  ) {
    reply.map(user == nil ? 3 : 4)
    reply.text("decision")
    reply.text("CHALLENGE")
    reply.text("challenge")
    reply.secret(issued.token)
    reply.text("expires")
    reply.integer(issued.expires)
    guard let user else { return }
    reply.text("enrol")
    reply.secret(beginSecondFactor(of: user))
  }

  func showWaiting(for wait: Milliseconds) {
    reply.map(3)
    showDenial("wait")
    reply.text("retry-after")
    reply.integer(wait)
  }

  func showDenial(_ reason: StaticString) {
    reply.text("decision")
    reply.text("DENY")
    reply.text("reason")
    reply.text(reason)
  }
}

extension UserReference {
  /// Whether the person is, or will be, a super administrator, the owner of a workspace, or somebody with all permissions
  /// there by a role that was defined.
  fileprivate func holdsEverything(in directory: Directory, at now: Milliseconds) -> Bool {
    grants.contains { $0.role == .superAdministrator }
      || holdings(in: directory, at: now, isComing: true).contains { $0.holdsEverything }
  }

  /// Whether the names of others lead to the user, too (L13).
  fileprivate var hasOtherNames: Bool { !cell.state.people.merged(into: contact).isEmpty }
}
