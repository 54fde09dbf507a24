/// Numbers that must hold over all partitions together: seats in use, and super administrators who may log in.
///
/// No partition and no thread owns them. They move at the gate, where records are appended to the log. Only there is a
/// total order of all records, so a bound that holds at each step holds for every prefix of the log. A command declares
/// a bound with `Turn.require`; nobody has to hold the directory or another partition to count.
public struct Counters: Sendable, Equatable {
  /// Seats in use, derived from product access.
  public private(set) var usage: [SeatKey: Int]
  /// The super administrators, and whether their logins are live (L18).
  public private(set) var superAdministrators: [UserID: Bool]
  /// How many of them have a live login.
  public private(set) var liveSuperAdministrators: Int
  /// The last record that moved a counter. A reply that shows a counter waits for it to be durable.
  public private(set) var lsn: LSN

  public init(usage: [SeatKey: Int] = [:], superAdministrators: [UserID: Bool] = [:], lsn: LSN = 0) {
    self.usage = usage
    self.superAdministrators = superAdministrators
    liveSuperAdministrators = superAdministrators.values.count { $0 }
    self.lsn = lsn
  }

  /// The seats in use of a pool.
  public func used(_ key: SeatKey) -> Int { usage[key] ?? 0 }

  // MARK: Moving

  /// Moves the counters by the changes of one record, if every bound holds afterwards; otherwise changes nothing.
  ///
  /// - Returns: the bound that would not hold, or nil.
  public mutating func move(
    by changes: [AnyChange], bounds: ContiguousArray<CounterBound>, lsn: LSN
  ) -> CounterViolation? {
    for bound in bounds {
      if let violation = violation(of: bound, after: changes) { return violation }
    }
    for change in changes where change.movesCounters { apply(change, lsn: lsn) }
    return nil
  }

  private func violation(of bound: CounterBound, after changes: [AnyChange]) -> CounterViolation? {
    switch bound {
    case .seats(let key, let bought, let isForTaking):
      let step = changes.reduce(0) { $0 + ($1.known?.step(of: key) ?? 0) }
      // Freeing seats is allowed even while too many are taken.
      let used = used(key)
      return used + step > bought && (step > 0 || !isForTaking) ? CounterViolation(bound: bound, used: used) : nil
    case .reaching(let key, let crossing, let told):
      let step = changes.reduce(0) { $0 + ($1.known?.step(of: key) ?? 0) }
      let used = used(key)
      let isToldRight = told == (crossing.isCrossed(used: used, step: step) ? used + step : nil)
      return isToldRight ? nil : CounterViolation(bound: bound, used: used)
    case .liveSuperAdministrator:
      var after = superAdministrators
      for change in changes { change.known?.move(&after) }
      let isLost = liveSuperAdministrators > 0 && !after.values.contains(true)
      return isLost ? CounterViolation(bound: bound, used: liveSuperAdministrators) : nil
    }
  }

  /// Applies the part of a change that moves counters, both live and at replay.
  public mutating func apply(_ change: AnyChange, lsn: LSN) {
    self.lsn = lsn
    if let access = change.as(AccessSet.self) {
      if let old = access.old { count(old, -1) }
      if let new = access.new { count(new, 1) }
    } else {
      change.known?.move(&superAdministrators)
      liveSuperAdministrators = superAdministrators.values.count { $0 }
    }
  }

  private mutating func count(_ access: ProductAccess, _ step: Int) {
    guard access.isEnabled else { return }
    add(step, SeatKey(product: access.product, licence: 0))
    if access.licence != 0 { add(step, SeatKey(product: access.product, licence: access.licence)) }
  }

  private mutating func add(_ step: Int, _ key: SeatKey) {
    let count = used(key) + step
    precondition(count >= 0, "less than zero seats in use")
    usage[key] = count == 0 ? nil : count
  }
}

extension Counters {
  static let sections: [StoredSection<StoredDirectory>] = [
    .list(4) { directory in
      directory.counters.usage.sorted { ($0.key.product, $0.key.licence) < ($1.key.product, $1.key.licence) }
    } write: { writer, entry in
      writer.varint(entry.key.product)
      writer.byte(entry.key.licence)
      writer.varint(entry.value)
    } read: { (directory, reader, _) throws(CodingError) in
      let key = SeatKey(product: try reader.number(), licence: try reader.byte())
      directory.counters.usage[key] = try reader.number()
    },
    .list(5) { directory in
      directory.counters.superAdministrators.sorted { $0.key < $1.key }
    } write: { writer, entry in
      writer.id(entry.key)
      writer.flag(entry.value)
    } read: { (directory, reader, _) throws(CodingError) in
      directory.counters.superAdministrators[try reader.id()] = try reader.flag()
    },
  ]

  /// The counters that were read, with derived values.
  func asOf(_ lsn: LSN) -> Counters { Counters(usage: usage, superAdministrators: superAdministrators, lsn: lsn) }
}

/// The key of a seat pool; licence 0 counts every enabled access.
public struct SeatKey: Sendable, Hashable {
  public let product: ProductID
  public let licence: UInt8

  public init(product: ProductID, licence: UInt8) {
    self.product = product
    self.licence = licence
  }
}

/// A condition on the counters that must hold after a command's changes.
public enum CounterBound: Sendable, Equatable {
  /// No more seats of a pool are in use than were bought. With `isForTaking`, only a command that takes one is refused.
  case seats(SeatKey, bought: Int, isForTaking: Bool = true)
  /// B10: the record tells that a pool comes to be nearly taken, and how many seats it then has taken, or nil if it does not
  /// come to that. The decision has counted before, so it may be wrong.
  case reaching(SeatKey, LowSeatsCrossing, told: Int?)
  /// L18: if there was a super administrator who may log in, one remains; the name is that of the one who would go.
  case liveSuperAdministrator(than: String)
}

/// Where decisions read counters. The values may be out of date by the time of logging; conditions must be bounds.
public protocol CounterReader: AnyObject, Sendable {
  /// The seats in use of each pool, and the last record that moved a counter.
  ///
  /// - Parameter directory: the last change of the directory that the reader knows.
  /// - Returns: nil if the directory has changed since. Otherwise the reader could show more seats in use than its old
  ///   directory says were bought.
  func used(_ pools: [SeatKey], directory: LSN) -> (seats: [Int], lsn: LSN)?

  /// All counters; nil as above.
  func counters(beside directory: LSN) -> Counters?
}

/// A bound that a command would break, and the current count.
public struct CounterViolation: Error, Sendable, Equatable {
  public let bound: CounterBound
  public let used: Int

  /// Whether the decision must only be made again, over the count as it is now.
  public var isOutOfDate: Bool {
    switch bound {
    case .reaching: true
    case .seats, .liveSuperAdministrator: false
    }
  }
}
