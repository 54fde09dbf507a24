import GatehouseWire

/// Commands that wait for a second person.
struct ApprovalPages: ConsolePages {
  static let address = Address("approvals")

  var areas: [Area] { [Area("Approvals", .server, Self.address)] }

  func add(to console: ConsoleRouter) {
    console.get("approvals") { visit in .page(try await Self.page(visit)) }
    console.get("approvals/:id/grant") { visit in .page(try await Self.granting(visit)) }
    console.post("approvals/:id/grant") { visit in
      let reply = try await visit.write("APPROVAL.GRANT", visit.parameter("id"))
      return .redirect(Self.address, await visit.done(reply, "It is approved, and was carried out."))
    }
    console.post("approvals/:id/refuse") { visit in
      _ = try await visit.write("APPROVAL.REFUSE", visit.parameter("id"))
      return .redirect(Self.address, Flash("It is refused, and will not be done."))
    }
  }

  /// Agreeing carries the command out, and so it is tried before.
  private static func granting(_ visit: Visit) async throws -> Page {
    let id = visit.parameter("id")
    let waiting = try await visit.read("APPROVAL.LIST").elements ?? []
    guard let one = waiting.first(where: { $0["approval"]?.integer == Int64(id) }) else {
      throw CommandFailure("NOTFOUND approval \(id.prefix(20)): it was decided meanwhile, or has expired")
    }
    let confirmation = Confirmation(
      "Approve", ["APPROVAL.GRANT", id], to: Address("approvals", id, "grant"), cancel: address,
      undo: "It is carried out at once.")
    let facts = Block.facts([
      ("Command", [.code(one.shown("command"))] + (await people(of: one, visit))),
      ("Asked by", [.text(one.shown("requested-by"))]), ("Reason", [.value(one["reason"])]),
      ("Workspace", [.value(one["workspace"])]), ("Since", [.time(one["requested"]?.integer)]),
    ])
    return Page(
      "Approve it?", area: address, [.section("What was asked", [facts])] + (try await confirmation.blocks(visit)))
  }

  /// Whom a command is about, by the ids in it, with links.
  private static func people(of approval: RESPValue, _ visit: Visit) async -> [Cell] {
    var cells: [Cell] = []
    for word in approval.shown("command").parts(separatedBy: " ").prefix(10) where word.hasPrefix("#") {
      guard let user = (try? await visit.readIfAllowed("USER.GET", word)) ?? nil else { continue }
      cells += [.text(" "), .link(user.shown("username"), Address("people", user.shown("id")))]
    }
    return cells
  }

  private static func page(_ visit: Visit) async throws -> Page {
    let waiting = try await visit.read("APPROVAL.LIST").elements ?? []
    var rows: [Table.Row] = []
    for one in waiting {
      let id = String(one["approval"]?.integer ?? 0)
      let asker = one["requested-by"]?.string ?? ""
      let grant = Button.link("Approve", Address("approvals", id, "grant"), .primary)
      let refuse = Button.post(
        asker == visit.person.username ? "Withdraw" : "Refuse", Address("approvals", id, "refuse"))
      let buttons = [
        Button.asked(await visit.verdict("APPROVAL.GRANT", id), grant, "Approve"),
        Button.asked(await visit.verdict("APPROVAL.REFUSE", id), refuse, "Refuse"),
      ]
      rows.append(
        Table.Row(
          [
            [.code(one["command"]?.string ?? "")] + (await people(of: one, visit)), [.text(asker)],
            [.value(one["reason"])], [.value(one["workspace"])],
            [.time(one["requested"]?.integer)], [.time(one["expires"]?.integer)],
          ], buttons: buttons.compactMap { $0 }))
    }
    let table = Table(
      caption: "Commands that wait",
      columns: [
        .init("Command"), .init("Asked by"), .init("Reason"), .init("Workspace"), .init("Since"), .init("Until"),
      ], rows: rows,
      empty: .empty("Nothing waits", "The policy approval.needs of a workspace says what needs two people."))
    return Page(
      "Approvals", area: address,
      intro: [.text("What needs two people is decided again, with the rights of both, when the second agrees.")],
      [table.block])
  }
}
