import GatehouseWire

/// People: the list, one person, adding, changing and ending.
struct PeoplePages: ConsolePages {
  static let address = Address("people")

  var areas: [Area] { [Area("People", .people, Self.address, needs: ["user.read"])] }

  func add(to console: ConsoleRouter) {
    console.get("people") { visit in .page(try await PeopleListPage(visit).page()) }
    console.get("people/:user") { visit in
      .page(try await PersonPage(visit: visit, person: Person(visit)).page())
    }
    addViews(console)
    BulkPages().add(to: console)
    ImportPages().add(to: console)
    ExportPages().add(to: console)
    MergePages().add(to: console)
    NewPersonPages().add(to: console)
    PersonChangePages().add(to: console)
    EmploymentPages().add(to: console)
    ManagedPages().add(to: console)
    LinkPages().add(to: console)
    CopyAccessPages().add(to: console)
    LicencePages().add(to: console)
    SignInCarePages().add(to: console)
    PersonWithdrawalPages().add(to: console)
    PersonEndPages().add(to: console)
    PersonTrailPages().add(to: console)
  }

  /// Views that somebody saves in their browser.
  private func addViews(_ console: ConsoleRouter) {
    console.post("people/views") { visit in
      let name = String(visit.form["name"].prefix(40))
      let query = visit.form["query"]
      guard !name.isEmpty else { throw CommandFailure("ERR the view has no name; give it one") }
      var views = PeopleViews.read(visit.cookie(.views)).filter { $0.name != name }
      views.append(.init(name: name, query: query))
      guard let cookie = PeopleViews.cookie(views) else {
        throw CommandFailure("LIMIT views: they no longer fit into the browser; forget some, or bookmark the address")
      }
      visit.set(.views, cookie, seconds: 365 * 86_400)
      return .back(
        Self.address.text + (query.isEmpty ? "" : "?" + query), Flash("The view \(name) is saved in this browser."))
    }
    console.post("people/views/forget") { visit in
      visit.set(.views, nil)
      return .redirect(Self.address, Flash("Your saved views are forgotten."))
    }
  }
}
