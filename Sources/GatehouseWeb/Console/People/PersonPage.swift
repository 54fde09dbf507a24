import GatehouseWire

/// All that is known of somebody, and what can be done about it: each button is there only if the server would do it.
struct PersonPage {
  let visit: Visit
  let person: Person

  func page() async throws -> Page {
    var main = [try await card(), access(await accessRows())]
    for section in [
      try await roles(), await MembershipPages.section(visit, person), try await EmploymentPages.section(visit, person),
      try await ManagedPages.section(visit, person),
      try await SignInCarePages.section(visit, person), try await sessions(), try await keys(), try await time(),
      try await LinkPages.section(visit, person),
    ] { if let section { main.append(section) } }
    var side: [Block] = []
    if let trail = try await trail() { side.append(trail) }
    side += await endings()
    return Page(
      person.name, area: PeoplePages.address,
      intro: [
        .text(person.username), .text(" · "), .status(person.status), .text(" · "), .muted("home "),
        .text(person.card.shown("home")),
      ],
      actions: await actions(), side.isEmpty ? main : [.columns(main: main, side: side)])
  }

  // MARK: What can be done

  private func actions() async -> [Button] {
    guard !person.isDeleted else { return [] }
    var buttons: [Button?] = []
    // L10: of their own card, people may change some fields only.
    var edit = await visit.verdict("USER.SET", person.word, "department", person.card.shown("department"))
    if case .forbidden = edit {
      edit = await visit.verdict("USER.SET", person.word, "phone", person.card.shown("phone"))
    }
    buttons.append(.asked(edit, .link("Edit", person.address("edit"), .primary), "Edit"))
    // To a name that nobody has.
    let rename = await visit.mayBegin(["USER.RENAME", person.word, FormToken.random()])
    buttons.append(.asked(rename, .link("Rename", person.address("rename")), "Rename"))
    if person.status == "locked" {
      buttons.append(
        .asked(await visit.verdict("LOGIN.UNLOCK", person.word), .post("Unlock", person.address("unlock")), "Unlock"))
    }
    for (status, text) in [("active", "Activate"), ("inactive", "Deactivate")]
    where status != person.status && person.status != "locked" {
      let verdict = await visit.verdict("USER.STATUS", person.word, status)
      buttons.append(
        .asked(verdict, .link(text, person.address("status").adding("to", status)), text))
    }
    let other = await visit.verdict("USER.STATUS", person.word, "pending")
    if other.isAllowed { buttons.append(.link("Other status", person.address("status"))) }
    if visit.person.actor == nil, await visit.holds("impersonate") {
      buttons.append(
        .asked(
          await ImpersonationPages.verdict(of: person, visit), .link("Log in as", person.address("log-in-as")),
          "Log in as"))
    }
    if await visit.holds("user.read") {
      buttons.append(.link("Why can't they log in?", WhyPages.address.adding("user", person.username)))
    }
    buttons.append(
      .asked(
        await visit.verdict("USER.INVITE", person.word), .post("Invite again", person.address("invite")), "Invite again"
      ))
    buttons.append(
      .asked(
        await visit.verdict("PASSWORD.GENERATE", person.word), .link("Mail a new password", person.address("password")),
        "Mail a new password"))
    return buttons.compactMap { $0 }
  }

  /// The ways out, and back.
  private func endings() async -> [Block] {
    // A change of the bill is accepted on the page that follows.
    var buttons: [Button?] = []
    if person.isDeleted {
      buttons = [
        .asked(
          await visit.verdict("USER.RESTORE", person.contact, "NOINVITE", "ACCEPT-BILLING"),
          .link("Restore", person.address("restore")),
          "Restore"),
        .asked(
          await visit.verdict("USER.PURGE", person.word), .link("Purge", person.address("purge"), .danger), "Purge"),
      ]
    } else {
      buttons = [
        .asked(
          await visit.verdict("USER.DELETE", person.word, "REASON", "trial", "ACCEPT-BILLING"),
          .link("Delete the login", person.address("delete"), .danger), "Delete the login")
      ]
      if await visit.holds("user.merge", overAllOf: person.card.shown("home")) {
        buttons.append(.link("Merge with another", person.address("merge")))
      }
    }
    buttons.append(
      .asked(
        await visit.verdict("USER.ANONYMISE", person.word), .link("Anonymise", person.address("anonymise"), .danger),
        "Anonymise"))
    let shown = buttons.compactMap { $0 }
    guard !shown.isEmpty else { return [] }
    return [
      .section("Leaving", note: "Each of these first shows what it would change.", [.buttons(shown)])
    ]
  }

  // MARK: Who it is

  private func card() async throws -> Block {
    let card = person.card
    var facts: [(name: String, cells: [Cell])] = [("Username", [.text(person.username)])]
    for field in PersonFields.contact where !card.shown(field.name).isEmpty {
      facts.append((field.label, [.text(card.shown(field.name))]))
    }
    for field in PersonFields.user where !["", "0"].contains(card.shown(field.name)) {
      facts.append((field.label, [.text(card.shown(field.name) == "1" ? "yes" : card.shown(field.name))]))
    }
    for pair in card["fields"]?.pairs ?? [] where !pair.value.shown.isEmpty {
      facts.append((pair.key.shown, [.text(pair.value.shown)]))
    }
    facts += [
      ("Account", [.value(card["account"])]), ("Groups", [.text(card.shown("groups"))]),
      ("Workspaces", [.text(card.shown("workspaces"))]),
      ("Created", [.time(card["created"]?.integer)]), ("Last login", [.time(card["last-login"]?.integer)]),
      ("Version", [.value(card["version"])]), ("Id", [.text("user #\(person.id), contact \(person.contact)")]),
    ]
    return .section(
      "Card", id: "card", [.facts(facts.filter { !($0.name == "Groups" && card.shown("groups").isEmpty) })])
  }

  // MARK: What they may use

  private func accessRows() async -> [Table.Row] {
    var rows: [Table.Row] = []
    for product in (person.card["products"]?.elements ?? []).prefix(100) {
      let name = product.shown("product")
      let isOn = product.flag("enabled")
      var buttons: [Button?] = []
      if !person.isDeleted {
        buttons.append(.link(isOn ? "Change" : "Let in", person.address("access").adding("product", name)))
        let verdict =
          isOn
          ? await visit.verdict("PRODUCT.DISABLE", person.word, name)
          : await visit.verdict("PRODUCT.ENABLE", person.word, name)
        // Of somebody out of reach neither is there.
        if case .forbidden = verdict {
          buttons = []
        } else if isOn {
          buttons.append(await LicencePages.button(visit, person, product))
          buttons.append(
            .asked(
              verdict,
              .link("Keep out", person.address("access-end").adding("product", name), .danger), "Keep out"))
        }
      }
      let until: [Cell] =
        [
          product["from"]?.integer.map { [.muted("from "), .time($0), .text(" ")] } ?? [],
          product["until"]?.integer.map { [.muted("until "), .time($0)] } ?? [],
        ].flatMap { $0 }
      rows.append(
        .init(
          [
            [.strong(name)],
            [isOn ? .badge(product.flag("admin") ? "administrator" : "enabled", .good) : .badge("out", .quiet)],
            await licence(in: product), until,
          ], buttons: buttons.compactMap { $0 }))
    }
    return rows
  }

  /// The licence of a product, or that one is missing.
  private func licence(in product: RESPValue) async -> [Cell] {
    guard product.shown("licence").isEmpty, product.flag("enabled"), !person.isDeleted,
      await visit.lacksLicence(person.word, product.shown("product"))
    else { return [.value(product["licence"])] }
    return [.badge("none, but needed", .warn)]
  }

  private func access(_ rows: [Table.Row]) -> Block {
    .section(
      "Products", id: "access",
      [
        Table(
          caption: "Products",
          columns: [.init("Product"), .init("Access"), .init("Licence"), .init("For")], rows: rows,
          empty: .text(.muted("No product of the workspaces that you may see."))
        ).block
      ])
  }

  private func roles() async throws -> Block? {
    guard let roles = try await visit.readIfAllowed("ROLE.LIST", person.word)?.elements else { return nil }
    var rows: [Table.Row] = []
    for role in roles {
      let words = ["ROLE.REVOKE", person.word, role.shown("role")] + RoleScope.words(role.shown("scope"))
      let verdict = await visit.verdict(words)
      let hidden = [("role", role.shown("role")), ("scope", role.shown("scope"))]
      let button = Button.asked(
        verdict, .link("Revoke", person.address("role-revoke").adding(hidden), label: "Revoke \(role.shown("role"))"),
        "Revoke")
      rows.append(
        .init(
          [
            [.strong(role.shown("role"))] + (role.flag("main") ? [.text(" "), .badge("main", .quiet)] : []),
            [.text(role.shown("scope"))], [.time(role["from"]?.integer)], [.time(role["until"]?.integer)],
          ], buttons: button.map { [$0] } ?? []))
    }
    let grant = await grantButton()
    let actions = grant.map { $0.isRefused ? [$0] : [$0, CopyAccessPages.button(person)] } ?? []
    return .section(
      "Roles", id: "roles", actions: actions,
      [
        Table(
          caption: "Roles", columns: [.init("Role"), .init("Where"), .init("From"), .init("Until")], rows: rows,
          empty: .text(.muted("No role: the person has their own record, time and sessions."))
        ).block
      ])
  }

  /// Which role and where is for the form; rules that refuse any, such as those of an impersonation, are told here.
  private func grantButton() async -> Button? {
    guard !person.isDeleted, await visit.holds("role.grant") else { return nil }
    let (text, form) = ("Grant a role", person.address("role"))
    let verdict = await visit.mayBegin(
      ["ROLE.GRANT", person.word, "manager", "WORKSPACE", person.card.shown("home").nonEmpty ?? visit.workspace])
    if case .refused(let failure) = verdict { return .refused(text, failure.detail) }
    return .link(text, form)
  }

  // MARK: How they get in

  private func sessions() async throws -> Block? {
    guard let list = try await visit.readIfAllowed("SESSION.LIST", person.word)?.elements else { return nil }
    var rows: [Table.Row] = []
    for session in list.prefix(50) {
      let id = session.shown("id")
      let verdict = await visit.verdict("SESSION.REVOKE", id)
      let end = Button.asked(
        verdict, .link("End", person.address("session-end").adding("session", id), label: "End session \(id)"), "End")
      let acting = session.shown("actor")
      rows.append(
        .init(
          [
            [.text(session.shown("product"))] + (acting.isEmpty ? [] : [.text(" "), .badge("by \(acting)", .warn)]),
            [.time(session["created"]?.integer)], [.time(session["last-seen"]?.integer)],
            [.time(session["expires"]?.integer)], [.value(session["ip"])],
          ], buttons: end.map { [$0] } ?? []))
    }
    let all = list.isEmpty ? .forbidden : await visit.verdict("SESSION.REVOKEALL", person.word)
    let endAll = Button.asked(all, .link("End all", person.address("sessions-end"), .danger), "End all")
    return .section(
      "Sessions", id: "sessions", actions: endAll.map { [$0] } ?? [],
      [
        Table(
          caption: "Sessions",
          columns: [.init("Product"), .init("Since"), .init("Last seen"), .init("Expires"), .init("From")], rows: rows,
          empty: .text(.muted("Not signed in anywhere."))
        ).block
      ])
  }

  private func keys() async throws -> Block? {
    guard let list = try await visit.readIfAllowed("APIKEY.LIST", person.word)?.elements, !list.isEmpty else {
      return nil
    }
    var rows: [Table.Row] = []
    for key in list.prefix(50) {
      let id = key.shown("id")
      var end: Button?
      if key.flag("active") {
        end = Button.asked(
          await visit.verdict("APIKEY.DEACTIVATE", id),
          .link("End", person.address("key-end").adding("key", id), label: "End the key \(key.shown("name"))"), "End")
      }
      rows.append(
        .init(
          [
            [.strong(key.shown("name").isEmpty ? "key \(id)" : key.shown("name"))],
            [key.flag("active") ? .badge("active", .good) : .badge("ended", .quiet)],
            [.time(key["created"]?.integer), .muted(" by \(key.shown("created-by"))")],
            [.time(key["last-used"]?.integer)], [.time(key["expires"]?.integer)],
          ], buttons: end.map { [$0] } ?? []))
    }
    let all = await visit.verdict("APIKEY.DEACTIVATEALL", person.word)
    let endAll = Button.asked(all, .post("End all", person.address("keys-end"), [], .danger), "End all")
    return .section(
      "API keys", id: "keys-of", actions: endAll.map { [$0] } ?? [],
      [
        Table(
          caption: "API keys",
          columns: [.init("Name"), .init("State"), .init("Made"), .init("Last used"), .init("Expires")], rows: rows
        ).block
      ])
  }

  // MARK: What they did

  private func time() async throws -> Block? {
    guard let entries = try await visit.readIfAllowed("ENTRY.LIST", person.word, "COUNT", "10") else { return nil }
    var blocks: [Block] = []
    if let timer = try await visit.readIfAllowed("TIMER.CURRENT", person.word, "WORKSPACE", visit.workspace),
      let start = timer["start"]?.integer
    {
      blocks.append(
        .notice(
          .accent, "A timer runs",
          [
            .text("since "), .time(start),
            .text(" (\(Cell.durationText(visit.now - start))), \(timer.shown("project"))"),
          ]))
      let stop = await visit.verdict("TIMER.STOP", person.word, "WORKSPACE", visit.workspace)
      let there = Address("timers", String(person.id), "stop").adding("workspace", visit.workspace)
      if let button = Button.asked(stop, .link("Stop the timer", there, .primary), "Stop the timer") {
        blocks.append(.buttons([button]))
      }
    }
    let rows = ListPage(entries).items.map { entry -> Table.Row in
      let start = entry["start"]?.integer ?? 0
      let end = entry["end"]?.integer ?? start
      return .init(
        [
          [.time(start)], [.duration(end - start)], [.text(entry.shown("project"))], [.text(entry.shown("note"))],
          [.text(entry.shown("stopped-by"))],
        ], buttons: [.link("Open", EntryPages.address(of: entry["entry"]?.integer ?? 0))])
    }
    let mayAdd = await visit.verdict(
      "ENTRY.ADD", person.word, "START", Moment.field(visit.now - 2000) + "Z", "END",
      Moment.field(visit.now - 1000) + "Z", "WORKSPACE", visit.workspace
    ).isAllowed
    guard mayAdd || !rows.isEmpty || !blocks.isEmpty else { return nil }
    if !rows.isEmpty {
      blocks.append(
        Table(
          caption: "Time",
          columns: [
            .init("Start"), .init("Length", isNumeric: true), .init("Project"), .init("Note"), .init("Stopped by"),
          ],
          rows: rows
        ).block)
    }
    if blocks.isEmpty { blocks.append(.text(.muted("No time yet."))) }
    return .section(
      "Time", id: "time", actions: mayAdd ? [.link("Add time", person.address("time", "new"))] : [], blocks)
  }

  private func trail() async throws -> Block? {
    guard let reply = try await visit.readIfAllowed("AUDIT.LIST", "USER", person.word, "COUNT", "12") else {
      return nil
    }
    let records = ListPage(reply).items
    return .section(
      "Trail", id: "trail", actions: [.link("All of it", person.address("trail"))],
      [
        records.isEmpty
          ? .text(.muted("Nothing that you may see.")) : await Timeline(records, about: person, for: visit).block
      ])
  }
}
