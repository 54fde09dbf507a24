import GatehouseWire

/// The first page: where everything begins.
struct HomePages: ConsolePages {
  static let undo = Address("undo")

  var areas: [Area] { [] }

  func add(to console: ConsoleRouter) {
    console.get("") { visit in
      // Who may see nobody else begins with themselves.
      .redirect(await visit.holds("user.read") ? Address("people") : Address("people", String(visit.person.user)))
    }
    console.get("undo") { visit in
      let lsn = visit.query["lsn"]
      let confirmation = Confirmation(
        "Take it back", ["UNDO", lsn], to: Self.undo, hidden: [("lsn", lsn)], cancel: TrailPages.address,
        undo: "What is taken back can be done again.")
      return .page(Page("Take back record \(lsn)?", area: TrailPages.address, try await confirmation.blocks(visit)))
    }
    console.post("undo") { visit in
      let lsn = visit.form["lsn"]
      let reply = try await visit.write("UNDO", lsn)
      let command = reply["command"]?.string ?? "it"
      let flash = Flash("\(command) was taken back.")
      let here = visit.form["here"]
      return here.hasPrefix(Self.undo.text) ? .redirect(TrailPages.address, flash) : .back(here, flash)
    }
  }
}
