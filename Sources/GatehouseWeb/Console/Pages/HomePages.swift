import GatehouseWire

/// The first page: where everything begins.
struct HomePages: ConsolePages {
  var areas: [Area] { [] }

  func add(to console: ConsoleRouter) {
    console.get("") { visit in
      // Who may see nobody else begins with themselves.
      .redirect(await visit.holds("user.read") ? Address("people") : Address("people", String(visit.person.user)))
    }
    console.post("undo") { visit in
      let lsn = visit.form["lsn"]
      let reply = try await visit.write("UNDO", lsn)
      let command = reply["command"]?.string ?? "it"
      return .back(visit.form["here"], Flash("\(command) was taken back."))
    }
  }
}
