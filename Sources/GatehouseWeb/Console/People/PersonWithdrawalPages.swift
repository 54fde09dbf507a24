import GatehouseWire

/// What is taken from somebody: a role, a session, a key, the password. Each first shows what it would change, and asks
/// why.
struct PersonWithdrawalPages {
  private struct Withdrawal: Sendable {
    let path: String
    let submit: String
    /// The fields that say which one.
    var names: [String] = []
    /// The part of the person's page that shows it.
    let part: String
    let question: @Sendable (Person, FormFields) -> String
    let command: @Sendable (Person, FormFields) -> [String]
    let done: @Sendable (Person, FormFields, RESPValue) -> String
    let undo: UndoNote
  }

  private static let withdrawals = [
    Withdrawal(
      path: "role-revoke", submit: "Revoke the role", names: ["role", "scope"], part: "roles",
      question: { "Take the role \($1["role"]) from \($0.name)?" },
      command: { ["ROLE.REVOKE", $0.word, $1["role"]] + RoleScope.words($1["scope"]) },
      done: { person, fields, _ in "\(person.username) is \(fields["role"]) no more." },
      undo: "The role can be granted again at any time."),
    ending(
      "session", of: "sessions", called: "a session", by: "SESSION.REVOKE",
      undo: "It cannot be taken back; the person can sign in again."),
    Withdrawal(
      path: "sessions-end", submit: "End all sessions", part: "sessions",
      question: { person, _ in "End all sessions of \(person.name)?" },
      command: { person, _ in ["SESSION.REVOKEALL", person.word] },
      done: { "\($2.integer ?? 0) sessions have ended." },
      undo: "It cannot be taken back; the person can sign in again."),
    ending(
      "key", of: "keys-of", called: "an API key", by: "APIKEY.DEACTIVATE",
      undo: "It cannot be taken back: programs that use the key need another one."),
    Withdrawal(
      path: "password", submit: "Mail a new password", part: "card",
      question: { person, _ in "Mail \(person.name) a new password?" },
      command: { person, _ in ["PASSWORD.GENERATE", person.word] },
      done: { person, _, _ in "\(person.username) is to get a new password by mail." },
      undo: .text(
        "The password of now works no longer from this moment, and the new one only once the mail has been sent: the page "
          + "Mails shows whether they are.")),
  ]

  /// One of several that somebody has, by its number.
  private static func ending(
    _ what: String, of part: String, called name: String, by command: String, undo: UndoNote
  ) -> Withdrawal {
    Withdrawal(
      path: what + "-end", submit: "End the \(what)", names: [what], part: part,
      question: { person, fields in
        "End \(name) of \(person.name)?" + (fields[what].isEmpty ? "" : " It is number \(fields[what]).")
      },
      command: { _, fields in [command, fields[what]] },
      done: { _, _, reply in reply.integer == 0 ? "That \(what) had ended already." : "The \(what) has ended." },
      undo: undo)
  }

  func add(to console: ConsoleRouter) {
    for one in Self.withdrawals { add(one, console) }
  }

  private func add(_ one: Withdrawal, _ console: ConsoleRouter) {
    console.get("people/:user/" + one.path) { visit in
      let person = try await Person(visit)
      let confirmation = Confirmation(
        one.submit, one.command(person, visit.query), to: person.address(one.path),
        hidden: one.names.map { ($0, visit.query[$0]) }, cancel: person.address.at(one.part), undo: one.undo,
        about: person)
      return .page(
        Page(one.question(person, visit.query), area: PeoplePages.address, try await confirmation.blocks(visit)))
    }
    console.post("people/:user/" + one.path) { visit in
      let person = try await Person(visit)
      let reply = try await visit.write(one.command(person, visit.form))
      return .redirect(
        person.address.at(one.part), await visit.done(reply, one.done(person, visit.form, reply)))
    }
  }
}
