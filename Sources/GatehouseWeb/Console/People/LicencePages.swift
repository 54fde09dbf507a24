import GatehouseWire

/// Taking a licence away while the access stays.
struct LicencePages {
  func add(to console: ConsoleRouter) {
    console.get("people/:user/licence-end") { visit in
      let person = try await Person(visit)
      let product = visit.query["product"]
      let confirmation = Confirmation(
        "Take the licence", ["LICENCE.REMOVE", person.word, product], to: person.address("licence-end"),
        hidden: [("product", product)], cancel: person.address.at("access"),
        undo: "It can be given again as long as a seat is left.", about: person)
      return .page(
        Page(
          "Take \(person.name)'s licence of \(product)?", area: PeoplePages.address,
          try await confirmation.blocks(visit)))
    }
    console.post("people/:user/licence-end") { visit in
      let person = try await Person(visit)
      let product = visit.form["product"]
      let reply = try await visit.write("LICENCE.REMOVE", person.word, product)
      return .redirect(
        person.address.at("access"), await visit.done(reply, "\(person.username) has no licence of \(product)."))
    }
  }

  /// The button beside a licence that somebody has.
  static func button(_ visit: Visit, _ person: Person, _ product: RESPValue) async -> Button? {
    guard !person.isDeleted, !product.shown("licence").isEmpty else { return nil }
    let name = product.shown("product")
    return .asked(
      await visit.verdict("LICENCE.REMOVE", person.word, name),
      .link("Take the licence", person.address("licence-end").adding("product", name)), "Take the licence")
  }
}
