import GatehouseWire

/// The ways out of a login and back: delete, restore, purge, merge, anonymise. Each first shows what it would change.
struct PersonEndPages {
  /// One of them: the words of its buttons and the command.
  private struct Ending: Sendable {
    let path: String
    let submit: String
    let question: @Sendable (Person) -> String
    let done: @Sendable (Person) -> String
    let command: @Sendable (Person) -> [String]
    let undo: UndoNote
    var undoes: String?
    /// What the form may add.
    var acceptsBilling = false
  }

  private static let forGood: UndoNote = "This cannot be taken back."

  private static let endings = [
    Ending(
      path: "delete", submit: "Delete the login", question: { "Delete the login of \($0.name)?" },
      done: { "The login of \($0.username) was deleted." }, command: { ["USER.DELETE", $0.word] }, undo: .window,
      undoes: "USER.DELETE", acceptsBilling: true),
    Ending(
      path: "purge", submit: "Purge", question: { "Remove the deleted login of \($0.name) for good?" },
      done: { "The login \($0.username) was removed for good." }, command: { ["USER.PURGE", $0.word] }, undo: forGood),
    Ending(
      path: "anonymise", submit: "Anonymise", question: { "Clear all personal data of \($0.name)?" },
      done: { "All personal data of \($0.username) was cleared." }, command: { ["USER.ANONYMISE", $0.word] },
      undo: forGood, acceptsBilling: true),
  ]

  func add(to console: ConsoleRouter) {
    for ending in Self.endings { add(ending, console) }
    addRestore(console)
    addMerge(console)
  }

  private func add(_ ending: Ending, _ console: ConsoleRouter) {
    console.get("people/:user/" + ending.path) { visit in
      let person = try await Person(visit)
      let accept = Field("accept-billing", "I accept that this may change the bill", .checkbox(isOn: false))
      // A policy may ask for the acceptance; the trial shows what happens with it.
      let command = ending.command(person) + (ending.acceptsBilling ? ["ACCEPT-BILLING"] : [])
      let confirmation = Confirmation(
        ending.submit, command, to: person.address(ending.path), cancel: person.address, undo: ending.undo,
        fields: ending.acceptsBilling ? [accept] : [], about: person)
      return .page(Page(ending.question(person), area: PeoplePages.address, try await confirmation.blocks(visit)))
    }
    console.post("people/:user/" + ending.path) { visit in
      let person = try await Person(visit)
      var words = ending.command(person)
      if visit.form["accept-billing"] == "1" { words.append("ACCEPT-BILLING") }
      let reply = try await visit.write(words)
      let target = ending.path == "purge" ? PeoplePages.address : person.address
      return .redirect(target, await visit.done(reply, ending.done(person), undo: ending.undoes))
    }
  }

  // MARK: Back

  private func addRestore(_ console: ConsoleRouter) {
    console.get("people/:user/restore") { visit in .page(try await restorePage(visit, nil)) }
    console.post("people/:user/restore") { visit in
      let person = try await Person(visit)
      var words = ["USER.RESTORE", person.contact]
      if !visit.form["username"].isEmpty { words.append(visit.form["username"]) }
      if visit.form["invite"] != "1" { words.append("NOINVITE") }
      if visit.form["accept-billing"] == "1" { words.append("ACCEPT-BILLING") }
      do {
        let reply = try await visit.write(words)
        let address = reply["id"]?.integer.map { Address("people", String($0)) } ?? person.address
        return .redirect(
          address,
          await visit.done(reply, "\(reply.shown("username")) has a login again, without access and roles."))
      } catch let failure as CommandFailure where !failure.isPassing {
        return .page(try await restorePage(visit, failure))
      }
    }
  }

  private func restorePage(_ visit: Visit, _ failure: CommandFailure?) async throws -> Page {
    let person = try await Person(visit)
    let form = Form(
      person.address("restore"),
      fields: [
        Field("username", "Username", value: failure == nil ? person.username : visit.form["username"]),
        Field("invite", "Send an invitation by mail", .checkbox(isOn: false)),
        Field("accept-billing", "I accept that this may change the bill", .checkbox(isOn: false)),
        Field("reason", "Reason", hint: "Recorded in the trail."),
      ], submit: "Restore", cancel: person.address)
    return Page(
      "Give \(person.name) a login again", area: PeoplePages.address, failure: failure,
      [
        .section("Login", note: "As the last one was, but without access to products and without roles.", [form.block])
      ])
  }

  // MARK: Two become one

  private func addMerge(_ console: ConsoleRouter) {
    console.get("people/:user/merge") { visit in
      let person = try await Person(visit)
      let other = visit.query["drop"]
      guard !other.isEmpty else { return .page(askWhom(person)) }
      let confirmation = Confirmation(
        "Merge", Self.merge(person, other), to: person.address("merge"), hidden: [("drop", other)],
        cancel: person.address, undo: .window, about: person)
      return .page(
        Page(
          "Merge \(other) into \(person.username)?", area: PeoplePages.address,
          intro: [.strong(person.username), .text(" stays; "), .strong(other), .text(" leads to it from then on.")],
          try await confirmation.blocks(visit)))
    }
    console.post("people/:user/merge") { visit in
      let person = try await Person(visit)
      let reply = try await visit.write(Self.merge(person, visit.form["drop"]))
      return .redirect(
        person.address,
        await visit.done(reply, "\(visit.form["drop"]) was merged into \(person.username).", undo: "USER.MERGE"))
    }
  }

  private static func merge(_ person: Person, _ other: String) -> [String] {
    ["USER.MERGE", person.word, other, "ACCEPT-BILLING"]
  }

  private func askWhom(_ person: Person) -> Page {
    let form = Form(
      person.address("merge"), .get,
      fields: [
        Field(
          "drop", "Who is the same person?", hint: "A username, or #id. It is dropped; \(person.username) stays.",
          required: true)
      ],
      submit: "See what would change", cancel: person.address)
    return Page("Merge with \(person.name)", area: PeoplePages.address, [.section("The other login", [form.block])])
  }
}
