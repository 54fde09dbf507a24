/// Which rows of a partition a list, a count or a search has to look at, as the indexes tell.
struct PeopleSelection {
  /// All that are asked for are among these.
  private(set) var rows: SerialBits
  /// Whether a row that is among them is asked for without a look at it, unless it is in doubt.
  private var isExact: Bool
  /// The facets that leave a doubt: what holds now depends on the time.
  private var doubts: [Facet] = [.limited]
  /// The rows of the viewer's own, who may see more of themselves.
  private var own = SerialBits()

  /// - Returns: nil if the indexes tell nothing, so that every row must be looked at.
  init?<Row: ListedPerson>(_ conditions: [UserCondition], _ viewer: ListViewer, _ row: Row.Type, in cell: HeldPartition)
  {
    rows = SerialBits()
    isExact = Row.hasExactFacets
    var isNarrowed = false
    for condition in conditions {
      if let (facet, isExact, doubt) = condition.facet(for: viewer) {
        var found = SerialBits(Row.facets(in: cell)[facet])
        if let doubt {
          doubts.append(doubt)
          if let doubtful = Row.facets(in: cell)[doubt] { found.formUnion(doubtful) }
        }
        narrow(to: found, &isNarrowed)
        if !isExact { self.isExact = false }
      } else {
        isExact = false
        if let employees = condition.employees(in: cell) {
          narrow(to: SerialBits(contacts: employees.lazy.map(Int.init), Row.self, in: cell), &isNarrowed)
        } else if let named = condition.named(in: cell) {
          narrow(to: SerialBits(contacts: named.first(.max, from: 0), Row.self, in: cell), &isNarrowed)
        }
      }
    }
    if !viewer.isFree {
      if !viewer.isWhole { isExact = false }
      if let visible = viewer.rows(Row.self, in: cell) { narrow(to: visible, &isNarrowed) }
      // Only super administrators see super administrators.
      doubts.append(.role(.superAdministrator))
      own = viewer.ownRows(Row.self, in: cell)
    }
    if !isNarrowed, isExact, !viewer.isFree { narrow(to: Self.listed(Row.self, in: cell), &isNarrowed) }
    guard isNarrowed else { return nil }
  }

  /// The deleted logins, whatever else is asked of them.
  init<Row: ListedPerson>(deletedOf row: Row.Type, in cell: HeldPartition) {
    rows = SerialBits(Row.facets(in: cell)[.status(.deleted)])
    isExact = false
  }

  /// Everybody who is not deleted.
  private static func listed<Row: ListedPerson>(_ row: Row.Type, in cell: HeldPartition) -> SerialBits {
    var all = SerialBits(through: Row.last(in: cell))
    for status in Status.allCases where status != .deleted {
      if let set = Row.facets(in: cell)[.status(status)] { all.formUnion(set) }
    }
    return all
  }

  private mutating func narrow(to others: SerialBits, _ isNarrowed: inout Bool) {
    if isNarrowed { rows.formIntersection(others) } else { rows = others }
    isNarrowed = true
  }

  /// Takes those who are certain out of the selection.
  /// - Returns: how many they are.
  mutating func takeCertain<Row: ListedPerson>(_ row: Row.Type, in cell: HeldPartition) -> Int {
    guard isExact else { return 0 }
    let all = rows.count
    var doubtful = own
    for doubt in doubts {
      if let set = Row.facets(in: cell)[doubt] { doubtful.formUnion(set) }
    }
    rows.formIntersection(doubtful)
    return all - rows.count
  }
}

extension PeopleSelection {
  /// The rows that are asked for, with a look at those that are in doubt.
  ///
  /// - Parameter passes: whether a row is asked for.
  /// - Returns: nil if more would have to be looked at than a slice.
  func settled<Row: ListedPerson>(_ row: Row.Type, in cell: HeldPartition, _ passes: (Int) -> Bool) -> SerialBits? {
    var doubtful = self
    _ = doubtful.takeCertain(Row.self, in: cell)
    let few = doubtful.rows.first(Limits.rowsOfSlice + 1, from: 1)
    guard few.count <= Limits.rowsOfSlice else { return nil }
    var settled = rows
    for row in few where !passes(row) { settled.remove(row) }
    return settled
  }
}

extension SerialBits {
  init(_ set: SerialSet?) {
    self.init()
    if let set { formUnion(set) }
  }

  /// The rows of contacts.
  init<Row: ListedPerson>(contacts: some Sequence<Int>, _ row: Row.Type, in cell: HeldPartition) {
    self.init(through: Row.last(in: cell))
    for contact in contacts {
      if let row = Row.row(ofContact: contact, in: cell) { insert(row) }
    }
  }
}

extension UserCondition {
  /// The facet of all for whom the condition holds, whether it holds for all with that facet who have no time limits, and
  /// the facet of others for whom it may hold; nil if no facet tells.
  func facet(for viewer: ListViewer) -> (facet: Facet, isExact: Bool, doubt: Facet?)? {
    guard isEquality else { return nil }
    switch selected {
    case .status(let status): return (.status(status), true, nil)
    case .product(let product):
      return (.product(product), viewer.directory.product(product).map(viewer.seesAll) ?? false, nil)
    case .role(let role): return (.role(role), viewer.isFree && !isNarrower, nil)
    case .workspace(let workspace): return (.workspace(workspace), viewer.seesAll(of: workspace), nil)
    case .mainAccount(let account):
      return (.mainAccount(account.id), viewer.seesAll(of: account.workspace), .dated)
    case nil: return nil
    }
  }
}

extension ListViewer {
  /// Whether what is seen of anybody in a workspace is all that there is.
  func seesAll(of workspace: WorkspaceID) -> Bool { isFree || isWhole && reach.contains(workspace) }

  /// … or who has access to a product.
  func seesAll(of product: Product) -> Bool { isFree || isWhole && reach.contains(product) }

  /// Whether the viewer sees everybody of some workspaces, or of all, and nobody else but themselves and whom they are not
  /// above: a service that is bound to workspaces or products, or somebody whose rights are not over the people of accounts.
  var isWhole: Bool {
    guard sides.count == 1 else { return false }
    return sides[0].holdings.allSatisfy { !$0.permissions.contains(.userRead) || $0.employers == nil }
  }

  /// The rows of a partition among which all are that the viewer may see; nil if that may be any.
  func rows<Row: ListedPerson>(_ row: Row.Type, in cell: HeldPartition) -> SerialBits? {
    if isFree { return nil }
    if let people = people(in: cell) {
      return SerialBits(contacts: people.lazy.map(Int.init), Row.self, in: cell)
    }
    guard let members else { return nil }
    let facets = Row.facets(in: cell)
    var found = SerialBits()
    for workspace in members {
      if let filed = facets[.workspace(workspace)] { found.formUnion(filed) }
    }
    found.formUnion(ownRows(Row.self, in: cell))
    return found
  }

  /// The rows of a partition that are the viewer's own.
  func ownRows<Row: ListedPerson>(_ row: Row.Type, in cell: HeldPartition) -> SerialBits {
    var found = SerialBits()
    func find(_ contact: ContactID) {
      guard cell.state.partitioning.partition(of: contact) == cell.index else { return }
      if let row = Row.row(ofContact: cell.state.partitioning.serial(of: contact), in: cell) { found.insert(row) }
    }
    for side in sides {
      guard let person = side.person else { continue }
      find(person.contact)
      person.merged.forEach(find)
    }
    return found
  }
}
