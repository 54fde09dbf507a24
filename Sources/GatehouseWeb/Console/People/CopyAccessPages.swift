import GatehouseWire

/// Giving somebody the access of another: the same roles in the same scopes, and the same main role.
struct CopyAccessPages {
  private static let path = "copy-access"

  func add(to console: ConsoleRouter) {
    console.get("people/:user/copy-access") { visit in
      let person = try await Person(visit)
      let from = visit.query["from"]
      guard !from.isEmpty else { return .page(Self.askWhom(person)) }
      let confirmation = Confirmation(
        "Give the same access", Self.command(from, person, visit.query), to: person.address(Self.path),
        hidden: [("from", from), ("replace", visit.query["replace"])], cancel: person.address.at("roles"),
        undo: "Each role can be granted or revoked again.", about: person)
      return .page(
        Page(
          "Give \(person.name) the access of \(from)?", area: PeoplePages.address,
          try await confirmation.blocks(visit)))
    }
    console.post("people/:user/copy-access") { visit in
      let person = try await Person(visit)
      let from = visit.form["from"]
      let reply = try await visit.write(Self.command(from, person, visit.form))
      return .redirect(
        person.address.at("roles"), await visit.done(reply, "\(person.username) has the roles of \(from) now."))
    }
  }

  /// Offered beside the roles, where any can be granted.
  static func button(_ person: Person) -> Button { .link("Match somebody else", person.address(path)) }

  private static func command(_ from: String, _ person: Person, _ fields: FormFields) -> [String] {
    ["USER.COPYACCESS", from, person.word] + (fields["replace"] == "1" ? ["REPLACE"] : [])
  }

  private static func askWhom(_ person: Person) -> Page {
    let form = Form(
      person.address(path), .get,
      fields: [
        Field("from", "Whose access", hint: "The username of somebody who has it right, or #id.", required: true),
        Field("replace", "Take away what that person does not have", .checkbox(isOn: false)),
      ], submit: "See what would change", cancel: person.address.at("roles"))
    return Page(
      "Match the access of \(person.name)", area: PeoplePages.address,
      [.section("As whose", note: "Roles are copied, in their scopes; products and licences are not.", [form.block])])
  }
}
