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

  public var facts: [Fact] { (new ?? old).map { [.access(user, $0.product)] } ?? [] }

  public var concern: Concern { .user(user) }

  public func apply(to person: inout PersonFacts) {
    if person.id == user { person.accesses = ProductAccess.list(person.accesses, with: new, insteadOf: old) }
  }

  public var movesCounters: Bool { true }

  public func step(of key: SeatKey) -> Int { (new?.takes(key) == true ? 1 : 0) - (old?.takes(key) == true ? 1 : 0) }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    let list = ProductAccess.list(state.people.allAccess(of: serial), with: new, insteadOf: old)
    state.people.setAccess(of: serial, list, lsn)
    state.people.noteSeat(of: serial, from: old, to: new, at: header.time)
    state.people.noteLimits(of: serial, new?.limits, at: header.time)
  }
}
