/// A user becomes a member of a workspace, or is one no more.
public protocol MembershipChange: PartitionChange {
  var user: UserID { get set }
  var workspace: WorkspaceID { get set }
}

extension MembershipChange {
  public init(_ user: UserID, _ workspace: WorkspaceID) {
    self.init()
    self.user = user
    self.workspace = workspace
  }

  public var concern: Concern { .user(user) }
}

/// A new membership.
public struct WorkspaceJoined: MembershipChange {
  public static var code: UInt8 { 10 }
  public static var name: String { "workspace-joined" }

  public var user = UserID.none
  public var workspace: WorkspaceID = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
  }

  public func apply(to person: inout PersonFacts) { if person.id == user { person.memberships.append(workspace) } }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.people.setMemberships(of: serial, state.people.memberships(of: serial) + [workspace], lsn)
  }
}

/// A membership that ends, with its time limits. Records of earlier versions do not say which limits it had.
public struct WorkspaceLeft: MembershipChange {
  public static var code: UInt8 { 11 }
  public static var name: String { "workspace-left" }

  public var user = UserID.none
  public var workspace: WorkspaceID = 0
  public var limits = TimeLimits.none

  public init() {}

  public init(_ user: UserID, _ workspace: WorkspaceID, limits: TimeLimits) {
    self.init(user, workspace)
    self.limits = limits
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.removed("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.later()
    try visitor.removed("limits", &limits, as: LimitsForm.self)
  }

  public var facts: [Fact] { [.membership(user, workspace)] }

  public func apply(to person: inout PersonFacts) {
    guard person.id == user else { return }
    person.memberships.removeAll { $0 == workspace }
    person.membershipLimits[workspace] = nil
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.people.setLimits(ofMember: serial, in: workspace, .none)
    state.people.setMemberships(of: serial, state.people.memberships(of: serial).filter { $0 != workspace }, lsn)
    state.people.keepName(of: serial, in: workspace)
    state.forgetProvisioned(of: serial, in: workspace)
    state.people.noteLimits(of: serial, nil, at: header.time)
  }
}
