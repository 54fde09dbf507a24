import GatehouseWire

/// The first page: where everything begins.
struct HomePages: ConsolePages {
  var areas: [Area] { [] }

  func add(to console: ConsoleRouter) {
    console.get("") { _ in .redirect(Address("people")) }
    console.post("undo") { visit in
      let lsn = visit.form["lsn"]
      let reply = try await visit.write("UNDO", lsn)
      let command = reply["command"]?.string ?? "it"
      return .back(visit.form["here"], Flash("\(command) was taken back."))
    }
  }
}
