/// A change of one grant of a user.
public protocol GrantChange: PartitionChange {
  var user: UserID { get set }
  var grant: Grant { get set }

  /// A user's grants after the change.
  func changed(_ grants: [Grant]) -> [Grant]
}

extension GrantChange {
  public init(_ user: UserID, _ grant: Grant) {
    self.init()
    self.user = user
    self.grant = grant
  }

  public var concern: Concern { .user(user) }

  public func apply(to person: inout PersonFacts) {
    if person.id == user { person.grants = changed(person.grants) }
  }

  // Only super administrators with the scope `everywhere` are counted.
  public var movesCounters: Bool { grant.role == .superAdministrator && grant.scope == .everywhere }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.people.setGrants(of: serial, changed(state.people.grants(of: serial)), lsn)
    state.people.noteLimits(of: serial, grant.limits, at: header.time)
  }
}

/// A user gets a role, or a role that the user has gets other limits, becomes, or ceases to be, the main one.
public struct RoleGranted: GrantChange {
  public static var code: UInt8 { 8 }
  public static var name: String { "role-granted" }

  public var user = UserID.none
  public var grant = Grant(role: .individual, scope: .everywhere, isMain: false)
  /// The same role as the user has it already, with its limits and whether it is the main one; nil if the user has it not,
  /// or if that is not known, as in records of earlier versions.
  public var held: Grant?

  public init() {}

  public init(_ user: UserID, _ grant: Grant, held: Grant?) {
    self.init(user, grant)
    self.held = held
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.change("role", new: &grant, laterOld: &held, as: GrantForm.self)
  }

  public func changed(_ grants: [Grant]) -> [Grant] { Grant.list(grants, adding: grant) }

  public func move(_ superAdministrators: inout [UserID: Bool]) {
    // A grant that only becomes the main one changes no count: the login may have been locked meanwhile.
    if movesCounters, superAdministrators[user] == nil { superAdministrators[user] = true }
  }
}

public struct RoleRevoked: GrantChange {
  public static var code: UInt8 { 9 }
  public static var name: String { "role-revoked" }

  public var user = UserID.none
  public var grant = Grant(role: .individual, scope: .everywhere, isMain: false)

  public init() {}

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.removed("role", &grant, as: GrantForm.self)
  }

  public func changed(_ grants: [Grant]) -> [Grant] { Grant.list(grants, removing: grant) }

  public func move(_ superAdministrators: inout [UserID: Bool]) {
    if movesCounters { superAdministrators[user] = nil }
  }
}
