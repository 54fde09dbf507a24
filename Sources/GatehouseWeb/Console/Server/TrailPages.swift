import GatehouseWire

/// The trail: who did what, as whom, why, with old and new values; and whether it is still whole.
struct TrailPages: ConsolePages {
  static let address = Address("trail")

  var areas: [Area] { [Area("Trail", .server, Self.address, needs: ["audit.read"])] }

  func add(to console: ConsoleRouter) {
    console.get("trail") { visit in .page(try await Self.page(visit)) }
    console.post("trail/verify") { visit in
      let reply = try await visit.read("AUDIT.VERIFY")
      let through = reply["through"]?.integer ?? 0
      guard reply["ok"]?.integer == 1 else {
        return .redirect(
          Self.address, Flash("The trail is not whole: \(reply["problem"]?.string ?? "no reason given").", tone: .bad))
      }
      return .redirect(Self.address, Flash("Verified: whole and unchanged through record \(through)."))
    }
  }

  private static let filters = [
    (name: "user", option: "USER", label: "About"), (name: "actor", option: "ACTOR", label: "Done by"),
  ]

  private static func page(_ visit: Visit) async throws -> Page {
    var words = ["AUDIT.LIST", "COUNT", "50"]
    var here = address
    for filter in filters {
      guard let value = visit.query[filter.name].nonEmpty else { continue }
      words += [filter.option, value]
      here = here.adding(filter.name, value)
    }
    for (name, option, clock) in [("from", "FROM", "T00:00:00Z"), ("to", "TO", "T23:59:59.999Z")] {
      guard let day = visit.query[name].nonEmpty else { continue }
      words += [option, day + clock]
      here = here.adding(name, day)
    }
    if visit.query.has("here") {
      words += ["WORKSPACE", visit.workspace]
      here = here.adding("here", "1")
    }
    let form = Form(
      address, .get, layout: .row,
      fields: filters.map { Field($0.name, $0.label, value: visit.query[$0.name], hint: "Username or # and number.") }
        + [
          Field("from", "From", .day, value: visit.query["from"]), Field("to", "To", .day, value: visit.query["to"]),
          Field("here", "Only \(visit.workspace)", .checkbox(isOn: visit.query.has("here")), value: "1"),
        ], submit: "Show")
    let reply: RESPValue
    do {
      reply = try await visit.read(words + (visit.query["cursor"].nonEmpty.map { ["CURSOR", $0] } ?? []))
    } catch let failure as CommandFailure {
      return Page("Trail", area: address, status: failure.status, [form.block, failure.block])
    }
    let records = reply.elements?.last?.elements ?? []
    let next = reply.elements?.first?.string ?? "0"
    var blocks = [form.block]
    if let head = try await visit.readIfAllowed("AUDIT.HEAD") {
      blocks.append(
        .section(
          "Is it whole?",
          note: "Keep number and hash elsewhere; later they prove that nothing before them was changed.",
          actions: await visit.holdsEverywhere("server.manage")
            ? [.post("Verify now", Address("trail", "verify"))] : [],
          [
            .facts([
              ("Newest record", [.value(head["lsn"])]), ("Its hash", [.code(head["hash"]?.string ?? "")]),
            ])
          ]))
    }
    blocks.append(
      records.isEmpty
        ? .empty("No record", "Nothing was done that these filters show.")
        : Timeline(records) { Address("people", String($0)) }.block)
    var more: [Button] = []
    if visit.query.has("cursor") { more.append(.link("Newest", here)) }
    if next != "0" { more.append(.link("Older records", here.adding("cursor", next))) }
    if !more.isEmpty { blocks.append(.buttons(more)) }
    return Page("Trail", area: address, blocks)
  }
}
