extension CommandTable {
  static let refusalCommands: [CommandSpec] = [
    CommandSpec(
      "REFUSALS.LIST", .audit, "Logins that were refused lately, newest first",
      [
        .option("USER", "user"), .option("PRODUCT", "product"), .option("REASON", "reason"),
        .option("SINCE", "time", .time), .option("COUNT", "n", .integer),
      ],
      reply:
        "an array of maps `time, user, username, product, reason, command, service`; `user` is null where nobody has"
        + " the name, of which then stand the first 48 bytes as they were typed, with unprintable characters as `\\u{7}`;"
        + " beside a password `(redacted)` stands for what nobody has, because it may be a password in the wrong place."
        + " They are kept in memory only: a restart forgets them, and of each lane the oldest give way beyond the setting"
        + " `refusals-length`. Of what happened in workspaces that the caller may not read nothing is shown, and people whom"
        + " the caller does not know are `unknown-user`; services stand as `#id` for who may not read the whole trail",
      rights: .admin, needs: .permission(.auditRead, over: .anything), route: .directory, body: .decide(listRefusals))
  ]

  private static func listRefusals(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let wanted = try RefusalCondition(turn)
    let count = try turn.listCount()
    let kept = try turn.outcome(of: ReadRefusals(since: try turn.time("SINCE") ?? 0))
    let refusals: [RefusedLogin]
    switch kept {
    case .success(let found): refusals = found
    case .failure(let refusal): throw .refused(refusal)
    }
    let shown = try turn.readable(refusals).lazy.filter(wanted.fits).prefix(count)
    let items = Array(shown)
    turn.reply.array(items.count)
    // Services are the operator's, who alone learns their names.
    let showsServices = turn.reach(of: .auditRead).isAll
    for item in items { turn.reply.show(item, turn.directory, showsServices: showsServices) }
  }
}

/// A refused login as the caller may see it.
private struct ShownRefusal {
  let refusal: RefusedLogin
  /// nil if no user has the name, or none that the caller knows.
  let user: UserReference?

  /// If the caller does not know the user, not even the user's existence is revealed.
  var denial: LoginDenial { user == nil ? .unknownUser : refusal.denial }
  var username: String? { user?.username ?? refusal.username.shown }
}

/// Which refusals to list.
private struct RefusalCondition {
  private var user: UserID?
  /// The hash of a name that no user has.
  private var nameHash: UInt32?
  private var product: ProductID?
  private var productName: String?
  private var denial: LoginDenial?

  init(_ turn: Turn) throws(Halt) {
    if let word = turn.optionWord("USER") {
      user = try turn.userIfAny(word)?.id
      if user == nil { nameHash = turn.nameKey(word).hash }
    }
    if let word = turn.optionWord("PRODUCT") {
      product = turn.productID(turn.word(word))
      // Of a long name only the beginning was kept, so no more is compared.
      if product == nil { productName = TypedWord(turn.word(word)).text?.lowercased() ?? "" }
    }
    guard let reason = try turn.option("REASON") else { return }
    denial = LoginDenial.allCases.first { "\($0.reason)" == reason.lowercased() }
    guard denial != nil else {
      let reasons = LoginDenial.allCases.map { "\($0.reason)" }.joined(separator: ", ")
      throw .refused(.syntax("REASON must be one of \(reasons)"))
    }
  }

  func fits(_ shown: ShownRefusal) -> Bool {
    if let user, shown.user?.id != user { return false }
    if let nameHash, shown.user != nil || shown.refusal.nameHash != nameHash { return false }
    if let product, shown.refusal.product != product { return false }
    if let productName, shown.refusal.product != 0 || shown.refusal.productName.text?.lowercased() != productName {
      return false
    }
    return denial == nil || shown.denial == denial
  }
}

extension Turn {
  /// The refusals that the caller may read (W4).
  fileprivate func readable(_ refusals: [RefusedLogin]) throws(Halt) -> [ShownRefusal] {
    let reach = reach(of: .auditRead)
    let readable = refusals.filter { reach.isAll || $0.workspace != 0 && reach.contains($0.workspace) }
    try hold(Set(readable.filter { $0.user != .none }.map { partitioning.partition(of: $0.user) }))
    var shown: [ShownRefusal] = []
    for refusal in readable {
      let user = refusal.user == .none ? nil : try user(refusal.user)
      shown.append(ShownRefusal(refusal: refusal, user: user.flatMap { shows($0) ? $0 : nil }))
    }
    return shown
  }
}

extension Reply {
  fileprivate mutating func show(_ shown: ShownRefusal, _ directory: Directory, showsServices: Bool) {
    let refusal = shown.refusal
    map(7)
    text("time")
    integer(refusal.time)
    text("user")
    optional(shown.user?.id.raw)
    text("username")
    optional(shown.username)
    text("product")
    optional(directory.product(refusal.product).map { directory.productName($0) } ?? refusal.productName.shown)
    text("reason")
    text(shown.denial.reason)
    text("command")
    text(CommandTable.entries[Int(refusal.command)].name)
    text("service")
    let service = showsServices ? directory.service(refusal.service)?.name : nil
    optional(refusal.service == 0 ? nil : service ?? "#\(refusal.service)")
  }
}
