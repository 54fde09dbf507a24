import GatehouseWire

/// Who belongs to a workspace, and who owns it.
struct MembershipPages {
  private static let acceptance = Field(
    "accept-billing", "I accept that this may change the bill", .checkbox(isOn: false))

  func add(to console: ConsoleRouter) {
    console.get("workspaces/:name/owner") { visit in
      let (name, user) = (visit.parameter("name"), visit.query["user"])
      let confirmation = Confirmation(
        "Hand it on", ["WORKSPACE.TRANSFER", name, user], to: Address("workspaces", name, "owner"),
        hidden: [("user", user)], cancel: Address("workspaces", name),
        undo: "The new owner can hand it back.")
      return .page(
        Page("Make \(user) the owner of \(name)?", area: WorkspacePages.address, try await confirmation.blocks(visit)))
    }
    console.post("workspaces/:name/owner") { visit in
      let (name, user) = (visit.parameter("name"), visit.form["user"])
      let reply = try await visit.write("WORKSPACE.TRANSFER", name, user)
      return .redirect(Address("workspaces", name), await visit.done(reply, "\(user) owns \(name) now."))
    }
    console.post("workspaces/:name/members") { visit in
      let (name, form) = (visit.parameter("name"), visit.form)
      var words = ["WORKSPACE.MEMBER", name, form["user"]]
      for (option, field) in [("FROM", "from"), ("UNTIL", "until")] where !form[field].isEmpty {
        words += [option, form.moment(field)]
      }
      if form["accept-billing"] == "1" { words.append("ACCEPT-BILLING") }
      do {
        let reply = try await visit.write(words)
        return .redirect(
          Address("workspaces", name), await visit.done(reply, "\(form["user"]) is a member of \(name)."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await WorkspacePages.workspace(visit, failure))
      }
    }
    console.get("people/:user/leave") { visit in
      let person = try await Person(visit)
      let name = visit.query["workspace"]
      // A policy may ask for the acceptance; the trial shows what happens with it.
      let confirmation = Confirmation(
        "Take out", ["WORKSPACE.MEMBER", name, person.word, "REMOVE", "ACCEPT-BILLING"], to: person.address("leave"),
        hidden: [("workspace", name)], cancel: person.address,
        undo: "The person can be made a member again, without access and roles.", fields: [Self.acceptance],
        about: person)
      return .page(
        Page("Take \(person.name) out of \(name)?", area: PeoplePages.address, try await confirmation.blocks(visit)))
    }
    console.post("people/:user/leave") { visit in
      let person = try await Person(visit)
      let name = visit.form["workspace"]
      var words = ["WORKSPACE.MEMBER", name, person.word, "REMOVE"]
      if visit.form["accept-billing"] == "1" { words.append("ACCEPT-BILLING") }
      let reply = try await visit.write(words)
      return .redirect(person.address, await visit.done(reply, "\(person.username) is no member of \(name) any more."))
    }
    addMoving(console)
  }

  /// W1: the home is handed over to another of the person's workspaces.
  private func addMoving(_ console: ConsoleRouter) {
    console.get("people/:user/home") { visit in
      let person = try await Person(visit)
      let name = visit.query["workspace"]
      let confirmation = Confirmation(
        "Move the home", ["USER.MOVEHOME", person.word, name, "ACCEPT-BILLING"], to: person.address("home"),
        hidden: [("workspace", name)], cancel: person.address, undo: "The home can be moved back.",
        fields: [Self.acceptance],
        about: person)
      return .page(
        Page(
          "Make \(name) the home of \(person.name)?", area: PeoplePages.address, try await confirmation.blocks(visit)))
    }
    console.post("people/:user/home") { visit in
      let person = try await Person(visit)
      let name = visit.form["workspace"]
      var words = ["USER.MOVEHOME", person.word, name]
      if visit.form["accept-billing"] == "1" { words.append("ACCEPT-BILLING") }
      let reply = try await visit.write(words)
      return .redirect(person.address, await visit.done(reply, "\(name) is the home of \(person.username) now."))
    }
  }

  /// The forms on a workspace's page, as far as somebody may use them.
  static func sections(_ visit: Visit, _ name: String, owner: String) async -> [Block] {
    var blocks: [Block] = []
    if await visit.holds("member.manage", overAllOf: name) {
      let form = Form(
        Address("workspaces", name, "members"), layout: .row, id: "member",
        fields: [
          Field("user", "Person", value: visit.form["user"], hint: "Username, or # and the number.", required: true),
          Field("from", "From", .moment, value: Moment.field(Moment.time(visit.form["from"])), hint: "Empty for now."),
          Field(
            "until", "Until", .moment, value: Moment.field(Moment.time(visit.form["until"])), hint: "Empty for no end."),
          acceptance,
        ], submit: "Make a member")
      blocks.append(
        .section(
          "Members", id: "members",
          note: "Somebody of another workspace who works here, too. Access to products is given on their page.",
          [form.block]))
    }
    if await visit.holds("workspace.transfer", overAllOf: name) {
      let form = Form(
        Address("workspaces", name, "owner"), .get, layout: .row, id: "owner",
        fields: [Field("user", "New owner", hint: "A member: the username, or # and the number.", required: true)],
        submit: "See what would change")
      blocks.append(
        .section(
          "Owner", id: "owner-form", note: owner.isEmpty ? "Nobody owns it yet." : "\(owner) owns it.", [form.block]))
    }
    return blocks
  }

  /// Where somebody is a member beside the home, each with a way out.
  static func section(_ visit: Visit, _ person: Person) async -> Block? {
    let names = (person.card["workspaces"]?.elements ?? []).map(\.shown).filter { $0 != person.card.shown("home") }
    var rows: [Table.Row] = []
    for name in names.prefix(50) {
      let buttons = [
        Button.asked(
          await visit.verdict("USER.MOVEHOME", person.word, name, "ACCEPT-BILLING"),
          .link("Move the home", person.address("home").adding("workspace", name), label: "Move the home to \(name)"),
          "Move the home"),
        Button.asked(
          await visit.verdict("WORKSPACE.MEMBER", name, person.word, "REMOVE", "ACCEPT-BILLING"),
          .link("Take out", person.address("leave").adding("workspace", name), .danger), "Take out"),
      ]
      rows.append(.init([[.strong(name)]], buttons: buttons.compactMap { $0 }))
    }
    guard !rows.isEmpty else { return nil }
    return .section(
      "Member of", id: "member",
      [Table(caption: "Workspaces beside the home", columns: [.init("Workspace")], rows: rows).block])
  }
}
