/// What a user may do in a product, and the licence held for it.
public struct AccessSet: PartitionChange {
  public static var code: UInt8 { 7 }
  public static var name: String { "access-set" }

  public var user = UserID.none
  public var old: ProductAccess?
  public var new: ProductAccess?

  public init() {}

  public init(_ user: UserID, old: ProductAccess?, new: ProductAccess?) {
    self.user = user
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.change("access", old: &old, new: &new, as: AccessForm.self)
  }

  public var concern: Concern { .user(user) }

  public func carryOut(on person: inout PersonFacts) {
    if person.id == user { person.accesses = ProductAccess.list(person.accesses, with: new, insteadOf: old) }
  }

  public var movesCounters: Bool { true }

  public func step(of key: SeatKey) -> Int { (new?.takes(key) == true ? 1 : 0) - (old?.takes(key) == true ? 1 : 0) }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    let list = ProductAccess.list(state.allAccess(of: serial), with: new, insteadOf: old)
    let compact = list.compactMap(\.compact)
    if list.count <= 2, compact.count == list.count {
      if state.users[serial].flags.contains(.manyProducts) {
        state.users[serial].flags.remove(.manyProducts)
        var details = state.users.details(of: serial)
        details.set(UserTag.access, UnsafeRawBufferPointer(start: nil, count: 0))
        state.users.setDetails(of: serial, details.bytes)
      }
      state.users[serial].access = (compact.first ?? 0, compact.count > 1 ? compact[1] : 0)
    } else {
      var details = state.users.details(of: serial)
      details.encode(UserTag.access) { $0.list(list) { $0.varint($1.packed) } }
      state.users.setDetails(of: serial, details.bytes)
      state.users[serial].flags.insert(.manyProducts)
      state.users[serial].access = (0, 0)
    }
    state.touch(user: serial, lsn)
  }
}
