/// Keys with which programs act as a user. K6: others see how many are active; the user and the administrators of the
/// home see names and dates; nobody sees a key again.
extension CommandTable {
  static let apiKeyCommands: [CommandSpec] = [
    CommandSpec(
      "APIKEY.CREATE", .key, "Make a key with which a program acts as a user",
      [.word("user"), .option("NAME", "text"), .option("TTL", "duration")],
      reply: "a map `key` (shown once), `id, name, expires`. The policy `apikey.ttl` of the user's home limits `TTL`;"
        + " without either, the key has no limit and `expires` is null. With AS, users make their own; whoever makes one"
        + " for somebody else needs the service right `ADMIN`",
      effect: .write, rights: .sessions,
      needs: .permission(.credentialSet, over: .user(1), own: .credentialSet), route: .user(1),
      ownLogin: .apiKey, body: .decide(apiKeyCreate)),
    CommandSpec(
      "APIKEY.CHECK", .key, "Whose key this is, with every login rule checked again",
      [.word("key"), .option("PRODUCT", "product")],
      reply: "null, or a map as SESSION.CHECK answers it, with the kind `apikey`, and `expires` null where there is no"
        + " limit. `product` and `workspace` are those of `PRODUCT`, else null and the user's home. A key is refused"
        + " while its user may not log in, by the status or by the days of employment where the home's policy wants them,"
        + " and works again when they may",
      needs: .service(), route: .key(1), secrets: [1], body: .decide(apiKeyCheck)),
    CommandSpec(
      "APIKEY.COUNT", .key, "How many active keys a user has", [.word("user")],
      reply: "their number; only the home workspace of the user is told, to which the keys belong",
      needs: .permission(.userRead, over: .user(1), own: .userRead), route: .user(1), body: .decide(apiKeyCount)),
    CommandSpec(
      "APIKEY.LIST", .key, "The keys of a user, newest first, also those that ended", [.word("user")],
      reply: "an array of maps `id, name, active, created, created-by, last-used, expires, ended, ended-by`, where what"
        + " does not apply is null",
      needs: .permission(.credentialSet, over: .user(1), own: .credentialSet), route: .user(1),
      body: .decide(apiKeyList)),
    CommandSpec(
      "APIKEY.ROTATE", .key, "Make a key in place of another, which goes on for a while",
      [.word("key"), .option("OVERLAP", "duration"), .option("TTL", "duration")],
      reply:
        "a map as APIKEY.CREATE answers it, and `replaces, replaced-expires`. Both keys work for `OVERLAP`, a day if"
        + " it is not given; with 0 the old one ends at once. Without `TTL` the new one lives as long as the old one was"
        + " to",
      effect: .write, rights: .sessions,
      needs: .permission(.credentialSet, over: .apiKey(1), own: .credentialSet), route: .key(1), secrets: [1],
      ownLogin: .apiKey, body: .decide(apiKeyRotate)),
    CommandSpec(
      "APIKEY.DEACTIVATE", .key, "End a key for good, by its id or the key itself", [.word("key")],
      reply: "1, or 0 if there is no such active key", effect: .write, rights: .sessions,
      needs: .permission(.credentialSet, over: .apiKey(1), own: .credentialSet), route: .key(1), secrets: [1],
      ownLogin: .endOfKey, body: .decide(apiKeyDeactivate)),
    CommandSpec(
      "APIKEY.DEACTIVATEALL", .key, "End all keys of a user for good", [.word("user")], reply: "how many were active",
      effect: .write, rights: .sessions,
      needs: .permission(.credentialSet, over: .user(1), own: .credentialSet), route: .user(1),
      ownLogin: .endOfKey, body: .decide(apiKeyDeactivateAll)),
  ]

  // MARK: Checking

  @Sendable private static func apiKeyCheck(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    guard let key = try turn.apiKey(secret: turn.word(1)), key.row.isActive(at: turn.now) else {
      return turn.reply.null()
    }
    let user = key.user
    turn.read(user.row.lsn)
    let home = user.home ?? mainWorkspace
    let productWord = turn.optionWord("PRODUCT")
    let product = productWord.flatMap { turn.productID(turn.word($0)) }
    if productWord == nil, turn.isLimited, !turn.knownWorkspaces.contains(home) { return turn.reply.null() }
    let denial =
      productWord == nil
      ? user.denial(in: turn.directory, at: turn.now) : user.loginDenial(to: product, in: turn.directory, at: turn.now)
    if let denial {
      turn.note(denial, of: user, to: product, productName: productWord, in: home)
      return turn.reply.null()
    }
    turn.noteAdmission(to: product ?? 0)
    turn.use(key)
    if key.row.isUseWorthLogging(at: turn.now) { turn.emit(APIKeyUsed(key.id, of: user.id, turn.now)) }
    turn.reply.map(11)
    try turn.describe(
      key.id.raw, "apikey", of: user, in: product ?? 0,
      product.map { turn.directory.facts(ofProduct: $0).workspace } ?? home, actor: nil, created: key.row.created,
      expires: key.row.expires, lastSeen: turn.now)
  }

  @Sendable private static func apiKeyCount(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    // W2: keys belong to the home; what it has of them is no other workspace's to know.
    let home = user.home ?? mainWorkspace
    guard turn.knownWorkspaces.contains(home) || !turn.isLimited || turn.sides.contains(where: { $0.isOneself(user) })
    else {
      throw .refused(
        .noPermission("the permission user.read in the home workspace of \(user.username), to which the keys belong"))
    }
    try turn.require([.userRead], over: Target(.workspace(home), user), own: .userRead)
    turn.read(user.cell.state.lsn)
    turn.reply.integer(
      user.cell.state.apiKeys.keys(of: user.serial).count { user.cell.state.apiKeys.rows[$0].isActive(at: turn.now) })
  }

  @Sendable private static func apiKeyList(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    turn.read(user.cell.state.lsn)
    turn.read(turn.directory.lsn)
    let home = user.home ?? mainWorkspace
    try turn.requireAccountTools(over: user, in: home)
    let keys = user.cell.state.apiKeys.keys(of: user.serial).map { APIKeyReference(cell: user.cell, serial: $0) }
    func authors(_ key: APIKeyReference) -> (maker: Author?, ender: Author?) {
      let keys = { user.cell.state.apiKeys.author($0, of: key.serial) }
      return (keys(APIKeyTag.maker), keys(APIKeyTag.ender))
    }
    try turn.hold(authorsOf: keys.flatMap { [authors($0).maker, authors($0).ender] }.compactMap { $0 })
    turn.reply.array(keys.count)
    for key in keys {
      let (maker, ender) = authors(key)
      func name(_ author: Author?) throws(Halt) -> String? {
        guard let author else { return nil }
        return try turn.name(of: author, in: home)
      }
      let row = key.row
      let label = user.cell.state.apiKeys.name(of: key.serial)
      turn.reply.map(9)
      turn.reply.text("id")
      turn.reply.integer(key.id.raw)
      turn.reply.text("name")
      turn.reply.optional(label.isEmpty ? nil : label)
      turn.reply.text("active")
      turn.reply.flag(row.isActive(at: turn.now))
      turn.reply.text("created")
      turn.reply.integer(row.created)
      turn.reply.text("created-by")
      turn.reply.optional(try name(maker))
      turn.reply.text("last-used")
      turn.reply.optional(row.lastUsed == 0 ? nil : row.lastUsed)
      turn.reply.text("expires")
      turn.reply.optional(row.expires == 0 ? nil : row.expires)
      turn.reply.text("ended")
      turn.reply.optional(row.ended == 0 ? nil : row.ended)
      turn.reply.text("ended-by")
      turn.reply.optional(try name(ender))
    }
  }

  // MARK: Making

  @Sendable private static func apiKeyCreate(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    try turn.requireCredentialMaking(of: user, "an API key")
    try turn.requireAccountTools(over: user, in: user.home ?? mainWorkspace)
    let name = try turn.option("NAME", limit: Limits.nameBytes) ?? ""
    let made = try turn.makeKey(of: user, name: name, life: try turn.lifeOfKey() ?? 0)
    turn.reply.map(4)
    turn.show(made)
  }

  @Sendable private static func apiKeyRotate(_ turn: Turn) throws(Halt) {
    guard let old = try turn.apiKey(1), old.row.isActive(at: turn.now) else {
      throw .refused(.notFound("active key\(turn.repeatedID(1))"))
    }
    let user = old.user
    try turn.requireCredentialMaking(of: user, "an API key")
    try turn.requireAccountTools(over: user, in: user.home ?? mainWorkspace)
    let overlap = try turn.duration("OVERLAP") ?? Limits.overlapOfKeys
    let planned = user.cell.state.apiKeys.plannedEnd(of: old.serial)
    let life = try turn.lifeOfKey() ?? (planned == 0 ? 0 : planned - old.row.created)
    let made = try turn.makeKey(
      of: user, name: user.cell.state.apiKeys.name(of: old.serial), life: life, replacing: old, endsOld: overlap == 0)
    let end = min(turn.now + overlap, old.row.expires == 0 ? Limits.latestTime : old.row.expires)
    if overlap == 0 {
      turn.emit(APIKeyEnded(old.id, of: user.id, .deactivated))
    } else if end != old.row.expires {
      turn.emit(APIKeyLimited(old.id, of: user.id, old: old.row.expires, new: end))
    }
    turn.reply.map(6)
    turn.show(made)
    turn.reply.text("replaces")
    turn.reply.integer(old.id.raw)
    turn.reply.text("replaced-expires")
    turn.reply.integer(end)
  }

  // MARK: Ending

  @Sendable private static func apiKeyDeactivate(_ turn: Turn) throws(Halt) {
    guard let key = try turn.apiKey(1) else { return turn.reply.flag(false) }
    turn.read(turn.directory.lsn)
    try turn.requireAccountTools(over: key.user, in: key.user.home ?? mainWorkspace)
    if key.row.ended == 0 { turn.emit(APIKeyEnded(key.id, of: key.user.id, .deactivated)) }
    turn.reply.flag(key.row.isActive(at: turn.now))
  }

  @Sendable private static func apiKeyDeactivateAll(_ turn: Turn) throws(Halt) {
    let user = try turn.user(1)
    turn.read(user.cell.state.lsn)
    turn.read(turn.directory.lsn)
    try turn.requireAccountTools(over: user, in: user.home ?? mainWorkspace)
    turn.reply.integer(turn.endKeys(of: user, .deactivated))
  }
}

extension Turn {
  /// The `TTL` of a key.
  fileprivate func lifeOfKey() throws(Halt) -> Milliseconds? {
    let life = try duration("TTL")
    guard life != 0 else { throw .refused(.syntax("TTL must be more than 0; leave it out for a key without a limit")) }
    return life
  }

  /// The four pairs of a new key.
  fileprivate func show(_ made: MadeKey) {
    reply.text("key")
    reply.secret(made.secret)
    reply.text("id")
    reply.integer(made.id.raw)
    reply.text("name")
    reply.optional(made.name.isEmpty ? nil : made.name)
    reply.text("expires")
    reply.optional(made.expires == 0 ? nil : made.expires)
  }
}
