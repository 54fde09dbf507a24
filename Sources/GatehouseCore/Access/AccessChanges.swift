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
    state.setGrants(of: serial, Grant.list(state.grants(of: serial), adding: grant), lsn)
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
    state.setGrants(of: serial, Grant.list(state.grants(of: serial), removing: grant), lsn)
  }
}

/// A user becomes a member of a workspace.
public struct WorkspaceJoined: PartitionChange {
  public static var code: UInt8 { 10 }
  public static var name: String { "workspace-joined" }

  public var user = UserID.none
  public var workspace: WorkspaceID = 0

  public init() {}

  public init(_ user: UserID, _ workspace: WorkspaceID) {
    self.user = user
    self.workspace = workspace
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
  }

  public var concern: Concern { .user(user) }

  public func carryOut(on person: inout PersonFacts) { if person.id == user { person.memberships.append(workspace) } }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.setMemberships(of: serial, state.memberships(of: serial) + [workspace], lsn)
  }
}

public struct WorkspaceLeft: PartitionChange {
  public static var code: UInt8 { 11 }
  public static var name: String { "workspace-left" }

  public var user = UserID.none
  public var workspace: WorkspaceID = 0

  public init() {}

  public init(_ user: UserID, _ workspace: WorkspaceID) {
    self.user = user
    self.workspace = workspace
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.removed("workspace", &workspace, as: WorkspaceForm.self)
  }

  public var concern: Concern { .user(user) }

  public func carryOut(on person: inout PersonFacts) {
    if person.id == user { person.memberships.removeAll { $0 == workspace } }
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.setMemberships(of: serial, state.memberships(of: serial).filter { $0 != workspace }, lsn)
  }
}

extension PartitionState {
  fileprivate mutating func setGrants(of serial: Int, _ grants: [Grant], _ lsn: LSN) {
    var details = users.details(of: serial)
    if grants.isEmpty {
      details.set(UserTag.grants, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(UserTag.grants) { $0.list(grants) { $0.grant($1) } }
    }
    users.setDetails(of: serial, details.bytes)
    users[serial].roles = RoleSet(grants)
    touch(user: serial, lsn)
  }

  mutating func setMemberships(of serial: Int, _ workspaces: [WorkspaceID], _ lsn: LSN) {
    var details = users.details(of: serial)
    details.encode(UserTag.memberships) { $0.list(workspaces) { $0.varint($1) } }
    users.setDetails(of: serial, details.bytes)
    touch(user: serial, lsn)
  }
}
