/// The facts of a person that the rules for logins and impersonations read.
///
/// Each rule is written once and works on two kinds of person: the one in the state (`UserReference`, without a copy),
/// and the one as the changes of a decision will make it (`PersonFacts`).
public protocol PersonView {
  var id: UserID { get }
  var status: Status { get }
  /// The person's roles in any scope.
  var roles: RoleSet { get }
  var grants: [Grant] { get }
  /// The person's workspaces, home first.
  var memberships: [WorkspaceID] { get }
  func isMember(of workspace: WorkspaceID) -> Bool
  /// The time limits of a membership.
  func limits(ofMembership workspace: WorkspaceID) -> TimeLimits
  /// The accesses that make the person a product's administrator (T7).
  var administeredAccesses: [ProductAccess] { get }
  func access(to product: ProductID) -> ProductAccess?
  /// Where the contact is, was and will be employed.
  var employments: [Employment] { get }
  /// Whom the person manages by links (L9).
  var management: [ManagementLink] { get }
  /// The days of hire and release; `.min` if not set.
  var hired: Int32 { get }
  var released: Int32 { get }
  /// The zone in which those days are counted: the person's own, else the workspace's.
  func zone(elseOf workspace: Workspace, _ zones: ZoneTable) -> PersonalZone
}

extension PersonView {
  /// Whether the person is a member of a workspace at a point in time.
  func isMember(of workspace: WorkspaceID, at now: Milliseconds) -> Bool {
    isMember(of: workspace) && !isShutOut(of: workspace, at: now)
  }

  /// Whether the membership has not begun or has ended.
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

  /// The workspaces of which the user is or will be a member.
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

  public var employments: [Employment] { cell.state.people.employments(of: contact) }
  public var management: [ManagementLink] { cell.state.people.management(of: serial) }

  public var hired: Int32 { cell.state.people.contacts[contact].hired }
  public var released: Int32 { cell.state.people.contacts[contact].released }

  public func zone(elseOf workspace: Workspace, _ zones: ZoneTable) -> PersonalZone {
    cell.state.people.zone(ofContact: contact, elseOf: workspace, zones)
  }
}

/// A copy of a person, to which a decision applies its changes before the state does.
public struct PersonFacts: PersonView, Sendable {
  public let id: UserID
  let contact: ContactID
  public internal(set) var status: Status
  public internal(set) var grants: [Grant]
  public internal(set) var memberships: [WorkspaceID]
  var membershipLimits: [WorkspaceID: TimeLimits]
  var accesses: [ProductAccess]
  public internal(set) var employments: [Employment]
  public internal(set) var management: [ManagementLink]
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
    employments = user.employments
    management = user.management
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
