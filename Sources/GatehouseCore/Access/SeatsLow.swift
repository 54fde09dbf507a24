/// B10: a pool has come to be 90 % taken. It is told once each time that a pool gets there.
///
/// Whether a record takes a pool there is known only at the gate, where the seats are counted in the order of the log. So the
/// decision says what it expects, and has the gate hold it against the count (`CounterBound.reaching`): if somebody else has
/// taken a seat meanwhile, it decides again.
public struct SeatsLow: FolderChange {
  public static var code: UInt8 { 95 }
  public static var name: String { "seats-low" }

  public var product: ProductID = 0
  public var type = ""
  public var bought: UInt32 = 0
  public var used: UInt32 = 0

  public init() {}

  public init(_ product: ProductID, type: String, bought: Int, used: Int) {
    self.product = product
    self.type = type
    self.bought = UInt32(clamping: bought)
    self.used = UInt32(clamping: used)
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&product, as: ProductForm.self)
    try visitor.field("type", &type, as: TextForm.self)
    try visitor.field("bought", &bought, as: NumberForm<UInt32>.self)
    try visitor.field("used", &used, as: NumberForm<UInt32>.self)
  }

  /// From how many seats on a pool counts as nearly taken; never if none were bought.
  static func threshold(bought: Int) -> Int { bought == 0 ? .max : (bought * 9 + 9) / 10 }
}

extension Turn {
  /// Tells of each pool that the decision's changes bring to where few seats are left. Asked once, when all changes are
  /// decided: the changes of a command count together.
  func tellLowSeats() throws(Halt) {
    guard !traits.isDisjoint(with: [.movesCounters, .changesDirectory]) else { return }
    let moved = poolsMoved()
    let used = try used(moved.map(\.key))
    for (pool, used) in zip(moved, used) {
      let isReached = pool.crossing.isCrossed(used: used, step: pool.step)
      require(.reaching(pool.key, pool.crossing, told: isReached ? used + pool.step : nil))
      guard isReached else { continue }
      emit(SeatsLow(pool.key.product, type: pool.type, bought: pool.crossing.after, used: used + pool.step))
    }
  }

  private struct MovedPool {
    let key: SeatKey
    let type: String
    let crossing: LowSeatsCrossing
    let step: Int
  }

  /// The pools of which the changes take seats, or say how many were bought.
  private func poolsMoved() -> [MovedPool] {
    var sets: [PoolSet] = []
    var products = Set<ProductID>()
    for change in changes {
      if let set = change.as(PoolSet.self) {
        sets.append(set)
        products.insert(set.product)
      } else if let access = change.as(AccessSet.self) {
        // Most products have no pools.
        for id in [access.old?.product, access.new?.product] {
          if let id, directory.product(id)?.pools.isEmpty == false { products.insert(id) }
        }
      }
    }
    if products.isEmpty { return [] }
    return products.sorted().compactMap { directory.product($0) }.flatMap { product in
      let new = sets.filter { set in set.product == product.id && !product.pools.contains { $0.type == set.type } }
      return (product.pools + new.map { Pool(type: $0.type, bought: 0) }).compactMap { pool -> MovedPool? in
        let key = product.seatKey(pool.type)
        let set = sets.last { $0.product == product.id && $0.type == pool.type }
        // A new type has no holders yet.
        if set?.seats.old == nil, set != nil, pool.type != Product.everyAccess { return nil }
        let step = changes.reduce(0) { $0 + ($1.known?.step(of: key) ?? 0) }
        guard set != nil || step > 0 else { return nil }
        let after = set.map { Int($0.seats.new) } ?? Int(pool.bought)
        return MovedPool(
          key: key, type: pool.type, crossing: LowSeatsCrossing(before: Int(pool.bought), after: after), step: step)
      }
    }
  }
}

/// How many seats were and will be bought of a pool, from which follows when it counts as nearly taken.
public struct LowSeatsCrossing: Sendable, Equatable {
  let before: Int
  let after: Int

  func isCrossed(used: Int, step: Int) -> Bool {
    used < SeatsLow.threshold(bought: before) && used + step >= SeatsLow.threshold(bought: after)
  }
}
