extension CommandTable {
  static let loginCommands: [CommandSpec] = [
    CommandSpec(
      "LOGIN.CHECK", .login, "May this user log in to this product now", [.word("user"), .word("product")],
      reply: "`ALLOW`, or `DENY reason` with the first rule that says no; users ask about themselves and whom they "
        + "manage",
      needs: .permission(.userRead, over: .login(user: 1, product: 2), own: .userRead), route: .user(1),
      body: .decide(loginCheck)),
    CommandSpec(
      "LOGIN.EXPLAIN", .login, "Every login rule, with whether it passes and what to do",
      [.word("user"), .word("product"), .option("AT", "time", .time)],
      reply: "an array of maps `rule, passed, detail, remedy`; the detail of `outside-employment` says which day it is "
        + "in which time zone. `AT` asks about another moment, or about the beginning of a day: an earlier one is decided"
        + " over what the log says of user, product and workspace then, a later one over the dates that are known. The name"
        + " may be the one that the user had then, or else the one of today; who was purged since is not known any more, and"
        + " of who was anonymised since, the days of employment are not shown and cannot be asked. Refused where the log does not go back so far",
      needs: .permission(.userRead, over: .loginAt(user: 1, product: 2)), route: .user(1),
      body: .decide(loginExplain)),
  ]

  @Sendable private static func loginCheck(_ turn: Turn) throws(Halt) {
    let user = try turn.userIfAny(1)
    try turn.withDirectory { (directory) throws(Halt) in
      turn.read(directory.lsn)
      let product = turn.productID(turn.word(2), in: directory)
      guard let user else { return deny(.unknownUser, nil, product, turn) }
      guard let denial = user.loginDenial(to: product, in: directory, at: turn.now) else {
        turn.noteAdmission(to: product ?? 0)
        return turn.reply.text("ALLOW")
      }
      deny(denial, user, product, turn)
    }
  }

  private static func deny(_ denial: LoginDenial, _ user: UserReference?, _ product: ProductID?, _ turn: Turn) {
    turn.note(denial, of: user, to: product, username: 1, productName: 2)
    turn.reply.text(denial.answer)
  }

  @Sendable private static func loginExplain(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let product = turn.productID(turn.word(2)).flatMap { turn.directory.product($0) }
    let moment = try turn.askedMoment() ?? turn.now
    let rules =
      if try turn.isAboutThePast() {
        try turn.explainedPast(product, at: moment)
      } else {
        LoginExplanation(
          try turn.userIfAny(1), product, product.map { turn.directory.workspace($0.workspace) }, at: moment, turn
        ).rules
      }
    turn.reply.array(rules.count)
    for rule in rules {
      turn.reply.map(4)
      turn.reply.text("rule")
      turn.reply.text(rule.name)
      turn.reply.text("passed")
      turn.reply.flag(rule.passed)
      turn.reply.text("detail")
      turn.reply.text(rule.detail)
      turn.reply.text("remedy")
      turn.reply.optional(rule.passed ? nil : rule.remedy)
    }
  }
}

extension Turn {
  /// Whether the command asks about an earlier moment.
  func isAboutThePast() throws(Halt) -> Bool { try askedMoment().map { $0 < now } ?? false }

  /// The moment that `AT` names. A day begins where the person is, else where the product's workspace is.
  fileprivate func askedMoment() throws(Halt) -> Milliseconds? {
    guard let text = try option("AT") else { return nil }
    guard let day = TimeText.dayNumber(text) else { return try Self.time(text, "AT", orDay: true) }
    let product = productID(word(2)).flatMap { directory.product($0) }
    let workspace = directory.workspace(product?.workspace ?? mainWorkspace)
    let own = try userIfAny(1)?.zone(elseOf: workspace, directory.zones)
    return max(0, (own ?? PersonalZone(of: "", elseOf: workspace, directory.zones)).zone.rules.start(ofDay: day))
  }

  fileprivate func explainedPast(_ product: Product?, at moment: Milliseconds) throws(Halt) -> [LoginExplanation.Rule] {
    let past = try PastLogin(self, at: moment, name: 1, product)
    // Only now it is known whom the word meant.
    if isLimited, let id = past.user?.id, let user = try user(id) {
      try require([.userRead], over: target(ofLogin: user, to: product))
    }
    return LoginExplanation(
      past.user, past.product, past.workspace, at: moment, self, hidesDates: past.hidesDates
    ).rules
  }
}

/// Evaluates every login rule, even after one has refused.
private struct LoginExplanation {
  struct Rule {
    let name: StaticString
    let passed: Bool
    let detail: String
    let remedy: String
  }

  private(set) var rules: [Rule] = []

  /// - Parameters:
  ///   - workspace: the product's.
  ///   - hidesDates: whether the dates of the person were cleared, and are not shown.
  init(
    _ user: (some PersonView)?, _ product: Product?, _ workspace: Workspace?, at moment: Milliseconds, _ turn: Turn,
    hidesDates: Bool = false
  ) {
    add(
      .unknownUser, user != nil, user.map { "user #\($0.id.raw)" } ?? "no user has this name",
      "create the user with USER.CREATE")
    let status = user?.status
    for denial in [LoginDenial.deleted, .inactive, .pending, .locked] {
      let passed = status != nil && status?.denial != denial
      add(
        denial, passed, status.map { "status \($0.name)" } ?? "no user",
        denial == .deleted
          ? "create a new login on the same contact with USER.CREATE … CONTACT #id"
          : "set another status with USER.STATUS user active")
    }
    let shown = product.map { turn.directory.productName($0) }
    add(
      .unknownProduct, product != nil, shown.map { "product \($0)" } ?? "no product has this name",
      "create the product with PRODUCT.CREATE")
    guard let user, let product, let workspace else {
      for denial in [LoginDenial.productDisabled, .noLicence, .outsideEmployment] {
        add(denial, false, "cannot be decided without user and product", "name a user and a product that exist")
      }
      return
    }
    let access = user.access(to: product.id)
    addAccess(access, of: user, product, at: moment, turn)
    let licence = access.flatMap { product.licenceName($0.licence) }
    add(
      .noLicence, !product.needsLicence || licence != nil,
      product.needsLicence ? licence.map { "licence \($0)" } ?? "no licence" : "the product needs no licence",
      "assign one with LICENCE.ASSIGN")
    addEmployment(of: user, workspace, at: moment, turn, hidesDates)
  }

  private mutating func addAccess(
    _ access: ProductAccess?, of user: some PersonView, _ product: Product, at moment: Milliseconds, _ turn: Turn
  ) {
    guard let access else { return add(.productDisabled, false, "no access", "enable it with PRODUCT.ENABLE") }
    let limits = access.limits.isNone ? "" : ", \(access.limits)"
    guard access.isEnabled || access.hasEnded, access.limits.contains(moment) else {
      let isOver = access.limits.hasEnded(at: moment)
      let state = isOver ? "ended" : access.isEnabled ? "not yet open" : "disabled"
      return add(
        .productDisabled, false, state + limits,
        limits.isEmpty ? "enable it with PRODUCT.ENABLE" : "enable it with PRODUCT.ENABLE … FROM time UNTIL time")
    }
    let membership = user.limits(ofMembership: product.workspace)
    let workspace = turn.directory.workspace(product.workspace).name
    let member = membership.isNone ? "" : "; a member of \(workspace) \(membership)"
    add(
      .productDisabled, membership.contains(moment), "enabled" + limits + member,
      "set other times with WORKSPACE.MEMBER \(workspace) user FROM time UNTIL time")
  }

  private mutating func addEmployment(
    of user: some PersonView, _ workspace: Workspace, at moment: Milliseconds, _ turn: Turn, _ hidesDates: Bool
  ) {
    let isAsked = workspace.policies.withinEmployment
    func shown(_ day: Int32) -> String { day == .min ? "-" : TimeText.text(ofDay: day) }
    let zone = user.zone(elseOf: workspace, turn.directory.zones)
    let day = TimeText.text(ofDay: zone.zone.rules.day(at: moment))
    let dates =
      hidesDates
      ? "cannot be told: the days were anonymised"
      : "hired \(shown(user.hired)), released \(shown(user.released)); it is \(day) in \(zone.zone.name), \(zone.reason)"
    add(
      .outsideEmployment, !isAsked || user.isEmployed(at: moment, in: zone.zone),
      isAsked ? dates : "not asked by the workspace",
      "correct the dates with USER.SET user hired … released …, or the zone with USER.SET user timezone …")
  }

  private mutating func add(_ denial: LoginDenial, _ passed: Bool, _ detail: String, _ remedy: String) {
    rules.append(Rule(name: denial.reason, passed: passed, detail: detail, remedy: remedy))
  }
}
