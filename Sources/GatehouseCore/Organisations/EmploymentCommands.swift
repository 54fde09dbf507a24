extension CommandTable {
  private static let days: [Argument] = [.option("FROM", "day"), .option("TO", "day")]

  static let employmentCommands: [CommandSpec] = [
    CommandSpec(
      "EMPLOY.ADD", .organisation, "Employ a user at an account",
      [.word("user"), .word("account")] + days + [.flag("MAIN"), .option("WORKSPACE", "workspace")],
      reply:
        "`OK`; FROM and TO are the first and the last day. The first employment in a workspace is the main one there,"
        + " and MAIN takes that mark from another. One that has ended begins anew",
      effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.employmentManage, over: .employment(user: 1, account: 2)),
      route: .user(1), body: .decide(employAdd)),
    CommandSpec(
      "EMPLOY.SET", .organisation, "Change the days of an employment, or make it the main one",
      [.word("user"), .word("account")] + days + [.flag("MAIN"), .option("WORKSPACE", "workspace")],
      reply: "1, or 0 where nothing changed; `none` lifts a day", effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.employmentManage, over: .employment(user: 1, account: 2)), route: .user(1),
      body: .decide(employSet)),
    CommandSpec(
      "EMPLOY.END", .organisation, "End an employment",
      [.word("user"), .word("account"), .option("TO", "day"), .option("WORKSPACE", "workspace")],
      reply: "`OK`; TO is the last day. Without it the employment is over now: yesterday was the last day, and one that"
        + " began today, or was to begin, never was. If it was the main one, another takes the mark",
      effect: .write, isVersioned: true, rights: .admin,
      needs: .permission(.employmentManage, over: .employment(user: 1, account: 2)),
      route: .user(1), body: .decide(employEnd)),
    CommandSpec(
      "EMPLOY.LIST", .organisation, "The employments of a user: past, present and to come",
      [.word("user"), .option("WORKSPACE", "workspace")],
      reply: "an array of maps `account, id, type, workspace, from, to, main, current`; of an"
        + " account the last employment, and `AUDIT.LIST USER user` has those before",
      needs: .permission(
        .userRead, over: .user(1), own: .userRead), route: .user(1), body: .decide(employList)),
  ]

  @Sendable private static func employAdd(_ turn: Turn) throws(Halt) {
    let (user, account, held) = try turn.employment()
    let today = user.today(in: account.workspace, turn.directory, at: turn.now)
    if let held, !held.hasEnded(on: today) {
      throw .refused(
        .conflict(
          "employment: \(user.username) is employed at \(account.name) already; EMPLOY.SET changes how"))
    }
    var new = Employment(account.id, of: account.workspace)
    (new.from, new.to) = try turn.days(of: user, in: account.workspace, insteadOf: new)
    try turn.requireNoGain(over: user, by: new)
    let others = user.employments.filter { $0.workspace == account.workspace && $0.account != account.id }
    new.isMain = turn.has("MAIN") || held?.isMain == true || !others.contains(where: \.isMain)
    guard held != nil || user.employments.count < Limits.employmentsOfContact else {
      throw .refused(.limit("employments: a contact has at most \(Limits.employmentsOfContact)"))
    }
    turn.setEmployment(of: user.contactID, from: held, to: new, among: user.employments)
    turn.reply.ok()
  }

  @Sendable private static func employSet(_ turn: Turn) throws(Halt) {
    let (user, account, held) = try turn.employment()
    guard let held else { throw turn.notEmployed(user, account) }
    var new = held
    (new.from, new.to) = try turn.days(of: user, in: account.workspace, insteadOf: held)
    if !held.includes(new) { try turn.requireNoGain(over: user, by: new) }
    new.isMain = held.isMain || turn.has("MAIN")
    turn.reply.flag(new != held)
    if new != held { turn.setEmployment(of: user.contactID, from: held, to: new, among: user.employments) }
  }

  @Sendable private static func employEnd(_ turn: Turn) throws(Halt) {
    let (user, account, held) = try turn.employment(toEnd: true)
    guard let held else { throw turn.notEmployed(user, account) }
    let today = user.today(in: account.workspace, turn.directory, at: turn.now)
    turn.reply.ok()
    if held.hasEnded(on: today), !turn.has("TO") { return }
    var new = held
    new.to = try turn.day("TO", of: user, in: account.workspace, insteadOf: today - 1)
    guard let to = new.to else { throw .refused(.syntax("TO is the last day; EMPLOY.SET lifts it with TO none")) }
    if let from = held.from, to < from {
      guard !turn.has("TO") else {
        throw .refused(
          .syntax("TO \(TimeText.text(ofDay: to)) is before the employment began, on \(TimeText.text(ofDay: from))"))
      }
      turn.setEmployment(of: user.contactID, from: held, to: nil, among: user.employments)
      return turn.passOnMain(of: user, from: held, isGone: true, today)
    }
    if new != held { turn.setEmployment(of: user.contactID, from: held, to: new, among: user.employments) }
    if new.hasEnded(on: today) { turn.passOnMain(of: user, from: held, isGone: false, today) }
  }

  @Sendable private static func employList(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    turn.read(turn.directory.lsn)
    let workspace = turn.has("WORKSPACE") ? try turn.workspace().id : nil
    let card = UserCard(user, turn.seen(of: user), turn)
    let employments = card.employments.filter { workspace == nil || $0.workspace == workspace }
    turn.reply.array(employments.count)
    for employment in employments {
      turn.reply.map(8)
      turn.reply.text("account")
      turn.reply.text(turn.directory.accountName(employment.account))
      turn.reply.text("id")
      turn.reply.integer(employment.account)
      turn.reply.text("type")
      turn.reply.optional(turn.directory.account(employment.account)?.kind.name)
      turn.reply.text("workspace")
      turn.reply.text(turn.directory.workspace(employment.workspace).name)
      turn.reply.text("from")
      turn.reply.optional(employment.from.map(TimeText.text(ofDay:)))
      turn.reply.text("to")
      turn.reply.optional(employment.to.map(TimeText.text(ofDay:)))
      turn.reply.text("main")
      turn.reply.flag(employment.isMain)
      turn.reply.text("current")
      turn.reply.flag(user.isInForce(employment, in: turn.directory, at: turn.now))
    }
  }
}

extension Turn {
  /// The user, the account, and the employment that there is or was.
  ///
  /// - Parameter isEnding: who is deleted is employed until somebody ends it, and so is who was restored by an earlier
  ///   version and is no member any more.
  fileprivate func employment(toEnd isEnding: Bool = false) throws(Halt) -> (UserReference, Account, Employment?) {
    let user = try user(1)
    let account = try account(2)
    guard GuestAccount.workspace(of: account.id) == nil else { throw .refused(Turn.nobodyIsEmployed(at: account)) }
    if !isEnding {
      try requireNotDeleted(user)
      try requireMember(user, of: account.workspace)
    }
    try checkVersion(version(of: user))
    return (user, account, user.employments.first { $0.account == account.id })
  }

  /// W3: a contact with a new login is employed only where that is a member, as somebody who leaves a workspace is.
  func endEmployments(of contact: ContactReference, outside workspaces: [WorkspaceID]) {
    let employments = contact.cell.state.people.employments(of: contact.serial)
    for employment in employments where !workspaces.contains(employment.workspace) {
      emit(EmploymentSet(contact.id, old: employment, new: nil))
    }
  }

  static func nobodyIsEmployed(at account: Account) -> Refusal {
    .rule(
      "account", "\(account.name) is the account of those without an employer, and nobody is employed there",
      instead: "end the other employments with EMPLOY.END user account")
  }

  func requireMember(_ user: UserReference, of id: WorkspaceID) throws(Halt) {
    guard user.isMember(of: id) else {
      let workspace = directory.workspace(id).name
      throw .refused(
        .rule(
          "member", "\(user.username) is not a member of \(workspace)",
          instead: "make the user one first with WORKSPACE.MEMBER \(workspace) user"))
    }
  }

  fileprivate func notEmployed(_ user: UserReference, _ account: Account) -> Halt {
    .refused(.notFound("employment: \(user.username) is not employed at \(account.name)"))
  }

  /// The days that `FROM` and `TO` give; what is not given stays as it was.
  fileprivate func days(
    of user: UserReference, in workspace: WorkspaceID, insteadOf old: Employment
  ) throws(Halt) -> (from: Int32?, to: Int32?) {
    let from = try day("FROM", of: user, in: workspace, insteadOf: old.from)
    let to = try day("TO", of: user, in: workspace, insteadOf: old.to)
    if let from, let to, to < from {
      throw .refused(
        .syntax("TO \(TimeText.text(ofDay: to)) is before FROM \(TimeText.text(ofDay: from))"))
    }
    return (from, to)
  }

  /// Refuses days on which nobody's employment began or ended, as far as is kept.
  static func day(ofEmployment day: Int32, _ name: String) throws(Halt) -> Int32 {
    guard day >= 0 else {
      throw .refused(.syntax("\(name) is before 1970-01-01, the first day that is kept of employments", of: name))
    }
    return day
  }

  /// A day, or the one that a moment is for the person; `none` for no day.
  fileprivate func day(
    _ token: String, of user: UserReference, in workspace: WorkspaceID, insteadOf old: Int32?
  ) throws(Halt) -> Int32? {
    guard let text = try option(token) else { return old }
    if text.lowercased() == "none" { return nil }
    if let day = TimeText.dayNumber(text) { return try Self.day(ofEmployment: day, token) }
    guard let time = TimeText.timeOfDay(text) else {
      throw .refused(.syntax("\(token) is not a day, such as 2026-03-01"))
    }
    return max(0, user.today(in: workspace, directory, at: time))
  }

  /// Where the main employment of a workspace ends, the mark goes to the one that has lasted longest of those that have
  /// not ended. Where it is gone altogether, one that has ended takes it if there is no other.
  fileprivate func passOnMain(of user: UserReference, from old: Employment, isGone: Bool, _ today: Int32) {
    guard old.isMain else { return }
    let others = user.employments.filter { $0.workspace == old.workspace && $0.account != old.account }
    let lasting = others.filter { !$0.hasEnded(on: today) }
    let heirs = lasting.isEmpty && isGone ? others : lasting
    guard let heir = heirs.min(by: { ($0.from ?? .min) < ($1.from ?? .min) }) else { return }
    var main = heir
    main.isMain = true
    setEmployment(of: user.contactID, from: heir, to: main, among: user.employments)
  }

  /// Nobody employs somebody where they have power over the employees, or will have it, to have it over that person too.
  fileprivate func requireNoGain(over user: UserReference, by employment: Employment) throws(Halt) {
    let site: Site = .workspace(employment.workspace)
    var known: Employers?
    for side in sides where !side.isOneself(user) {
      for gain in try gains(of: side, by: employment, home: user.home) {
        let held = side.holdings.filter {
          $0.covers(site, gain.permission, of: user, &known, in: directory, at: now)
        }
        try requireHeld(gain, by: held, over: user.username, "account")
      }
    }
  }

  /// The same where somebody who was there before gets a login, and an employment with it.
  ///
  /// - Parameter home: the login's.
  func requireNoGain(over contact: ContactID, by employment: Employment, home: WorkspaceID) throws(Halt) {
    for side in sides {
      for gain in try gains(of: side, by: employment, home: home) {
        let held = side.holdings.filter { $0.covers(.workspace(employment.workspace), gain.permission) }
        try requireHeld(gain, by: held, over: "contact #\(contact.raw)", "account")
      }
    }
  }

  /// What a side may do to somebody because of an employment, or will be allowed to while it lasts.
  ///
  /// - Parameter home: the person's.
  private func gains(of side: Side, by employment: Employment, home: WorkspaceID?) throws(Halt) -> [Gain] {
    let end = employment.overEverywhere ?? .max
    return try gains(of: side) { $0.employers?.contains(employment.account) == true && $0.start < end }
      // Who somebody is, is governed elsewhere, whoever employs them here.
      .filter { $0.permission.isAboutPeople && ($0.permission.domain != .identity || home == employment.workspace) }
  }
}

extension Employment {
  /// Whether all days of another one are its own too.
  fileprivate func includes(_ other: Employment) -> Bool {
    (from ?? .min) <= (other.from ?? .min) && (to ?? .max) >= (other.to ?? .max)
  }
}
