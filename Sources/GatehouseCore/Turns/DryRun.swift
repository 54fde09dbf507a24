/// `DRYRUN`: a write is decided as usual, with all refusals, and then discarded (B2).
///
/// The answer shows what the command would change, which logins it would allow or deny, and which seats it would move.
/// The changes are applied to copy-on-write copies of the owners. So logins are checked by the usual rules, once over
/// the current state and once over the resulting one.
extension Turn {
  /// Whether the command is only tried.
  var isDryRun: Bool { gate.isWrite && has("DRYRUN") }

  /// Makes the effects of the decision the answer, and discards the decision.
  func preview() throws(Halt) {
    // Sessions that have lost their right would end in the same record.
    for (id, cause) in lapsed { try endSession(id, cause) }
    guard let before = counters.counters(beside: directoryLSN) else { throw .needs(heldOwners) }
    read(before.lsn)
    var after = before
    if let violation = after.move(by: changes, bounds: bounds, lsn: before.lsn) { throw .bound(violation) }
    let prospect = Prospect(self)
    let (shown, reach) = try changesToShow(prospect)
    let logins = try loginsTouched(prospect)
    let seats = seatsMoved(from: before, to: after, prospect.directory)
    reply.reset()
    reply.map(3)
    reply.text("changes")
    reply.array(shown.count)
    for change in shown { reply.show(reach.text(of: change, in: prospect.directory)) }
    show(logins, prospect)
    show(seats, prospect.directory)
    forgetDecision()
  }

  /// Discards what was noticed in passing as well: uses of sessions, refused logins, sessions that have lost their
  /// right.
  func forgetDecision() {
    dropChanges()
    bounds.removeAll(keepingCapacity: true)
    seen.removeAll(keepingCapacity: true)
    lapsed.removeAll(keepingCapacity: true)
    hasRefusal = false
  }

  // MARK: Changes

  /// The changes that the caller may see: those in workspaces where they may read the trail or have the command's
  /// permission.
  private func changesToShow(_ prospect: Prospect) throws(Halt) -> (changes: [AnyChange], reach: AuditReach) {
    var user: UserReference?
    var permissions = [Permission.auditRead]
    if case .permissions(let needed, let ground, _) = spec.need {
      permissions += needed
      user = try target(ground)?.user
    }
    let reach = AuditReach(
      sides.reduce(.all) { reach, side in
        if let user, side.isOneself(user) { return reach }
        return reach.intersection(permissions.reduce(.only([])) { $0.union(side.reach(of: $1)) })
      })
    if reach.isAll { return (changes, reach) }
    let subjectWorkspaces = try subjectWorkspaces(of: changes) { (partition) throws(Halt) in
      try prospect.cell(partition, self)
    }
    return (changes.filter { reach.shows($0, subjectWorkspaces, in: prospect.directory) }, reach)
  }

  // MARK: Logins

  private struct TouchedLogin {
    let user: UserReference
    let product: Product
    let before: LoginDenial?
    let after: LoginDenial?
  }

  private func loginsTouched(_ prospect: Prospect) throws(Halt) -> [TouchedLogin] {
    var touched: [TouchedLogin] = []
    var ids = Set(try peopleConcerned().map(\.id))
    for change in changes { if let created = change.as(UserCreated.self) { ids.insert(created.user) } }
    for id in ids.sorted() { try addLogins(of: id, nil, prospect, to: &touched) }
    let products = productsRuledAnew(prospect)
    if products.isEmpty { return touched }
    // A change of the demands on everybody who enters a product can affect every login to it.
    let cells = try everything()
    guard cells.reduce(0, { $0 + $1.state.people.users.last }) <= Limits.rowsOfTransaction else {
      throw .refused(
        .limit("dryrun: it would read more than \(Limits.rowsOfTransaction) users at once; leave DRYRUN out"))
    }
    for cell in cells {
      for serial in 1..<(cell.state.people.users.last + 1) where cell.state.people.users[serial].isUsed {
        let id: UserID = cell.state.id(serial)
        if !ids.contains(id) { try addLogins(of: id, products, prospect, to: &touched) }
      }
    }
    return touched
  }

  /// The products whose demands on logins change.
  private func productsRuledAnew(_ prospect: Prospect) -> Set<ProductID> {
    var products: Set<ProductID> = []
    for change in changes {
      if let pool = change.as(PoolSet.self) { products.insert(pool.product) }
      if let set = change.as(WorkspaceSet.self) { products.formUnion(directory.products(of: set.workspace)) }
    }
    return products.filter { product in
      let (old, new) = (directory.facts(ofProduct: product), prospect.directory.facts(ofProduct: product))
      let workspace = directory.workspace(old.workspace)
      let policies = prospect.directory.workspace(old.workspace).policies
      return old.needsLicence != new.needsLicence || workspace.policies != policies
    }
  }

  /// - Parameter products: the products to check; nil for all that the user has or gets.
  private func addLogins(
    of id: UserID, _ products: Set<ProductID>?, _ prospect: Prospect, to touched: inout [TouchedLogin]
  ) throws(Halt) {
    let old = try user(id)
    guard let new = try prospect.user(id, self) else { return }
    let accesses =
      (old?.cell.state.people.allAccess(of: new.serial) ?? []) + new.cell.state.people.allAccess(of: new.serial)
    for product in Set(accesses.map(\.product)).sorted() where products?.contains(product) ?? true {
      guard let named = directory.product(product) ?? prospect.directory.product(product) else { continue }
      let before = old.map { $0.loginDenial(to: product, in: directory, at: now) } ?? .unknownUser
      let after = new.loginDenial(to: product, in: prospect.directory, at: now)
      guard (before == nil) != (after == nil), maySee(old ?? new, in: named) else { continue }
      touched.append(TouchedLogin(user: new, product: named, before: before, after: after))
    }
  }

  /// Whether the caller may see the login.
  private func maySee(_ user: UserReference, in product: Product) -> Bool {
    sides.allSatisfy {
      $0.isOneself(user) || $0.allows(.userRead, over: site(of: product), of: user, in: directory, at: now)
    }
  }

  private func show(_ logins: [TouchedLogin], _ prospect: Prospect) {
    func answer(_ denial: LoginDenial?) { reply.text(denial?.answer ?? "ALLOW") }
    reply.text("logins")
    reply.array(logins.count)
    for login in logins {
      reply.map(5)
      reply.text("user")
      reply.integer(login.user.id.raw)
      reply.text("username")
      reply.text(login.user.username)
      reply.text("product")
      reply.text(prospect.directory.productName(login.product))
      reply.text("before")
      answer(login.before)
      reply.text("after")
      answer(login.after)
    }
  }

  // MARK: Seats

  private struct MovedSeats {
    let product: Product
    let type: String
    let before: Int
    let after: Int
  }

  private func seatsMoved(from before: Counters, to after: Counters, _ directory: Directory) -> [MovedSeats] {
    let accesses = changes.compactMap { $0.as(AccessSet.self) }.flatMap { [$0.old, $0.new] }.compactMap { $0 }
    var moved: [MovedSeats] = []
    for id in Set(accesses.map(\.product)).sorted() {
      guard let product = directory.product(id), allows(.poolRead, over: site(of: product)) else { continue }
      for pool in product.pools {
        let key = product.seatKey(pool.type)
        let (old, new) = (before.used(key), after.used(key))
        if old != new { moved.append(MovedSeats(product: product, type: pool.type, before: old, after: new)) }
      }
    }
    return moved
  }

  private func show(_ seats: [MovedSeats], _ directory: Directory) {
    reply.text("seats")
    reply.array(seats.count)
    for seat in seats {
      reply.map(4)
      reply.text("product")
      reply.text(directory.productName(seat.product))
      reply.text("type")
      reply.text(seat.type)
      reply.text("before")
      reply.integer(seat.before)
      reply.text("after")
      reply.integer(seat.after)
    }
  }
}

/// The owners as they would be after a decision.
private final class Prospect {
  let directory: Directory
  private var copies: [Int: PartitionCell] = [:]

  /// - Parameter turn: a turn that has decided, and holds all owners that its changes modify.
  init(_ turn: Turn) {
    directory = turn.directory.changed(by: turn.changes, lsn: .max, time: turn.now)
    let header = turn.recordHeader
    for change in turn.changes where !change.changesDirectory {
      change.applyToOwners(turn.partitioning, lsn: .max, header: header) { partition in
        copy(partition, turn).held
      } directory: {
        preconditionFailure("a change of partitions was applied to the directory")
      }
    }
  }

  private func copy(_ partition: Int, _ turn: Turn) -> PartitionCell {
    if let copy = copies[partition] { return copy }
    guard let held = try? turn.cell(partition) else {
      preconditionFailure("\(turn.spec.name) changes partition \(partition) without holding it")
    }
    let copy = PartitionCell(held.state.copy())
    copies[partition] = copy
    return copy
  }

  /// A partition as it would be.
  func cell(_ partition: Int, _ turn: Turn) throws(Halt) -> HeldPartition {
    if let copy = copies[partition] { return copy.held }
    return try turn.cell(partition)
  }

  func user(_ id: UserID, _ turn: Turn) throws(Halt) -> UserReference? {
    let cell = try cell(turn.partitioning.partition(of: id), turn)
    return cell.state.serial(of: id).map { UserReference(id: id, cell: cell, serial: $0) }
  }
}
