/// The feed, pushed to an address.
extension CommandTable {
  private static let place = Argument.option("WORKSPACE", "workspace")
  private static let manage = Need.permission(.feedRead, over: .workspaceOrEverywhere)
  private static let rule = "; needs `security.set` there, too"

  static let webhookCommands: [CommandSpec] = [
    CommandSpec(
      "WEBHOOK.CREATE", .audit, "Have the feed pushed to an address: each event in order, as a signed POST",
      [
        .word("name"), .word("url"), .secretOption("SECRET", "secret"), .option("TYPE", "change", repeats: true),
        .option("FROM", "lsn"), place,
      ],
      reply:
        "a map `id, name, secret`; the secret is shown only this once. The url begins with https:// unless it is of"
        + " this machine. It sees what `FEED.READ` shows of the workspace, or without WORKSPACE everything. It begins"
        + " with what happens from now on, or after the record FROM; 0 is the beginning. SECRET is `whsec_` and base64"
        + " of 24 to 64 bytes" + rule,
      effect: .write, rights: .admin, needs: manage, route: .directory, withholds: ["IDEM"],
      ownLogin: .webhooks, body: .decide(webhookCreate)),
    CommandSpec(
      "WEBHOOK.SET", .audit, "Change the address of a webhook, or which kinds of changes it gets",
      [
        .word("name"), .option("URL", "url"), .option("TYPE", "change", repeats: true), .flag("ANYTYPE"), place,
      ],
      reply: "`OK`; the kinds that are given replace those it has, ANYTYPE is for all" + rule,
      effect: .write, rights: .admin, needs: manage, route: .directory, ownLogin: .webhooks, body: .decide(webhookSet)),
    CommandSpec(
      "WEBHOOK.ROTATE", .audit, "Give a webhook a new secret; with OVERLAP the old one signs beside it for that long",
      [.word("name"), .secretOption("SECRET", "secret"), .option("OVERLAP", "duration"), place],
      reply: "a map `name, secret, old-secret-until`; the secret is shown only this once, and old-secret-until is null"
        + " without OVERLAP" + rule,
      effect: .write, rights: .admin, needs: manage, route: .directory, withholds: ["IDEM"],
      ownLogin: .webhooks, body: .decide(webhookRotate)),
    CommandSpec(
      "WEBHOOK.PAUSE", .audit, "Deliver nothing for now; what happens meanwhile waits", [.word("name"), place],
      reply: "`OK`" + rule, effect: .write, rights: .admin, needs: manage, route: .directory,
      ownLogin: .webhooks, body: .decide(webhookPause)),
    CommandSpec(
      "WEBHOOK.RESUME", .audit, "Deliver again, beginning with what has waited", [.word("name"), place],
      reply: "`OK`" + rule, effect: .write, rights: .admin, needs: manage, route: .directory,
      ownLogin: .webhooks, body: .decide(webhookResume)),
    CommandSpec(
      "WEBHOOK.RETRY", .audit, "Try again at once after failures, or go on after another record",
      [.word("name"), .option("FROM", "lsn"), place],
      reply: "`OK`. After the record FROM everything is delivered again, or with `$` what has waited is left out"
        + rule,
      effect: .write, rights: .admin, needs: manage, route: .directory, ownLogin: .webhooks, body: .decide(webhookRetry)
    ),
    CommandSpec(
      "WEBHOOK.DELETE", .audit, "Delete a webhook", [.word("name"), place], reply: "`OK`" + rule, effect: .write,
      rights: .admin, needs: manage, route: .directory, ownLogin: .webhooks, body: .decide(webhookDelete)),
    CommandSpec(
      "WEBHOOK.NOTE", .audit, "Note how far a webhook has come; the server does it itself, every few seconds at most",
      [
        .word("id", .integer), .word("moves", .integer), .word("cursor", .integer), .word("failures", .integer),
        .option("ERROR", "text"), .option("ERRORTIME", "time", .time), .option("SUCCESS", "time", .time),
        .flag("GONE"),
      ],
      reply: "1, or 0 if it is deleted or was moved; GONE pauses it", effect: .write, rights: .admin,
      needs: .service(.serverManage), route: .directory, withholds: ["IDEM", "DRYRUN"], body: .decide(webhookNote)),
  ]

  // MARK: Creating

  @Sendable private static func webhookCreate(_ turn: Turn) throws(Halt) {
    let name = try Turn.name(try turn.text(1, "name", limit: Limits.nameBytes), "name")
    let url = try turn.webhookAddress(try turn.text(2, "url", limit: WebhookAddress.mostBytes))
    let (place, view) = try turn.webhookPlace()
    guard view.webhook(named: name, of: place) == nil else {
      throw .refused(.conflict("webhook: \(name) already exists", of: "name"))
    }
    try Limits.webhooks.check("webhooks", ofWorkspace: view.webhookCount(of: place), ofAll: view.webhookCount)
    let types = try turn.changeKinds("TYPE").sorted()
    let from = turn.has("FROM") ? try turn.webhookPosition() : nil
    let secret = try turn.webhookSecret()
    let id = view.tables.webhooks.last + 1
    turn.emit(WebhookCreated(id, of: place, name: name, url: url, types: types, secret: secret, from: from))
    turn.reply.map(3)
    turn.reply.text("id")
    turn.reply.integer(id)
    turn.reply.text("name")
    turn.reply.text(name)
    turn.reply.text("secret")
    turn.reply.secret(secret.text)
  }

  // MARK: Changing

  @Sendable private static func webhookSet(_ turn: Turn) throws(Halt) {
    let webhook = try turn.webhook()
    if turn.has("TYPE"), turn.has("ANYTYPE") { throw .refused(.syntax("give either TYPE or ANYTYPE")) }
    guard turn.has("URL") || turn.has("TYPE") || turn.has("ANYTYPE") else {
      throw .refused(.syntax("WEBHOOK.SET \(webhook.name) changes nothing; give URL, TYPE or ANYTYPE"))
    }
    var (url, types) = (webhook.url, webhook.types)
    if let text = try turn.option("URL", limit: WebhookAddress.mostBytes) { url = try turn.webhookAddress(text) }
    if turn.has("TYPE") || turn.has("ANYTYPE") { types = try turn.changeKinds("TYPE").sorted() }
    turn.reply.ok()
    if url != webhook.url || types != webhook.types { turn.emit(WebhookSet(webhook, url: url, types: types)) }
  }

  @Sendable private static func webhookRotate(_ turn: Turn) throws(Halt) {
    let webhook = try turn.webhook()
    let overlap = try turn.duration("OVERLAP") ?? 0
    guard overlap <= Limits.secretOverlap else {
      throw .refused(.limit("OVERLAP: at most \(Limits.secretOverlap / 86_400_000)d"))
    }
    let until = overlap > 0 ? turn.now + overlap : 0
    let secret = try turn.webhookSecret()
    turn.emit(WebhookRotated(webhook, secret: secret, until: until))
    turn.reply.map(3)
    turn.reply.text("name")
    turn.reply.text(webhook.name)
    turn.reply.text("secret")
    turn.reply.secret(secret.text)
    turn.reply.text("old-secret-until")
    if until > 0 { turn.reply.integer(until) } else { turn.reply.null() }
  }

  @Sendable private static func webhookPause(_ turn: Turn) throws(Halt) {
    let webhook = try turn.webhook()
    turn.reply.ok()
    if !webhook.isPaused { turn.emit(WebhookPaused(webhook, why: "paused by command")) }
  }

  @Sendable private static func webhookResume(_ turn: Turn) throws(Halt) {
    let webhook = try turn.webhook()
    turn.reply.ok()
    if webhook.isPaused { turn.emit(WebhookPaused(webhook, why: "")) }
  }

  @Sendable private static func webhookRetry(_ turn: Turn) throws(Halt) {
    let webhook = try turn.webhook()
    turn.emit(
      WebhookRetried(webhook, moves: turn.has("FROM"), from: turn.has("FROM") ? try turn.webhookPosition() : nil))
    turn.reply.ok()
  }

  @Sendable private static func webhookDelete(_ turn: Turn) throws(Halt) {
    turn.emit(WebhookDeleted(try turn.webhook()))
    turn.reply.ok()
  }

  // MARK: Noting

  @Sendable private static func webhookNote(_ turn: Turn) throws(Halt) {
    func number(_ word: Int, _ name: String) throws(Halt) -> Int {
      try Turn.integer(try turn.text(word, name, limit: Limits.nameBytes), name, in: 0...Int.max)
    }
    let id = WebhookID(clamping: try number(1, "id"))
    let view = try turn.directoryState().state.view
    turn.read(view.lsn)
    guard let webhook = view.webhook(id), webhook.moves == UInt32(clamping: try number(2, "moves")) else {
      return turn.reply.flag(false)
    }
    var progress = webhook.progress
    progress.cursor = LSN(try number(3, "cursor"))
    progress.failures = UInt32(clamping: try number(4, "failures"))
    progress.lastError = try turn.option("ERROR", limit: Limits.reasonBytes) ?? progress.lastError
    progress.lastErrorTime = try turn.time("ERRORTIME") ?? progress.lastErrorTime
    progress.lastSuccess = try turn.time("SUCCESS") ?? progress.lastSuccess
    turn.reply.flag(true)
    if progress != webhook.progress { turn.emit(WebhookProgressed(webhook, progress)) }
    if turn.has("GONE"), !webhook.isPaused {
      turn.emit(WebhookPaused(webhook, why: "the receiver answered 410 Gone"))
    }
  }
}

extension Turn {
  /// Where a webhook is or will be: the workspace of the option, or 0 for the server; and the directory as it is.
  fileprivate func webhookPlace() throws(Halt) -> (WorkspaceID, Directory) {
    let workspace = has("WORKSPACE") ? try workspaceID() : 0
    // What leaves the server on its own is more than what somebody reads.
    try require(.securitySet, over: workspace == 0 ? .server : .workspace(workspace))
    let view = try directoryState().state.view
    read(view.lsn)
    return (workspace, view)
  }

  /// The webhook that word 1 names.
  fileprivate func webhook() throws(Halt) -> Webhook {
    let name = try text(1, "name", limit: Limits.nameBytes)
    let (place, view) = try webhookPlace()
    guard let webhook = view.webhook(named: name, of: place) else {
      let hint = place == 0 ? "; WORKSPACE w names one of a workspace" : ""
      throw .refused(.notFound("webhook \(name)\(hint)"))
    }
    return webhook
  }

  fileprivate func webhookAddress(_ text: String) throws(Halt) -> String {
    do throws(WebhookAddress.Fault) {
      return try WebhookAddress(text).text
    } catch {
      throw .refused(.syntax("url \(error.text)"))
    }
  }

  /// The secret that is given, or a new one.
  fileprivate func webhookSecret() throws(Halt) -> WebhookSecret {
    guard let text = try option("SECRET", limit: Limits.fieldBytes) else {
      return WebhookSecret(entropy.draw(), entropy.draw())
    }
    guard let secret = WebhookSecret(text) else {
      throw .refused(
        .syntax(
          "SECRET is not \(WebhookSecret.prefix) and base64 of \(WebhookSecret.sizes.lowerBound) to"
            + " \(WebhookSecret.sizes.upperBound) bytes; leave it out for a new one"))
    }
    return secret
  }

  /// The record of `FROM`; nil for `$`, the newest.
  fileprivate func webhookPosition() throws(Halt) -> LSN? {
    guard let text = try option("FROM", limit: Limits.nameBytes), text != "$" else { return nil }
    return LSN(try Turn.integer(text, "FROM", in: 0...Int.max))
  }
}
