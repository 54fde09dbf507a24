/// Time limits of memberships (B7). Nearly all have none; a flag in the user's row marks those that do.
extension People {
  /// The time limits of a user's membership.
  @inline(__always)
  func limits(ofMember serial: Int, in workspace: WorkspaceID) -> TimeLimits {
    guard users[serial].flags.contains(.hasLimits) else { return .none }
    return membershipLimits(of: serial)[workspace] ?? .none
  }

  /// The limits of the memberships that have any.
  func membershipLimits(of serial: Int) -> [WorkspaceID: TimeLimits] {
    guard users[serial].flags.contains(.hasLimits) else { return [:] }
    let list = try? users.details(of: serial).decode(UserTag.membershipLimits) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in
        (workspace: try reader.number(WorkspaceID.self), limits: try reader.limits())
      }
    }
    return (list ?? []).reduce(into: [:]) { $0[$1.workspace] = $1.limits }
  }

  /// Whether a user is a member of a workspace at a point in time.
  func isMember(_ serial: Int, of workspace: WorkspaceID, at now: Milliseconds) -> Bool {
    isMember(serial, of: workspace) && limits(ofMember: serial, in: workspace).contains(now)
  }

  /// The workspaces of which a user is or will be a member. Their administrators know the user.
  func memberships(of serial: Int, notEndedAt now: Milliseconds) -> [WorkspaceID] {
    let limits = membershipLimits(of: serial)
    if limits.isEmpty { return memberships(of: serial) }
    return memberships(of: serial).filter { limits[$0]?.hasEnded(at: now) != true }
  }

  mutating func setLimits(ofMember serial: Int, in workspace: WorkspaceID, _ new: TimeLimits) {
    var limits = membershipLimits(of: serial)
    if new == limits[workspace] ?? .none { return }
    limits[workspace] = new.isNone ? nil : new
    var details = users.details(of: serial)
    if limits.isEmpty {
      details.set(UserTag.membershipLimits, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(UserTag.membershipLimits) { writer in
        writer.list(limits.sorted { $0.key < $1.key }) { writer, entry in
          writer.varint(entry.key)
          writer.limits(entry.value)
        }
      }
    }
    users.setDetails(of: serial, details.bytes)
  }
}

/// New time limits of a membership.
public struct MembershipLimited: PartitionChange {
  public static var code: UInt8 { 15 }
  public static var name: String { "membership-limited" }

  public var user = UserID.none
  public var workspace: WorkspaceID = 0
  public var old = TimeLimits.none
  public var new = TimeLimits.none

  public init() {}

  public init(_ user: UserID, _ workspace: WorkspaceID, old: TimeLimits, new: TimeLimits) {
    self.user = user
    self.workspace = workspace
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.change("limits", old: &old, new: &new, as: LimitsForm.self)
  }

  public var facts: [Fact] { [.membership(user, workspace)] }

  public var concern: Concern { .user(user) }

  public func apply(to person: inout PersonFacts) {
    if person.id == user { person.membershipLimits[workspace] = new.isNone ? nil : new }
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    let filed = state.people.filed(user: serial)
    // Without the flag, existing limits are not read.
    state.people.users[serial].flags.insert(.hasLimits)
    state.people.setLimits(ofMember: serial, in: workspace, new)
    state.people.refile(filed)
    state.people.noteLimits(of: serial, new, at: header.time)
    state.people.touch(user: serial, lsn)
  }
}
