/// What the rules on logins and impersonations look at of a person.
///
/// The rules are written once and judge a person as the state has it (`UserReference`), which costs no copy, or as
/// the changes of a decision will make it (`PersonFacts`).
public protocol PersonView {
  var id: UserID { get }
  var status: Status { get }
  /// Which roles the person has in any scope.
  var roles: RoleSet { get }
  var grants: [Grant] { get }
  /// The person's workspaces, the home first.
  var memberships: [WorkspaceID] { get }
  func isMember(of workspace: WorkspaceID) -> Bool
  /// From when and until when the person is a member of one of those.
  func limits(ofMembership workspace: WorkspaceID) -> TimeLimits
  /// The accesses that make the person an administrator of a product (T7).
  var administeredAccesses: [ProductAccess] { get }
  func access(to product: ProductID) -> ProductAccess?
  /// The days of hiring and release; `.min` where they are not set.
  var hired: Int32 { get }
  var released: Int32 { get }
  /// The zone in whose days these dates are meant: the person's own, else the workspace's.
  func zone(elseOf workspace: Workspace, _ zones: ZoneTable) -> PersonalZone
}

extension PersonView {
  /// Whether the person is a member of a workspace at a moment.
  func isMember(of workspace: WorkspaceID, at now: Milliseconds) -> Bool {
    isMember(of: workspace) && !isShutOut(of: workspace, at: now)
  }

  /// Whether the membership of a workspace has not begun, or has ended.
  @inline(__always)
  func isShutOut(of workspace: WorkspaceID, at now: Milliseconds) -> Bool {
    !limits(ofMembership: workspace).contains(now)
  }
}

extension UserReference: PersonView {
  @inline(__always) public var status: Status { cell.state.people.users[serial].status }
  public var roles: RoleSet { cell.state.people.users[serial].roles }
  public var grants: [Grant] { cell.state.people.grants(of: serial) }
  public var memberships: [WorkspaceID] { cell.state.people.memberships(of: serial) }
  public func isMember(of workspace: WorkspaceID) -> Bool { cell.state.people.isMember(serial, of: workspace) }

  @inline(__always)
  public func limits(ofMembership workspace: WorkspaceID) -> TimeLimits {
    cell.state.people.limits(ofMember: serial, in: workspace)
  }

  /// The workspaces of which the user is a member or will be.
  func memberships(notEndedAt now: Milliseconds) -> [WorkspaceID] {
    cell.state.people.memberships(of: serial, notEndedAt: now)
  }

  public var administeredAccesses: [ProductAccess] {
    let compact = [row.access.0, row.access.1]
    guard
      row.flags.contains(.manyProducts) || compact.contains(where: { ProductAccess(compact: $0).administers })
    else { return [] }
    return cell.state.people.allAccess(of: serial).filter(\.administers)
  }

  @inline(__always)
  public func access(to product: ProductID) -> ProductAccess? { cell.state.people.access(of: serial, to: product) }

  public var hired: Int32 { cell.state.people.contacts[contact].hired }
  public var released: Int32 { cell.state.people.contacts[contact].released }

  public func zone(elseOf workspace: Workspace, _ zones: ZoneTable) -> PersonalZone {
    cell.state.people.zone(ofContact: contact, elseOf: workspace, zones)
  }
}

/// A person as a value of its own, which the changes of a decision can be carried out on before the state has them.
public struct PersonFacts: PersonView, Sendable {
  public let id: UserID
  let contact: ContactID
  public internal(set) var status: Status
  public internal(set) var grants: [Grant]
  public internal(set) var memberships: [WorkspaceID]
  var membershipLimits: [WorkspaceID: TimeLimits]
  var accesses: [ProductAccess]
  public internal(set) var hired: Int32
  public internal(set) var released: Int32
  var timezone: String

  public init(_ user: UserReference) {
    let state = user.cell
    id = user.id
    contact = state.state.id(user.contact)
    status = user.status
    grants = user.grants
    memberships = state.state.people.memberships(of: user.serial)
    membershipLimits = state.state.people.membershipLimits(of: user.serial)
    accesses = state.state.people.allAccess(of: user.serial)
    hired = user.hired
    released = user.released
    timezone = state.state.people.text(.timezone, of: user.contact)
  }

  public var roles: RoleSet { RoleSet(grants) }
  public func isMember(of workspace: WorkspaceID) -> Bool { memberships.contains(workspace) }
  public func limits(ofMembership workspace: WorkspaceID) -> TimeLimits { membershipLimits[workspace] ?? .none }
  public var administeredAccesses: [ProductAccess] { accesses.filter(\.administers) }
  public func access(to product: ProductID) -> ProductAccess? { accesses.first { $0.product == product } }

  public func zone(elseOf workspace: Workspace, _ zones: ZoneTable) -> PersonalZone {
    PersonalZone(of: timezone, elseOf: workspace, zones)
  }
}
