/// `DRYRUN`: a write is decided as usual, with all refusals, and then discarded (B2).
///
/// The answer shows what the command would change, which logins it would allow or deny, and which seats it would move; and,
/// where it would have to wait for a second person, what asks for one (B13).
/// The changes are applied to copy-on-write copies of the owners. So logins are checked by the usual rules, once over
/// the current state and once over the resulting one.
extension Turn {
  /// Whether the command is only tried.
  var isDryRun: Bool { gate.isTriable && has("DRYRUN") }

  /// Notes by which permissions a command does something, where its table entry does not name the target.
  func noteTried(_ permissions: [Permission], over target: Target) {
    if isDryRun { tried.append(PermissionUse(permissions: permissions, target: target)) }
  }

  /// Makes the effects of the decision the answer, and discards the decision.
  func preview() throws(Halt) {
    // What changes nothing waits for nobody.
    let demand = hasChanges ? demand : nil
    // Sessions that have lost their right would end in the same record.
    for (id, cause) in lapsed { try endSession(id, cause) }
    let (before, after) = try movedCounters()
    let prospect = Prospect(self)
    let (shown, reach) = try changesToShow(prospect)
    let names = try people(in: shown, reach).names(in: shown)
    let logins = try loginsTouched(prospect)
    let seats = seatsMoved(from: before, to: after, prospect.directory)
    reply.reset()
    reply.map(demand == nil ? 5 : 6)
    if let demand {
      reply.text("approval")
      reply.map(2)
      show(demand)
    }
    reply.text("changes")
    reply.array(shown.count)
    for change in shown { reply.show(text(of: change, reach, prospect)) }
    show(logins, prospect)
    show(seats, prospect.directory)
    reply.show(names: names)
    forgetDecision()
  }

  /// The gate's counters before and after the changes, if it would let them pass.
  func movedCounters() throws(Halt) -> (before: Counters, after: Counters) {
    guard let before = counters.counters(beside: directoryLSN) else { throw .needs(heldOwners) }
    read(before.lsn)
    var after = before
    if let violation = after.move(by: changes, bounds: bounds, lsn: before.lsn) {
      throw violation.isOutOfDate ? .needs(heldOwners) : .bound(violation)
    }
    return (before, after)
  }

  /// Discards what was noticed in passing as well: uses of sessions, refused logins, sessions that have lost their
  /// right.
  func forgetDecision() {
    dropChanges()
    bounds.removeAll(keepingCapacity: true)
    seen.removeAll(keepingCapacity: true)
    lapsed.removeAll(keepingCapacity: true)
    tried.removeAll()
    hasRefusal = false
    hasAdmission = false
  }

  // MARK: Changes

  /// The changes that the caller may see: in the workspaces and products where the trail is theirs to read, or where
  /// they may do what the command does.
  private func changesToShow(_ prospect: Prospect) throws(Halt) -> (changes: [AnyChange], reach: AuditReach) {
    var uses = tried
    var permissions = [Permission.auditRead]
    if case .permissions(let needed, let ground, _) = spec.need {
      if let target = try target(ground) {
        uses = [PermissionUse(permissions: needed, target: target)]
      } else {
        permissions += needed
      }
    }
    var reach = AuditReach(sides.reduce(.all) { $0.intersection(reachShown(to: $1, permissions, uses)) })
    if reach.isAll { return (changes, reach) }
    // Who administers a product alone has no workspace in reach.
    for id in AuditReach.products(of: changes) {
      guard let product = prospect.directory.product(id) else { continue }
      let site = site(of: product)
      let isInReach = sides.allSatisfy { side in
        isOwn(uses, of: side)
          || (permissions + uses.flatMap(\.permissions)).contains { permission in
            side.holdings.contains { $0.covers(site, permission) }
          }
      }
      if isInReach { reach.products.insert(id) }
    }
    let facts = try subjectFacts(of: changes, for: reach) { (partition) throws(Halt) in
      try prospect.cell(partition, self)
    }
    let shown = changes.filter { change in
      reach.shows(change, at: .max, facts, in: prospect.directory) && change.organisations.allSatisfy(knows)
    }
    return (shown, reach)
  }

  /// Whether what a command does is a side's own alone.
  private func isOwn(_ uses: [PermissionUse], of side: Side) -> Bool {
    !uses.isEmpty && uses.allSatisfy { $0.target.user.map(side.isOneself) == true }
  }

  /// What a side is shown: where it holds one of the permissions over everybody, and of whom and where the command does
  /// something that it may do.
  private func reachShown(to side: Side, _ permissions: [Permission], _ uses: [PermissionUse]) -> Reach {
    if isOwn(uses, of: side) { return .all }
    let everybody = permissions.reduce(Reach.only([])) { $0.union(side.reach(of: $1)) }
    return uses.reduce(everybody) { reach, use in
      ([.auditRead] + use.permissions).reduce(reach) { reach, permission in
        let there = use.target.user.map { side.reach(of: permission, over: $0, in: directory, at: now) }
        return reach.union(there ?? side.reach(of: permission)).union(reachOfAccount(use.target, side, permission))
      }
    }
  }

  /// The workspace of the account or group that a command concerns, if a side may do what the command does there.
  private func reachOfAccount(_ target: Target, _ side: Side, _ permission: Permission) -> Reach {
    guard case .site(let site) = target.site, side.holdings.contains(where: { $0.covers(site, permission) })
    else { return .only([]) }
    switch site {
    case .account(_, let workspace), .group(_, let workspace): return .only([workspace])
    case .server, .workspace, .product, .anyOf: return .only([])
    }
  }

  /// The text of a change without the ids that it would take. The next free one tells how much others have made
  /// meanwhile, and would be another by the time that the command is carried out.
  private func text(of change: AnyChange, _ reach: AuditReach, _ prospect: Prospect) -> ChangeText {
    let text = reach.text(of: withoutNewIDs(change), in: prospect.directory)
    if let role = change.as(RoleDefined.self)?.role, directory.definition(of: role) != nil { return text }
    return text.withoutNumber
  }

  private func withoutNewIDs(_ change: AnyChange) -> AnyChange {
    func rewritten(_ change: some Change) -> AnyChange {
      var copy = change
      var eraser = NewIDEraser(turn: self)
      copy.visit(&eraser)
      return copy.carried
    }
    return change.known.map { rewritten($0) } ?? change
  }

  /// Whether the command would give out an id.
  func isNew(_ id: any EntityIdentifier) -> Bool {
    if let session = id as? SessionID {
      return held(partitioning.partition(of: session)).map { $0.state.slot(of: session) == nil } ?? false
    }
    return isTaken(id)
  }

  // MARK: Seats

  private struct MovedSeats {
    let product: Product
    let type: String
    let used: (before: Int, after: Int)
    /// nil where there is no pool.
    let bought: (before: UInt32?, after: UInt32?)
  }

  /// The pools of which seats are taken or given back, and those of which seats are bought.
  private func seatsMoved(from before: Counters, to after: Counters, _ directory: Directory) -> [MovedSeats] {
    var products = Set(changes.compactMap { $0.as(PoolSet.self)?.product })
    for access in changes.compactMap({ $0.as(AccessSet.self) }) {
      products.formUnion([access.old, access.new].compactMap { $0?.product })
    }
    var moved: [MovedSeats] = []
    for id in products.sorted() {
      guard let product = directory.product(id), allows(.poolRead, over: site(of: product)) else { continue }
      let old = self.directory.product(id)
      for pool in product.pools {
        let key = product.seatKey(pool.type)
        let used = (before: before.used(key), after: after.used(key))
        let bought = (before: old?.pools.first { $0.type == pool.type }?.bought, after: Optional(pool.bought))
        guard used.before != used.after || bought.before != bought.after else { continue }
        moved.append(MovedSeats(product: product, type: pool.type, used: used, bought: bought))
      }
    }
    return moved
  }

  private func show(_ seats: [MovedSeats], _ directory: Directory) {
    reply.text("seats")
    reply.array(seats.count)
    for seat in seats {
      reply.map(6)
      reply.text("product")
      reply.text(directory.productName(seat.product))
      reply.text("type")
      reply.text(seat.type)
      reply.text("before")
      reply.integer(seat.used.before)
      reply.text("after")
      reply.integer(seat.used.after)
      reply.text("bought-before")
      reply.optional(seat.bought.before.map(Int64.init))
      reply.text("bought-after")
      reply.optional(seat.bought.after.map(Int64.init))
    }
  }
}

/// Permissions any of which is enough for what a command does somewhere.
struct PermissionUse {
  let permissions: [Permission]
  let target: Target
}

/// Replaces the ids that a command would give out.
private struct NewIDEraser: FieldVisitor {
  typealias Failure = Never

  let turn: Turn

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    // A cast looks the conformance up, which costs a tenth of a dry run; texts and most other values have another size.
    guard MemoryLayout<Form.Value>.size <= MemoryLayout<UserID?>.size else { return }
    if let id = value as? any EntityIdentifier, turn.isNew(id), let none = type(of: id).none as? Form.Value {
      value = none
    }
  }

  mutating func later() {}
}

/// The owners as they would be after a decision.
final class Prospect {
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
