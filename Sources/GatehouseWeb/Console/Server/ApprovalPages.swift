import GatehouseWire

/// Commands that wait for a second person.
struct ApprovalPages: ConsolePages {
  static let address = Address("approvals")

  var areas: [Area] { [Area("Approvals", .server, Self.address)] }

  func add(to console: ConsoleRouter) {
    console.get("approvals") { visit in .page(try await Self.page(visit)) }
    console.post("approvals/:id/:what") { visit in
      let isGranted = visit.parameter("what") == "grant"
      _ = try await visit.write(isGranted ? "APPROVAL.GRANT" : "APPROVAL.REFUSE", visit.parameter("id"))
      return .redirect(
        Self.address, Flash(isGranted ? "It is approved, and was carried out." : "It is refused, and will not be done.")
      )
    }
  }

  private static func page(_ visit: Visit) async throws -> Page {
    let waiting = try await visit.read("APPROVAL.LIST").elements ?? []
    var rows: [Table.Row] = []
    for one in waiting {
      let id = String(one["approval"]?.integer ?? 0)
      let asker = one["requested-by"]?.string ?? ""
      let grant = Button.post("Approve", Address("approvals", id, "grant"), [], .primary)
      let refuse = Button.post(
        asker == visit.person.username ? "Withdraw" : "Refuse", Address("approvals", id, "refuse"))
      let buttons = [
        Button.asked(await visit.verdict("APPROVAL.GRANT", id), grant, "Approve"),
        Button.asked(await visit.verdict("APPROVAL.REFUSE", id), refuse, "Refuse"),
      ]
      rows.append(
        Table.Row(
          [
            [.code(one["command"]?.string ?? "")], [.text(asker)], [.value(one["reason"])], [.value(one["workspace"])],
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
