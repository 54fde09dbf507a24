/// Taking seats of a product's pools (P9, T6).
extension Turn {
  /// Changes a user's access to a product, if the seats that this takes are there. Giving seats back needs
  /// nothing: they are counted from the accesses.
  public func setAccess(
    of user: UserID, to product: Product, from old: ProductAccess?, to new: ProductAccess
  ) throws(Halt) {
    guard old != new else { return }
    _ = try directoryState()
    if new.isEnabled {
      let isNew = old?.isEnabled != true
      if isNew { try takeSeat(of: Product.everyAccess, product) }
      if let type = product.licenceName(new.licence), isNew || old?.licence != new.licence {
        try takeSeat(of: type, product)
      }
    }
    emit(.accessSet(user, old: old, new: new))
  }

  private func takeSeat(of type: String, _ product: Product) throws(Halt) {
    guard let pool = product.pools.first(where: { $0.type == type }) else { return }
    let cell = try directoryState()
    read(cell.state.lsn)
    let key = SeatKey(product: product.id, licence: type == Product.everyAccess ? 0 : product.licence(type) ?? 0)
    let used = cell.state.used(product.id, licence: key.licence) + taken(key)
    guard used >= Int(pool.bought) else { return }
    var message = "\(type) bought \(pool.bought), used \(used)"
    if key.licence != 0 { message += try holders(of: key) }
    message += "; raise it with POOL.SET \(directory.productName(product)) \(type), or "
    message += key.licence == 0 ? "disable somebody's access first" : "remove somebody's licence first"
    throw .refused(Refusal(.noSeats, message))
  }

  /// Seats that this very command takes, less those it gives back.
  private func taken(_ key: SeatKey) -> Int {
    var count = 0
    for case .accessSet(_, let old, let new) in changes {
      if let old, old.takes(key) { count -= 1 }
      if let new, new.takes(key) { count += 1 }
    }
    return count
  }

  /// ` by ana, bob and 3 more`: the first who hold a seat. Only a refusal looks through everybody.
  private func holders(of key: SeatKey) throws(Halt) -> String {
    let shown = 5
    var names: [String] = []
    var count = 0
    for cell in try everything() {
      for serial in 1..<(cell.state.users.last + 1) where cell.state.users[serial].isUsed {
        guard let access = cell.state.access(of: serial, to: key.product), access.takes(key) else { continue }
        count += 1
        if names.count < shown { names.append(cell.state.username(serial)) }
      }
    }
    if names.isEmpty { return "" }
    let rest = count - names.count
    return " by " + names.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}

extension ProductAccess {
  /// Whether this access takes a seat of a pool.
  public func takes(_ key: SeatKey) -> Bool {
    isEnabled && product == key.product && (key.licence == 0 || licence == key.licence)
  }
}
