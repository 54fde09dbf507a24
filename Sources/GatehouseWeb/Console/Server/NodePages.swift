import GatehouseWire

/// The nodes that share the log: who leads, and how far each has got.
struct NodePages: ConsolePages {
  static let address = Address("nodes")

  var areas: [Area] { [Area("Nodes", .server, Self.address, needs: ["server.read"], isOfServer: true)] }

  func add(to console: ConsoleRouter) {
    console.get("nodes") { visit in .page(try await Self.list(visit)) }
  }

  private static func list(_ visit: Visit) async throws -> Page {
    let nodes = try await visit.read("NODE.LIST").elements ?? []
    let rows = nodes.map { node -> Table.Row in
      let isLeader = node["role"]?.string == "leader"
      let lag = node["lag"]?.integer ?? 0
      return Table.Row([
        [.strong(node["name"]?.string ?? "")]
          + (node["self"]?.integer == 1 ? [.text(" "), .muted("this one")] : []),
        [isLeader ? .badge("leads", .good) : .badge("follows", .quiet)]
          + (node["candidate"]?.integer == 0 ? [.text(" "), .badge("cannot lead", .warn)] : []),
        [.text("\(node["host"]?.string ?? ""):\(node["port"]?.integer ?? 0)")],
        [.text("\(node["lsn"]?.integer ?? 0)")],
        [lag == 0 ? .muted("none") : .text("\(lag)")],
        [.text("\(node["snapshot"]?.integer ?? 0)")],
        [.text(node["version"]?.string ?? "")],
      ])
    }
    let table = Table(
      caption: "Nodes",
      columns: [
        .init("Node"), .init("Role"), .init("Reached at"), .init("Last record"), .init("Records behind"),
        .init("Snapshot"), .init("Version"),
      ],
      rows: rows,
      empty: .empty(
        "This server is alone",
        "It shares its log with no other. README.md, Surviving the loss of a machine, says how it could."))
    let hasLeader = nodes.contains { $0["role"]?.string == "leader" }
    let warning: [Block] =
      hasLeader || nodes.isEmpty
      ? [] : [.notice(.warn, "No node leads", [.text("No changes are taken until one does.")])]
    return Page(
      "Nodes", area: address,
      intro: [.text("Servers that share their log. One leads and takes changes, the others follow and answer reads.")],
      warning + [table.block])
  }
}
