extension CommandTable {
  private static let forSome: Need = .permissions([.workspaceSet, .securitySet], over: .namedWorkspace)
  private static let rule =
    ". The text of a kind that carries a secret or reports an act ("
    + Mail.Kind.allCases.filter(\.isAboutSecurity).map { "`\($0.name)`" }.joined(separator: ", ")
    + ") needs `security.set`, any other `workspace.set`; that of one that carries a secret, a super administrator or the"
    + " owner, and in `main` one who is it everywhere. Not while impersonating, and not with an API key"
  private static let whose: [Argument] = [.option("WORKSPACE", "workspace"), .option("LANGUAGE", "language")]

  static let mailTemplateCommands: [CommandSpec] = [
    CommandSpec(
      "MAIL.TEMPLATE.SET", .mail, "Write a workspace's own text for a kind of mail, in a language",
      [.word("kind"), .word("subject"), .word("text")] + whose,
      reply: "`OK`; `{{name}}` and the like are filled in: \(MailTemplate.placeholders.joined(separator: ", "))."
        + " Without `LANGUAGE` it is the workspace's, the policy `mail.language`" + rule,
      effect: .write, rights: .admin, needs: forSome, route: .directory,
      ownLogin: .mails, body: .decide(setTemplate)),
    CommandSpec(
      "MAIL.TEMPLATE.RESET", .mail, "Go back to the standard text for a kind of mail, in a language",
      [.word("kind")] + whose, reply: "1, or 0 where the workspace has no text of its own" + rule, effect: .write,
      rights: .admin, needs: forSome, route: .directory,
      ownLogin: .mails, body: .decide(resetTemplate)),
    CommandSpec(
      "MAIL.TEMPLATE.GET", .mail, "The text that a kind of mail is made from", [.word("kind")] + whose,
      reply:
        "a map `kind, language, own, subject, text`: the text that somebody of this language gets; `language` is the"
        + " one it is in, `own` whether the workspace has written it",
      rights: .mail, needs: .permissions([.workspaceSet, .mailHandle], over: .namedWorkspace), route: .directory,
      body: .decide(getTemplate)),
    CommandSpec(
      "MAIL.TEMPLATE.LIST", .mail, "The kinds of mails, and in which languages there are texts for each",
      [.option("WORKSPACE", "workspace")], reply: "an array of maps `kind, language, own, subject`", rights: .mail,
      needs: .permissions([.workspaceSet, .mailHandle], over: .namedWorkspace), route: .directory,
      body: .decide(listTemplates)),
    CommandSpec(
      "MAIL.TEMPLATE.PREVIEW", .mail, "What a kind of mail would look like",
      [.word("kind"), .option("SUBJECT", "text"), .option("TEXT", "text")] + whose,
      reply:
        "a map `kind, language, subject, text`, with made-up people and facts; `SUBJECT` and `TEXT` try a text before it"
        + " is set",
      rights: .mail, needs: .permissions([.workspaceSet, .mailHandle], over: .namedWorkspace), route: .directory,
      body: .decide(preview)),
  ]

  // MARK: Writing

  @Sendable private static func setTemplate(_ turn: Turn) throws(Halt) {
    _ = try turn.directoryState()
    let key = try turn.templateKey()
    try turn.requireWriting(key)
    let new = MailTemplate(
      subject: try turn.text(2, "subject", limit: Limits.subjectBytes),
      body: try turn.text(3, "text", limit: Limits.templateBytes))
    try check(new)
    try checkSecret(new, key.kind)
    let old = turn.directory.ownTemplate(key.kind, of: key.workspace, in: key.language)
    turn.read(turn.directory.lsn)
    turn.reply.ok()
    guard old != new else { return }
    if old == nil {
      try Limits.templates.check(
        "templates", ofWorkspace: turn.directory.ownTemplates(of: key.workspace).count,
        ofAll: turn.directory.templateCount)
    }
    turn.emit(MailTemplateSet(key.workspace, key.kind, key.language, old: old, new: new))
  }

  private static func check(_ template: MailTemplate) throws(Halt) {
    guard !EntityNames.isBlank(template.subject), !template.subject.contains(where: \.isNewline) else {
      throw .refused(.syntax("subject must be one line that can be seen"))
    }
    guard !EntityNames.isBlank(template.body) else { throw .refused(.syntax("text is empty")) }
    let faults = MailTemplate.faults(in: template.subject) + MailTemplate.faults(in: template.body)
    guard faults.isEmpty else {
      throw .refused(
        .syntax(
          "\(faults.prefix(5).joined(separator: ", ")); there are"
            + " \(MailTemplate.placeholders.map { "{{\($0)}}" }.joined(separator: ", "))"))
    }
    let texts = [template.subject, template.body]
    let count = texts.reduce(0) { $0 + MailTemplate.placeholderCount(in: $1) }
    guard count <= Limits.placeholdersOfTemplate else {
      throw .refused(.limit("placeholders: \(count) of at most \(Limits.placeholdersOfTemplate) in a template"))
    }
    let bytes = MailTemplate.mostBytes(of: template.body)
    guard bytes <= Limits.mailTextBytes else {
      throw .refused(
        .limit(
          "text: with everything filled in it could have \(bytes) bytes, and a mail has at most"
            + " \(Limits.mailTextBytes); use {{message}} and the like less often"))
    }
  }

  /// A mail that carries a secret is of no use without it, and no other has one to tell.
  private static func checkSecret(_ template: MailTemplate, _ kind: Mail.Kind) throws(Halt) {
    let mark = "{{\(MailTemplate.secret)}}"
    guard !MailTemplate.names(MailTemplate.secret, in: template.subject) else {
      throw .refused(.syntax("subject has \(mark), which others see; put it into the text"))
    }
    let isThere = MailTemplate.names(MailTemplate.secret, in: template.body)
    if kind.carriesSecret, !isThere {
      throw .refused(
        .syntax("text lacks \(mark), without which nobody can use a mail of the kind \(kind.name); put it in"))
    }
    if !kind.carriesSecret, isThere {
      throw .refused(.syntax("text has \(mark), but a mail of the kind \(kind.name) carries no secret; leave it out"))
    }
  }

  @Sendable private static func resetTemplate(_ turn: Turn) throws(Halt) {
    _ = try turn.directoryState()
    let key = try turn.templateKey()
    try turn.requireWriting(key)
    let old = turn.directory.ownTemplate(key.kind, of: key.workspace, in: key.language)
    turn.read(turn.directory.lsn)
    turn.reply.flag(old != nil)
    if old != nil { turn.emit(MailTemplateSet(key.workspace, key.kind, key.language, old: old, new: nil)) }
  }

  // MARK: Reading

  @Sendable private static func getTemplate(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let key = try turn.templateKey()
    let found = turn.directory.template(key.kind, of: key.workspace, in: key.language)
    turn.reply.map(5)
    turn.reply.begin(key.kind, found.language, isOwn: found.isOwn, subject: found.template.subject)
    turn.reply.text("text")
    turn.reply.text(found.template.body)
  }

  @Sendable private static func listTemplates(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let workspace = try turn.workspace().id
    let own = turn.directory.ownTemplates(of: workspace)
    var rows: [(kind: Mail.Kind, language: String, isOwn: Bool)] = []
    for kind in Mail.Kind.allCases {
      let written = Set(own.filter { $0.kind == kind }.map(\.language))
      for language in written.union(MailTemplate.standardLanguages).sorted() {
        rows.append((kind, language, written.contains(language)))
      }
    }
    turn.reply.array(rows.count)
    for row in rows {
      let template = turn.directory.template(row.kind, of: workspace, in: row.language).template
      turn.reply.map(4)
      turn.reply.begin(row.kind, row.language, isOwn: row.isOwn, subject: template.subject)
    }
  }

  @Sendable private static func preview(_ turn: Turn) throws(Halt) {
    turn.read(turn.directory.lsn)
    let key = try turn.templateKey()
    let found = turn.directory.template(key.kind, of: key.workspace, in: key.language)
    let template = MailTemplate(
      subject: try turn.option("SUBJECT", limit: Limits.subjectBytes) ?? found.template.subject,
      body: try turn.option("TEXT", limit: Limits.templateBytes) ?? found.template.body)
    try check(template)
    let workspace = turn.directory.workspace(key.workspace).name
    let text = template.filled { placeholder in
      switch placeholder {
      case "name": "Ana Nová"
      case "username", "new-username": "ana@acme.test"
      case "old-username": "ana.stara@acme.test"
      case "email": "ana@acme.test"
      case "workspace": workspace
      case "actor": "tom@acme.test"
      case "start": TimeText.text(of: turn.now)
      case "end": TimeText.text(of: turn.now + 900_000)
      default: "(\(placeholder))"
      }
    }
    turn.reply.map(4)
    turn.reply.begin(key.kind, found.language, isOwn: nil, subject: text.subject)
    turn.reply.text("text")
    turn.reply.text(text.body)
  }
}

extension Reply {
  /// What the maps of templates begin with.
  /// - Parameter isOwn: whether the workspace has written it; nil where that is not shown.
  fileprivate mutating func begin(_ kind: Mail.Kind, _ language: String, isOwn: Bool?, subject: String) {
    text("kind")
    text(kind.name)
    text("language")
    text(language)
    if let isOwn {
      text("own")
      flag(isOwn)
    }
    text("subject")
    text(subject)
  }
}

extension Turn {
  /// Whether the caller may say how mails of a kind read.
  ///
  /// A link with the secret in it sends whoever clicks to where the writer wants, and the secret with them: so whoever writes
  /// such a text can take over all who get it. Only super administrators manage super administrators (L10), and those of
  /// the whole server get their mails from `main`.
  fileprivate func requireWriting(_ key: TemplateTable.Key) throws(Halt) {
    guard isLimited else { return }
    try require(key.kind.isAboutSecurity ? .securitySet : .workspaceSet, over: .workspace(key.workspace))
    guard key.kind.carriesSecret else { return }
    let site: Site = key.workspace == mainWorkspace ? .server : .workspace(key.workspace)
    guard sides.allSatisfy({ $0.isSupreme(over: site) }) else {
      let scope = key.workspace == mainWorkspace ? " everywhere" : ""
      throw .refused(
        .noPermission(
          "the role super-administrator\(scope), to write the text of \(key.kind.name): its secret lets whoever gets it log in"
            + " as its recipient, super administrators among them"))
    }
    // B13: it is another way to somebody's password.
    noteUse([.credentialSet], over: Target(.workspace(key.workspace)))
  }

  /// What a command names: the kind at word 1, `WORKSPACE`, and `LANGUAGE` or the workspace's.
  fileprivate func templateKey() throws(Halt) -> TemplateTable.Key {
    let kind = try Turn.mailKind(try text(1, "kind", limit: Limits.nameBytes))
    let workspace = try workspace()
    guard let text = try option("LANGUAGE") else {
      return TemplateTable.Key(workspace: workspace.id, kind: kind, language: workspace.policies.language)
    }
    guard let language = Language.named(text) else {
      throw .refused(.syntax("LANGUAGE is not a language tag, such as en or pt-br"))
    }
    return TemplateTable.Key(workspace: workspace.id, kind: kind, language: language)
  }
}
