/// What is known of webhooks.
extension CommandTable {
  static let webhookListCommands: [CommandSpec] = [
    CommandSpec(
      "WEBHOOK.LIST", .audit, "The webhooks of the workspaces that one may read, without their secrets",
      [.option("WORKSPACE", "workspace")], reply: "an array of maps as WEBHOOK.GET answers", rights: .admin,
      needs: .permission(.feedRead, over: .anything), route: .directory, body: .decide(webhookList)),
    CommandSpec(
      "WEBHOOK.GET", .audit, "A webhook, without its secret", [.word("name"), .option("WORKSPACE", "workspace")],
      reply: "a map `id, name, workspace, url, types, created, state, pause, cursor, failures, last-error,"
        + " last-error-time, last-success, old-secret-until`. The state is `active`, `failing` after"
        + " \(Limits.webhookFailures) failures in a row, or `paused`; the cursor is the record up to which it has come,"
        + " as of some seconds ago. The workspace is null if it is of the whole server, types are empty for all",
      rights: .admin, needs: .permission(.feedRead, over: .workspaceOrEverywhere), route: .directory,
      body: .decide(webhookGet)),
  ]

  @Sendable private static func webhookList(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    var reach = turn.reach(of: .feedRead)
    if turn.has("WORKSPACE") { reach = reach.intersection(.only([try turn.workspaceID()])) }
    let shown = turn.directory.webhooks.filter { $0.workspace == 0 ? reach.isAll : reach.contains($0.workspace) }
    turn.reply.array(shown.count)
    for webhook in shown { turn.show(webhook) }
  }

  @Sendable private static func webhookGet(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let name = try turn.text(1, "name", limit: Limits.nameBytes)
    let place = turn.has("WORKSPACE") ? try turn.workspaceID() : 0
    guard let webhook = turn.directory.webhook(named: name, of: place) else {
      throw .refused(.notFound("webhook \(name)\(place == 0 ? "; WORKSPACE w names one of a workspace" : "")"))
    }
    turn.show(webhook)
  }
}

extension Turn {
  fileprivate func show(_ webhook: Webhook) {
    let progress = webhook.progress
    reply.map(14)
    reply.text("id")
    reply.integer(webhook.id)
    reply.text("name")
    reply.text(webhook.name)
    reply.text("workspace")
    reply.optional(webhook.workspace == 0 ? nil : directory.workspace(webhook.workspace).name)
    reply.text("url")
    reply.text(webhook.url)
    reply.text("types")
    reply.array(webhook.types.count)
    for name in webhook.typeNames { reply.text(name) }
    reply.text("created")
    reply.integer(webhook.created)
    reply.text("state")
    reply.text(webhook.condition.rawValue)
    reply.text("pause")
    reply.optional(webhook.isPaused ? webhook.pause : nil)
    reply.text("cursor")
    reply.text("\(progress.cursor)")
    reply.text("failures")
    reply.integer(progress.failures)
    reply.text("last-error")
    reply.optional(progress.lastError.isEmpty ? nil : progress.lastError)
    reply.text("last-error-time")
    show(time: progress.lastErrorTime)
    reply.text("last-success")
    show(time: progress.lastSuccess)
    reply.text("old-secret-until")
    show(time: now < webhook.oldUntil ? webhook.oldUntil : 0)
  }

  private func show(time: Milliseconds) {
    if time > 0 { reply.integer(time) } else { reply.null() }
  }
}
