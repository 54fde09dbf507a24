import GatehouseWire

/// The mails that wait to be sent, those that could not be, and the texts that they are made from.
struct MailPages: ConsolePages {
  static let address = Address("mails")

  var areas: [Area] { [Area("Mails", .server, Self.address, needs: ["mail.handle", "workspace.set"])] }

  private static let states = [("", "All"), ("waiting", "Waiting"), ("leased", "Being sent"), ("dead", "Not sent")]

  func add(to console: ConsoleRouter) {
    console.get("mails") { visit in .page(try await Self.list(visit)) }
    console.post("mails/retry") { visit in
      let reply = try await visit.write("MAIL.RETRY", visit.form["id"])
      let done = reply.integer == 0 ? "It is being sent just now." : "It is sent as soon as the courier asks for it."
      return .redirect(Self.address, await visit.done(reply, done))
    }
    console.get("mails/drop") { visit in
      let id = visit.query["id"]
      let confirmation = Confirmation(
        "Give it up", ["MAIL.DROP", id], to: Address("mails", "drop"), hidden: [("id", id)], cancel: Self.address,
        undo: "It is never sent then.")
      return .page(Page("Give up this mail?", area: Self.address, try await confirmation.blocks(visit)))
    }
    console.post("mails/drop") { visit in
      let reply = try await visit.write("MAIL.DROP", visit.form["id"])
      return .redirect(Self.address, await visit.done(reply, "The mail is given up."))
    }
    console.get("mails/texts") { visit in .page(try await Self.texts(visit)) }
    console.get("mails/text") { visit in .page(try await Self.text(visit, nil)) }
    console.post("mails/text") { visit in try await Self.save(visit) }
    console.post("mails/text/reset") { visit in
      let reply = try await visit.write(["MAIL.TEMPLATE.RESET", visit.form["kind"]] + Self.place(visit.form))
      return .redirect(
        Address("mails", "texts"), await visit.done(reply, "The text of \(visit.form["kind"]) is the standard one."))
    }
  }

  // MARK: Mails

  private static func list(_ visit: Visit) async throws -> Page {
    let state = visit.query["state"]
    let texts: [Button] = [.link("Texts", Address("mails", "texts"))]
    var words = ["MAIL.LIST", "WORKSPACE", visit.workspace, "COUNT", "50"]
    if !state.isEmpty { words += ["STATE", state] }
    if let cursor = visit.query["cursor"].nonEmpty { words += ["CURSOR", cursor] }
    guard let reply = try await visit.readIfAllowed(words) else {
      return Page(
        "Mails", area: address, actions: texts, [.empty("Not yours to see", "You may write the texts of mails.")])
    }
    let page = ListPage(reply)
    var rows: [Table.Row] = []
    for mail in page.items { rows.append(await row(mail, visit)) }
    let here = address.adding("state", state.nonEmpty)
    var table = Table(
      caption: "Mails",
      columns: [
        .init("Kind"), .init("To"), .init("State"), .init("Since"), .init("Tried", isNumeric: true), .init("Why not"),
      ],
      rows: rows, empty: .empty("No mail waits", "What is to be sent is fetched by gatehousectl mail."))
    table.next = page.cursor.map { here.adding("cursor", $0) }
    table.first = visit.query["cursor"].isEmpty ? nil : here
    let tabs = Block.links("State", states.map { ($0.1, address.adding("state", $0.0.nonEmpty), $0.0 == state) })
    return Page(
      "Mails", area: address, intro: [.text("Of \(visit.workspace).")], actions: texts,
      late(page.items, now: visit.now) + [tabs, table.block])
  }

  /// A courier that does not run is noticed here first.
  private static func late(_ mails: [RESPValue], now: Int64) -> [Block] {
    let oldest = mails.filter { $0.shown("state") == "waiting" }.compactMap { $0["created"]?.integer }.min()
    guard let oldest, now - oldest > 600_000 else { return [] }
    return [
      .notice(
        .warn, "Mails have waited for \(Cell.durationText(now - oldest))",
        [
          .text("Does the courier run? "), .code("gatehousectl mail"),
          .text(" fetches and sends them; bound to a workspace, it gets no secrets of the server's administrators."),
        ])
    ]
  }

  private static func row(_ mail: RESPValue, _ visit: Visit) async -> Table.Row {
    let id = mail.shown("id")
    let tone: Cell.Tone = ["waiting": .accent, "dead": .bad][mail.shown("state")] ?? .quiet
    let who = mail.shown("username").nonEmpty ?? "#\(mail.shown("user"))"
    var buttons: [Button] = []
    if await visit.verdict("MAIL.DROP", id).isAllowed {
      buttons = [
        .post("Send now", Address("mails", "retry"), [("id", id)], label: "Send the mail to \(who) now"),
        .link("Give up", Address("mails", "drop").adding("id", id), .danger),
      ]
    }
    return .init(
      [
        [.text(mail.shown("kind"))],
        [.link(who, Address("people", mail.shown("user"))), .text(" "), .muted(mail.shown("to"))],
        [.badge(mail.shown("state"), tone)], [.time(mail["created"]?.integer)], [.value(mail["attempts"])],
        [.value(mail["error"])],
      ], buttons: buttons)
  }

  // MARK: Texts

  private static func texts(_ visit: Visit) async throws -> Page {
    let list = try await visit.read("MAIL.TEMPLATE.LIST", "WORKSPACE", visit.workspace).elements ?? []
    let rows = list.map { text -> Table.Row in
      let there = Address("mails", "text").adding("kind", text.shown("kind")).adding("language", text.shown("language"))
      return .init([
        [.link(text.shown("kind"), there)], [.text(text.shown("language"))], [.text(text.shown("subject"))],
        [text.flag("own") ? .badge("your own", .accent) : .muted("standard")],
      ])
    }
    return Page(
      "Texts of mails", area: address, intro: [.text("Of \(visit.workspace).")],
      [
        Table(
          caption: "Texts", columns: [.init("Kind"), .init("Language"), .init("Subject"), .init("Whose")], rows: rows
        ).block
      ])
  }

  private static func place(_ fields: FormFields) -> [String] {
    ["WORKSPACE", fields["workspace"]] + (fields["language"].isEmpty ? [] : ["LANGUAGE", fields["language"]])
  }

  /// - Parameter failure: why the text of the form was not taken; it is shown again.
  private static func text(
    _ visit: Visit, _ failure: CommandFailure?, preview: RESPValue? = nil
  ) async throws -> Page {
    let isAgain = failure != nil || preview != nil
    let fields = isAgain ? visit.form : visit.query
    let workspace = fields["workspace"].nonEmpty ?? visit.workspace
    let (kind, language) = (fields["kind"], fields["language"])
    let place = ["WORKSPACE", workspace] + (language.isEmpty ? [] : ["LANGUAGE", language])
    let now = try await visit.read(["MAIL.TEMPLATE.GET", kind] + place)
    let (subject, text) =
      isAgain ? (fields["subject"], fields.raw("text")) : (now.shown("subject"), now.shown("text"))
    let shown =
      if let preview { preview } else {
        try await visit.readIfAllowed(["MAIL.TEMPLATE.PREVIEW", kind] + place)
      }
    var blocks: [Block] = []
    let hidden = [("kind", kind), ("workspace", workspace)]
    if await visit.verdict(["MAIL.TEMPLATE.SET", kind, now.shown("subject"), now.shown("text")] + place).isAllowed {
      var form = Form(
        Address("mails", "text"),
        fields: [
          Field("language", "Language", value: language, hint: "Such as en or cs.", required: true),
          Field("subject", "Subject", value: subject, required: true),
          Field(
            "text", "Text", .longText, value: text,
            hint: "{{name}}, {{username}}, {{secret}} and the like are filled in.", required: true),
          Field("try", "Only show what it would look like", .checkbox(isOn: false)),
          Field("reason", "Reason", value: visit.form["reason"], hint: "Recorded in the trail."),
        ], submit: "Save the text", cancel: Address("mails", "texts"))
      form.hidden = hidden.map { (name: $0.0, value: $0.1) }
      blocks.append(.section("Text", [form.block]))
      if now.flag("own") {
        let fields = hidden + [("language", now.shown("language"))]
        blocks.append(
          .buttons([
            .post(
              "Back to the standard text", Address("mails", "text", "reset"), fields.map { (name: $0.0, value: $0.1) },
              .danger)
          ]))
      }
    } else {
      blocks.append(.section("Text", [.code("Subject", subject), .code("Text", text)]))
    }
    if let shown {
      blocks.append(
        .section(
          "What it looks like", id: "preview",
          [.code("Subject of the mail", shown.shown("subject")), .code("Mail", shown.shown("text"))]))
    }
    return Page("The mail \(kind)", area: address, intro: [.text("Of \(workspace).")], failure: failure, blocks)
  }

  private static func save(_ visit: Visit) async throws -> Outcome {
    let form = visit.form
    do {
      if form["try"] == "1" {
        let preview = try await visit.read(
          ["MAIL.TEMPLATE.PREVIEW", form["kind"], "SUBJECT", form["subject"], "TEXT", form.raw("text").withoutReturns]
            + place(form))
        return .page(try await text(visit, nil, preview: preview))
      }
      let reply = try await visit.write(
        ["MAIL.TEMPLATE.SET", form["kind"], form["subject"], form.raw("text").withoutReturns] + place(form))
      return .redirect(
        Address("mails", "texts"), await visit.done(reply, "The text of \(form["kind"]) is saved."))
    } catch let failure as CommandFailure where !failure.isPassing {
      return .page(try await text(visit, failure))
    }
  }
}

extension String {
  /// Browsers send line ends as two characters.
  fileprivate var withoutReturns: String { replacing("\r\n", with: "\n") }
}
