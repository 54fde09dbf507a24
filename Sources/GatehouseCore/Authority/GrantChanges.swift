/// A user gets a role, or another mark on one that it has.
public struct RoleGranted: PartitionChange {
  public static var code: UInt8 { 8 }
  public static var name: String { "role-granted" }

  public var user = UserID.none
  public var grant = Grant(role: .individual, scope: .everywhere, isMain: false)

  public init() {}

  public init(_ user: UserID, _ grant: Grant) {
    self.user = user
    self.grant = grant
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("role", &grant, as: GrantForm.self)
  }

  public var concern: Concern { .user(user) }

  public func carryOut(on person: inout PersonFacts) {
    if person.id == user { person.grants = Grant.list(person.grants, adding: grant) }
  }

  // Only super administrators of everything are counted, so other roles move nothing.
  public var movesCounters: Bool { grant.role == .superAdministrator && grant.scope == .everywhere }

  public func move(_ superAdministrators: inout [UserID: Bool]) {
    // A grant that only becomes the main one says nothing new: the login may be locked meanwhile.
    if movesCounters, superAdministrators[user] == nil { superAdministrators[user] = true }
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.people.setGrants(of: serial, Grant.list(state.people.grants(of: serial), adding: grant), lsn)
  }
}

public struct RoleRevoked: PartitionChange {
  public static var code: UInt8 { 9 }
  public static var name: String { "role-revoked" }

  public var user = UserID.none
  public var grant = Grant(role: .individual, scope: .everywhere, isMain: false)

  public init() {}

  public init(_ user: UserID, _ grant: Grant) {
    self.user = user
    self.grant = grant
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.removed("role", &grant, as: GrantForm.self)
  }

  public var concern: Concern { .user(user) }

  public func carryOut(on person: inout PersonFacts) {
    if person.id == user { person.grants = Grant.list(person.grants, removing: grant) }
  }

  public var movesCounters: Bool { grant.role == .superAdministrator && grant.scope == .everywhere }

  public func move(_ superAdministrators: inout [UserID: Bool]) {
    if movesCounters { superAdministrators[user] = nil }
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.people.setGrants(of: serial, Grant.list(state.people.grants(of: serial), removing: grant), lsn)
  }
}
