import GatehouseWire
import HTTPTypes

/// *Log in as*: an administrator acts as somebody, with a reason, for a short time. While it lasts every page has the
/// banner with both names, and commands run on the lesser rights of both.
struct ImpersonationPages: ConsolePages {
  static let address = Address("impersonations")

  var areas: [Area] { [Area("Log in as", .login, Self.address, needs: ["impersonate", "session.read"])] }

  func add(to console: ConsoleRouter) {
    console.get("impersonations") { visit in .page(try await Self.page(visit)) }
    console.get("people/:user/log-in-as") { visit in .page(try await Self.starting(visit)) }
    console.post("people/:user/log-in-as") { visit in try await Self.start(visit) }
    console.post("impersonation/end") { visit in try await Self.end(visit) }
    console.post("impersonations/:id/end") { visit in
      let reply = try await visit.write("IMPERSONATE.END", visit.parameter("id"))
      return .redirect(Self.address, await visit.done(reply, "The impersonation has ended."))
    }
  }

  // MARK: Starting

  /// Those that forms have begun: one that is sent twice begins one, which the banner can end.
  private static let begun = OnceEach<RESPValue>()

  /// The workspaces of a person that are asked about.
  private static let mostAsked = 20

  /// Whether the person who looks may log in as somebody; a rule that refuses it is named.
  static func verdict(of person: Person, _ visit: Visit) async -> Verdict {
    switch await place(of: person, visit).rule {
    case nil: .allowed
    case "oneself", "role", "not-a-member": .forbidden
    case let rule?: .refused(CommandFailure("REFUSED \(rule): you may not log in as them"))
    }
  }

  /// Where the person who looks may log in as somebody: in the workspace that they look at, or else in another one of the
  /// other's, home first.
  ///
  /// - Returns: the rule that refuses it, if they may nowhere.
  private static func place(of person: Person, _ visit: Visit) async -> (workspace: String, rule: String?) {
    let home = person.card.shown("home")
    let own = [home] + (person.card["workspaces"]?.elements ?? []).map(\.shown).filter { $0 != home }
    let places = own.filter { $0 == visit.workspace } + own.filter { $0 != visit.workspace && !$0.isEmpty }
    var first: (workspace: String, rule: String?)?
    for place in places.prefix(mostAsked) {
      let words = ["IMPERSONATE.CAN", "#\(visit.person.user)", person.word, "WORKSPACE", place]
      let verdict = (try? await visit.readIfAllowed(words)?.string).flatMap { $0 } ?? "DENY role"
      let rule = verdict.split(separator: " ").dropFirst().joined(separator: " ").nonEmpty
      if rule == nil { return (place, nil) }
      first = first ?? (place, rule)
    }
    return first ?? (visit.workspace, "role")
  }

  private static func starting(_ visit: Visit, error: String? = nil) async throws -> Page {
    if let actor = visit.person.actor {
      return Page(
        "Log in as somebody", area: address, status: .conflict,
        [
          .notice(
            .warn, "\(actor) acts as \(visit.person.username) already",
            [.text("End it first, with the button at the top of the page.")])
        ])
    }
    let person = try await Person(visit)
    let (id, name) = (person.id, person.username)
    let place = await place(of: person, visit)
    if let rule = place.rule {
      return Page(
        "Log in as \(name)", area: address, status: .forbidden,
        [
          .notice(
            .bad, "You may not log in as \(name)", [.text("The rule that refuses it: "), .code(rule), .text(".")]),
          .buttons([.link("Back to \(name)", Address("people", id))]),
        ])
    }
    let form = Form(
      Address("people", id, "log-in-as"),
      fields: [
        Field(
          "why", "Reason", value: visit.form["why"],
          hint: "Recorded with everything you do as \(name), and told to them where the policy says so.", error: error,
          required: true)
      ], submit: "Log in as \(name)", cancel: Address("people", id))
    return Page(
      "Log in as \(name)", area: address,
      intro: [.text("In the workspace \(place.workspace). You both stand in the record of whatever you do.")],
      status: error == nil ? .ok : .badRequest,
      [
        .section("Before you begin", [.text(.text(Self.limits))]),
        .section("Why?", [form.block]),
      ])
  }

  private static let limits = """
    It ends by itself after a short time that the workspace's policy sets. Meanwhile nobody can change passwords, second \
    factors, e-mail addresses, keys, roles or billing. You can do no more than both of you may.
    """

  private static func start(_ visit: Visit) async throws -> Outcome {
    guard visit.person.actor == nil else { return .page(try await starting(visit)) }
    let reason = visit.form["why"]
    guard !reason.isEmpty else { return .page(try await starting(visit, error: "Say why.")) }
    let person = try await Person(visit)
    let command =
      [
        "IMPERSONATE.START", visit.person.ownToken, person.word, "REASON", reason, "WORKSPACE",
        await place(of: person, visit).workspace,
      ] + visit.origin
    // The command takes no key, because its answer is a secret.
    let reply = try await begun.once(visit.person.ownToken + visit.form["idem"] + FormToken.digest(command)) {
      try await visit.asServer(command)
    }
    guard let token = reply["session"]?.string else {
      throw Problem(.internalServerError, "ERR", "the server answered without a session; try again")
    }
    visit.set(.acting, token)
    visit.set(.actingWorkspace, nil)
    let subject = reply["subject"]?.string ?? ""
    return .redirect(Address("people", visit.parameter("user")), Flash("You act as \(subject) now.", tone: .accent))
  }

  /// Ends the one in which the person acts.
  private static func end(_ visit: Visit) async throws -> Outcome {
    guard visit.person.actor != nil else { return .redirect(address) }
    let (subject, user) = (visit.person.username, visit.person.user)
    // As the person, whom the trail then names.
    _ = try await visit.asOneself(["IMPERSONATE.END", visit.person.token, "TOKEN"])
    visit.set(.acting, nil)
    return .redirect(Address("people", String(user)), Flash("You act as \(subject) no longer."))
  }

  // MARK: Those in force

  private static func page(_ visit: Visit) async throws -> Page {
    let running = try await visit.read("IMPERSONATE.LIST").elements ?? []
    var rows: [Table.Row] = []
    for one in running {
      let id = String(one["id"]?.integer ?? 0)
      let verdict = await visit.verdict("IMPERSONATE.END", id)
      let end = Button.post("End", Address("impersonations", id, "end"), [], .danger)
      rows.append(
        Table.Row(
          [
            [.value(one["actor"])], [.value(one["subject"])], [.value(one["workspace"])], [.value(one["reason"])],
            [.time(one["created"]?.integer)], [.time(one["expires"]?.integer)],
          ], buttons: [Button.asked(verdict, end, "End")].compactMap { $0 }))
    }
    let table = Table(
      caption: "Impersonations in force",
      columns: [
        .init("Who"), .init("As whom"), .init("Workspace"), .init("Reason"), .init("Since"), .init("Until"),
      ], rows: rows,
      empty: .empty("Nobody acts as somebody else", "Open a person, and choose “Log in as” there."))
    return Page("Log in as", area: address, intro: [.text("Who acts as whom now, and why.")], [table.block])
  }
}
