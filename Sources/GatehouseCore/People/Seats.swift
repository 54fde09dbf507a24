/// Taking seats of a product's pools (P9, T6).
extension Turn {
  /// Changes a user's access to a product, if there are seats for it; the gate checks that (`Counters`). Freeing a seat
  /// needs no check, because seats are counted from the accesses.
  public func setAccess(
    of user: UserID, to product: Product, from old: ProductAccess?, to new: ProductAccess
  ) {
    guard old != new else { return }
    if new.isEnabled {
      let isNew = old?.isEnabled != true
      if isNew { requireSeat(of: Product.everyAccess, product) }
      if let type = product.licenceName(new.licence), isNew || old?.licence != new.licence {
        requireSeat(of: type, product)
      }
    }
    emit(AccessSet(user, old: old, new: new))
  }

  private func requireSeat(of type: String, _ product: Product) {
    guard let pool = product.pools.first(where: { $0.type == type }) else { return }
    require(.seats(product.seatKey(type), bought: Int(pool.bought)))
  }

  /// The seats now in use of each pool.
  public func used(_ pools: [SeatKey]) throws(Halt) -> [Int] {
    if pools.isEmpty { return [] }
    guard let found = counters.used(pools, directory: directoryLSN) else { throw .needs(heldOwners) }
    read(found.lsn)
    return found.seats
  }

  /// Answers that a bound would not hold.
  ///
  /// - Parameter holders: some usernames that hold a seat of the full pool; the executor collects them beforehand,
  ///   partition by partition.
  public func answer(_ violation: CounterViolation, holders: [String]) {
    switch violation.bound {
    case .seats(let key, let bought, true): answer(noSeats(key, bought: bought, used: violation.used, holders))
    case .seats(let key, _, false):
      answer(
        .rule(
          "pool", "\(poolType(key)) has \(violation.used) seats in use",
          instead: key.licence == 0 ? "disable accesses first" : "remove licences first"))
    case .reaching: preconditionFailure("a decision that has counted too early is made again")
    case .liveSuperAdministrator(let name):
      answer(Self.lastSuperAdministrator(name))
    }
  }

  private func noSeats(_ key: SeatKey, bought: Int, used: Int, _ holders: [String]) -> Refusal {
    let type = poolType(key)
    let name = directory.product(key.product).map { directory.productName($0) } ?? String(key.product)
    var message = "\(type) bought \(bought), used \(used)"
    if !holders.isEmpty {
      let rest = used - holders.count
      message += " by " + holders.joined(separator: ", ")
      if rest > 0 { message += " and \(rest) more" }
    }
    message += seatsNeeded(key, free: bought - used)
    message += "; raise it with POOL.SET \(name) \(type)"
    // Of nobody nothing can be taken.
    if used > 0 {
      message += key.licence == 0 ? ", or disable somebody's access first" : ", or remove somebody's licence first"
      if used > holders.count, !holders.isEmpty { message += "; POOL.HOLDERS \(name) \(type) names all" }
    }
    return Refusal(.noSeats, message)
  }

  /// How many seats a command needs that adds several users, and which of them is the first to find none (P5).
  private func seatsNeeded(_ key: SeatKey, free: Int) -> String {
    var needed = 0
    var row = 0
    var first: Int?
    for change in changes {
      if change.as(UserCreated.self) != nil { row += 1 }
      needed += change.known?.step(of: key) ?? 0
      if needed > free, first == nil { first = row }
    }
    guard needed > 1 else { return "" }
    let finding = row > 1 ? first.map { ": row \($0) finds none" } ?? "" : ""
    return ", and \(needed) are needed\(finding)"
  }

  private func poolType(_ key: SeatKey) -> String {
    if key.licence == 0 { return Product.everyAccess }
    return directory.product(key.product)?.licenceName(key.licence) ?? String(key.licence)
  }
}

extension CounterViolation {
  /// The pool whose holders the refusal lists.
  public var fullPool: SeatKey? {
    guard case .seats(let key, _, true) = bound else { return nil }
    return key
  }
}

extension Turn {
  /// Adds the usernames of users who hold a seat of a pool, until there are `most`. Only those whose access to the product
  /// the caller may see: the others are a number (W4).
  ///
  /// - Parameters:
  ///   - first: the serial number to start with.
  ///   - rows: how many rows to look at.
  /// - Returns: where to continue; nil if all rows were looked at or `names` is full.
  public func addHolders(
    of key: SeatKey, in cell: HeldPartition, from first: Int, rows: Int, most: Int, to names: inout [String]
  ) -> Int? {
    let people = cell.state.people.users.last
    let end = min(first + rows, people + 1)
    for serial in first..<max(first, end) where names.count < most && cell.state.people.users[serial].isUsed {
      guard let access = cell.state.people.access(of: serial, to: key.product), access.takes(key) else { continue }
      let holder = UserReference(id: cell.state.id(serial), cell: cell, serial: serial)
      if !isLimited || showsAccess(of: holder, to: key.product) { names.append(holder.username) }
    }
    return end <= people && names.count < most ? end : nil
  }

  /// Whether the caller may see the access that a user has to a product.
  private func showsAccess(of user: UserReference, to product: ProductID) -> Bool {
    guard let workspace = directory.product(product)?.workspace else { return false }
    return shows(user) && seen(of: user).contains(product, of: workspace)
  }
}

extension Product {
  /// The key under which the seats of a pool are counted.
  public func seatKey(_ type: String) -> SeatKey {
    SeatKey(product: id, licence: type == Product.everyAccess ? 0 : licence(type) ?? 0)
  }
}

extension ProductAccess {
  /// Whether this access takes a seat of a pool.
  public func takes(_ key: SeatKey) -> Bool {
    isEnabled && product == key.product && (key.licence == 0 || licence == key.licence)
  }
}
