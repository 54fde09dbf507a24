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

  private struct Filter {
    let name: String
    let option: String
    let label: String
    let hint: String
  }

  private static let filters = [
    Filter(name: "user", option: "USER", label: "About", hint: "Username or # and number."),
    Filter(name: "actor", option: "ACTOR", label: "Done by", hint: "Username or # and number."),
    Filter(name: "command", option: "COMMAND", label: "Command", hint: "Such as USER.DELETE."),
  ]
  private static let service = Filter(
    name: "service", option: "SERVICE", label: "Service", hint: "Through which it was done; local for none.")

  /// The records of a command.
  static func address(ofCommand name: String) -> Address { address.adding("command", name) }
  /// What was done through a service.
  static func address(ofService name: String) -> Address { address.adding("service", name) }

  private static func page(_ visit: Visit) async throws -> Page {
    var words = ["AUDIT.LIST", "COUNT", "50"]
    var here = address
    // Services are the operator's.
    let filters = await visit.holdsEverywhere("audit.read") ? filters + [service] : filters
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
      fields: filters.map { Field($0.name, $0.label, value: visit.query[$0.name], hint: $0.hint) }
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
        ? .empty(
          "No record",
          next == "0" ? "Nothing was done that these filters show." : "None of the newest is meant; look further back.")
        : await Timeline(records, for: visit).block)
    var more: [Button] = []
    if visit.query.has("cursor") { more.append(.link("Newest", here)) }
    if next != "0" { more.append(.link("Older records", here.adding("cursor", next))) }
    if !more.isEmpty { blocks.append(.buttons(more)) }
    return Page("Trail", area: address, blocks)
  }
}
