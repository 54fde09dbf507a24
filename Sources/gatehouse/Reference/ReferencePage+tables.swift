import GatehouseCore
import GatehouseWire

/// The tables at the end of the page.
extension ReferencePage {
  private static func table(_ title: String, _ introduction: String, _ head: [String], _ rows: [[String]]) -> String {
    var text = "## \(title)\n\n"
    if !introduction.isEmpty { text += "\(introduction)\n\n" }
    for row in [head, head.map { _ in "---" }] + rows { text += "| \(row.joined(separator: " | ")) |\n" }
    return text
  }

  private static func code(_ text: String) -> String { text.isEmpty ? "" : "`\(text)`" }

  private static func list(_ names: [String]) -> String { names.map(code).joined(separator: ", ") }

  static var words: String {
    table(
      "Words", "The words for a status, a role or a field, and the reasons that may follow `DENY`.",
      ["what", "words"],
      [
        ["status of a user who may log in", list(Status.allCases.filter(\.mayLogIn).map { "\($0.name)" })],
        ["other status", list(Status.allCases.filter { !$0.mayLogIn }.map { "\($0.name)" })],
        ["role", list(Role.builtIn.map(\.name))],
        ["field of the contact", list(ContactField.allCases.map(\.name))],
        ["field of the user", list(UserField.allCases.map(\.name))],
        ["refused login, in the order of the rules", list(LoginDenial.rules.map { "\($0.reason)" })],
      ])
  }

  static var errors: String {
    table(
      "Errors",
      "The first word of an error is its code. A refused login is not an error: it is the answer.",
      ["code", "meaning"], Refusal.Code.allCases.map { [code($0.rawValue), $0.meaning] })
  }

  static var policies: String {
    table(
      "Policies",
      "What products of different vendors decide differently is a setting of the workspace:\n"
        + "`WORKSPACE.SET workspace policy.NAME value`. Spans of time are shown in milliseconds.",
      ["policy", "default", "value", "what it is"],
      Policies.all.map {
        [code($0.name), code(Policies.show($0.standard)), Policies.expectation(for: $0), $0.summary]
      })
  }

  static var profiles: String {
    table(
      "Profiles",
      "A profile sets all policies at once, to those of the product that it is named after: `WORKSPACE.CREATE workspace\n"
        + "PROFILE name`, or `WORKSPACE.SET workspace profile name`. Policies not listed get their default; the\n"
        + "time zone is not changed.",
      ["profile", "policies"],
      Policies.profiles.sorted { $0.key < $1.key }.map { name, values in
        [code(name), list(values.map { "\($0.name) \($0.value)" })]
      })
  }

  private static func shared(_ limit: TableLimit) -> String { "\(limit.ofWorkspace), \(limit.ofAll)" }

  static var limits: String {
    let wire = WireLimits.standard
    let rows: [(String, String)] = [
      ("bytes of a username", "\(Limits.usernameBytes)"),
      ("bytes of the name of a workspace, product, licence type or service", "\(Limits.nameBytes)"),
      ("bytes of a field of a person", "\(Limits.fieldBytes)"),
      ("bytes of a reason", "\(Limits.reasonBytes)"),
      ("bytes of a project", "\(Limits.projectBytes)"),
      ("bytes of any other text", "\(Limits.textBytes)"),
      ("bytes of an `IDEM` key", "\(Limits.idempotencyKeyBytes)"),
      ("milliseconds for which an `IDEM` key is remembered", "\(Limits.idempotencyLife)"),
      ("workspaces", "\(Limits.workspaces)"),
      ("products of a workspace, and of all", "\(Limits.productShare.ofWorkspace), \(Limits.products)"),
      ("pools of a product", "\(Limits.poolsOfProduct)"),
      ("seats of a pool", "\(Limits.seatsMost)"),
      ("services", "\(Limits.services)"),
      ("workspaces that a service is bound to", "\(Limits.workspacesOfService)"),
      ("products that a service is bound to", "\(Limits.productsOfService)"),
      ("active API keys of a user", "\(Limits.activeKeysOfUser)"),
      ("API keys of a user that are remembered, ended ones included", "\(Limits.keysOfUser)"),
      ("roles of a workspace, and of those that can be granted anywhere", "\(Limits.rolesOfWorkspace)"),
      ("names of those roles, dropped ones included", "\(Limits.roleNames.ofWorkspace)"),
      ("names of roles of all workspaces, dropped ones included", "\(Limits.roleNames.ofAll)"),
      ("fields of a workspace that there ever were", "\(Limits.fieldNumbers.ofWorkspace)"),
      ("accounts of a workspace, and of all, deleted ones included", shared(Limits.accounts)),
      ("account groups of a workspace, and of all, deleted ones included", shared(Limits.groups)),
      ("webhooks of a workspace, and of all", shared(Limits.webhooks)),
      ("people who lose a role, or sessions that end by a setting, in one record", "\(Limits.lossesOfRecord)"),
      ("logins that `DRYRUN` lists", "\(Limits.loginsOfDryRun)"),
      ("products of a user", "\(Limits.productsOfUser)"),
      ("roles of a user", "\(Limits.grantsOfUser)"),
      ("workspaces of a user", "\(Limits.membershipsOfUser)"),
      ("sessions of a user", "\(Limits.sessionsOfUser)"),
      ("impersonations that one login has begun", "\(Limits.impersonationsOfSession)"),
      ("mails of a partition that wait to be sent", "\(Limits.mailsOfPartition)"),
      ("… of them of one workspace", "\(Limits.mailsOfWorkspace)"),
      ("dead letters of a partition", "\(Limits.deadMailsOfPartition)"),
      ("attempts to send a mail", "\(Limits.mailAttempts)"),
      ("milliseconds for which a mail is worth sending", "\(Limits.mailLife)"),
      ("milliseconds for which a dead letter is kept", "\(Limits.deadMailLife)"),
      ("mails of one `MAIL.NEXT`", "\(Limits.mailsOfLease)"),
      ("templates of a workspace, and of all", shared(Limits.templates)),
      ("bytes of a subject, and of the text of a template", "\(Limits.subjectBytes), \(Limits.templateBytes)"),
      ("items of one `FEED.READ`", "\(Limits.feedMost)"),
      ("readers that wait for the feed", "\(Limits.feedReaders)"),
      ("answers that a partition remembers for `IDEM`", "\(Limits.answersOfPartition)"),
      ("… of them of one service", "\(Limits.answersOfService)"),
      ("versions of an entry", "\(Limits.entryVersions)"),
      ("items of a list, where `COUNT` is not given", "\(Limits.listDefault)"),
      ("items of a list", "\(Limits.listMost)"),
      ("conditions of a list", "\(Limits.conditionsOfList)"),
      ("bytes of a pattern", "\(Limits.patternBytes)"),
      ("patterns of `CONFIG GET`", "\(Limits.patterns)"),
      ("milliseconds that a time of a timer may lie ahead", "\(Limits.futureTolerance)"),
      ("latest time", TimeText.text(of: Limits.latestTime)),
      ("bytes of a line", "\(wire.inlineBytes)"),
      ("words of a request", "\(wire.words)"),
      ("bytes of a word", "\(wire.wordBytes)"),
      ("bytes of a request", "\(wire.requestBytes)"),
      ("commands of a transaction", "\(wire.transactionCommands)"),
      ("bytes of a transaction", "\(wire.transactionBytes)"),
      ("bytes of the replies of a transaction", "\(wire.transactionReplyBytes)"),
      ("rows that lists and counts in a transaction look at", "\(Limits.rowsOfTransaction)"),
    ]
    return table("Limits", "", ["at most", ""], rows.map { [$0.0, $0.1] })
  }
}
