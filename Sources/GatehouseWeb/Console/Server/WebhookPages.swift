import GatehouseWire

/// Webhooks: where the feed is pushed to, how far each has got, and what went wrong.
struct WebhookPages: ConsolePages {
  static let address = Address("webhooks")

  var areas: [Area] { [Area("Webhooks", .server, Self.address, needs: ["feed.read"])] }

  func add(to console: ConsoleRouter) {
    console.get("webhooks") { visit in .page(try await Self.list(visit, nil)) }
    console.post("webhooks") { visit in
      let form = visit.form
      let types = form["types"].split(whereSeparator: { $0 == "," || $0.isWhitespace }).flatMap {
        ["TYPE", String($0)]
      }
      do {
        let made = try await visit.write(
          ["WEBHOOK.CREATE", form["name"], form["url"]] + types + Self.option(form["workspace"]))
        return .page(Self.secret(of: form["name"], made))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await Self.list(visit, failure))
      }
    }
    for (path, command, done) in [
      ("pause", "WEBHOOK.PAUSE", "is paused; what happens waits"), ("resume", "WEBHOOK.RESUME", "goes on"),
      ("retry", "WEBHOOK.RETRY", "is tried again at once"),
    ] {
      console.post("webhooks/" + path) { visit in
        let name = visit.form["name"]
        let reply = try await visit.write([command, name] + Self.option(visit.form["workspace"]))
        return .redirect(Self.address, await visit.done(reply, "\(name) \(done)."))
      }
    }
    console.post("webhooks/rotate") { visit in
      let name = visit.form["name"]
      let made = try await visit.write(
        ["WEBHOOK.ROTATE", name, "OVERLAP", "1d"] + Self.option(visit.form["workspace"]))
      return .page(Self.secret(of: name, made, isNew: true))
    }
    console.get("webhooks/delete") { visit in
      let (name, place) = (visit.query["name"], visit.query["workspace"])
      let confirmation = Confirmation(
        "Delete the webhook", ["WEBHOOK.DELETE", name] + Self.option(place), to: Address("webhooks", "delete"),
        hidden: [("name", name), ("workspace", place)], cancel: Self.address,
        undo: "It cannot be taken back; a new one has another secret.")
      return .page(Page("Delete the webhook \(name)?", area: Self.address, try await confirmation.blocks(visit)))
    }
    console.post("webhooks/delete") { visit in
      let reply = try await visit.write(["WEBHOOK.DELETE", visit.form["name"]] + Self.option(visit.form["workspace"]))
      return .redirect(Self.address, await visit.done(reply, "The webhook \(visit.form["name"]) is gone."))
    }
  }

  /// - Parameter place: a workspace; empty for the whole server.
  private static func option(_ place: String) -> [String] { place.isEmpty ? [] : ["WORKSPACE", place] }

  private static func secret(of name: String, _ made: RESPValue, isNew: Bool = false) -> Page {
    Page(
      "The secret of \(name)", area: address,
      [
        .notice(
          .warn, "It is shown this once",
          [.text("The receiver checks the signatures with it." + (isNew ? " The old one signs, too, for a day." : ""))]),
        .code("Secret", made.shown("secret").nonEmpty ?? "it was shown when this form was sent first"),
        .buttons([.link("Webhooks", address)]),
      ])
  }

  private static func list(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let hooks = try await visit.read("WEBHOOK.LIST", "WORKSPACE", visit.workspace).elements ?? []
    var blocks = [await table(hooks, of: visit.workspace, visit)]
    if await visit.holdsEverywhere("feed.read") {
      let all = try await visit.read("WEBHOOK.LIST").elements ?? []
      let hooks = all.filter { $0.shown("workspace").isEmpty }
      if !hooks.isEmpty {
        blocks.append(.section("Of the whole server", [await table(hooks, of: "", visit)]))
      }
    }
    let form = visit.form
    if await visit.holds("security.set", overAllOf: visit.workspace) {
      let places = [Field.Option(visit.workspace, "In \(visit.workspace)"), Field.Option("", "On the whole server")]
      let place = Field(
        "workspace", "What happens", .choice(places), value: visit.isForm ? form["workspace"] : visit.workspace)
      let isEverywhere = await visit.holdsEverywhere("security.set")
      let block = Form(
        address, layout: .grid,
        fields: (isEverywhere ? [place] : []) + [
          Field("name", "Name", value: form["name"], required: true),
          Field("url", "Address", value: form["url"], hint: "https://…", required: true),
          Field(
            "types", "Only these kinds of changes", value: form["types"],
            hint: "Such as user-created status-set; empty for all."),
          Field("reason", "Reason", value: form["reason"], hint: "Recorded in the trail."),
        ], hidden: isEverywhere ? [] : [("workspace", visit.workspace)], submit: "Add the webhook")
      blocks.append(.section("Add a webhook", note: "It begins with what happens from now on.", [block.block]))
    }
    return Page(
      "Webhooks", area: address, intro: [.text("What happens in \(visit.workspace), pushed to other programs.")],
      failure: failure, blocks)
  }

  /// - Parameter place: a workspace; empty for the whole server.
  private static func table(_ hooks: [RESPValue], of place: String, _ visit: Visit) async -> Block {
    var rows: [Table.Row] = []
    for hook in hooks { rows.append(await row(hook, of: place, visit)) }
    return Table(
      caption: "Webhooks of \(place.isEmpty ? "the whole server" : place)",
      columns: [
        .init("Webhook"), .init("Gets"), .init("State"), .init("Through record", isNumeric: true),
        .init("Last error"),
      ],
      rows: rows, empty: .empty("No webhook yet", "A webhook gets what happens here, in order, each time signed.")
    ).block
  }

  private static func row(_ hook: RESPValue, of place: String, _ visit: Visit) async -> Table.Row {
    let name = hook.shown("name")
    let fields = [(name: "name", value: name), (name: "workspace", value: place)]
    let state = hook.shown("state")
    var buttons: [Button] = []
    if await visit.verdict(["WEBHOOK.PAUSE", name] + option(place)).isAllowed {
      func post(_ text: String, _ path: String) -> Button {
        .post(text, Address("webhooks", path), fields, label: "\(text) \(name)")
      }
      buttons = [
        state == "paused" ? post("Resume", "resume") : post("Pause", "pause"), post("Try now", "retry"),
        post("New secret", "rotate"), .link("Delete", Address("webhooks", "delete").adding(fields), .danger),
      ]
    }
    return .init(
      [
        [.strong(name), .text(" "), .muted(hook.shown("url"))], [.text(hook.shown("types").nonEmpty ?? "everything")],
        [.badge(state, state == "active" ? .good : .warn)], [.value(hook["cursor"])], [.value(hook["last-error"])],
      ], buttons: buttons)
  }
}
