/// Who is looking at a list, and what they may see of each user.
///
/// A list makes it once for all partitions (`Gathered.viewer`).
public struct ListViewer: Sendable {
  let directory: Directory
  let now: Milliseconds
  /// The workspaces whose people are listed and whose data is shown.
  let reach: Reach
  /// Whether the viewer sees everything, so that users need no check.
  let isFree: Bool
  /// Whether what the viewer sees differs from person to person, by who employs them.
  private let isPersonal: Bool
  let sides: [Side]
  let digest: @Sendable (UnsafeRawBufferPointer) -> Digest
  /// Among whom all are that the viewer may see, by the accounts that employ them; nil if that does not tell.
  private let employees: Employees?
  /// The workspaces among whose members all are that the viewer may see, but for themselves; nil if it may be anybody.
  let members: Set<WorkspaceID>?

  private struct Employees {
    let scopes: [EmployerScope]
    let own: ContactID?
  }

  init(_ turn: Turn) {
    directory = turn.directory
    now = turn.now
    reach = turn.reach(of: .userRead)
    sides = turn.sides
    isFree = sides.isEmpty
    isPersonal = sides.contains(where: \.holdsOverAccounts)
    digest = turn.digest
    // Any side is enough, because a viewer sees only those whom all sides may see.
    var employees: Employees?
    var members: Set<WorkspaceID>?
    for side in sides {
      let held = side.holdings.filter { $0.permissions.contains(.userRead) }
      let scopes = held.compactMap(\.employers)
      if employees == nil, scopes.count == held.count {
        employees = Employees(scopes: scopes, own: side.person?.contact)
      }
      let workspaces = held.compactMap(\.workspace)
      if members == nil, workspaces.count == held.count { members = Set(workspaces) }
    }
    self.employees = employees
    self.members = members
  }

  /// What the viewer sees of a user; everything of themselves.
  func seen(of user: UserReference) -> Reach {
    if isFree || !isPersonal && !sides.contains(where: { $0.isOneself(user) }) { return reach }
    return sides.reduce(.all) {
      $1.isOneself(user) ? $0 : $0.intersection($1.reach(of: .userRead, over: user, in: directory, at: now))
    }
  }

  /// The contacts of a partition that include all whom the viewer may see; nil if that may be anybody.
  func people(in cell: HeldPartition) -> [UInt32]? {
    guard let employees else { return nil }
    var found: [UInt32] = []
    if let own = employees.own, cell.state.partitioning.partition(of: own) == cell.index {
      found.append(UInt32(cell.state.partitioning.serial(of: own)))
    }
    for scope in employees.scopes {
      guard let employed = scope.employees(in: cell) else { return nil }
      found += employed
    }
    return found
  }

  func shows(_ user: UserReference) -> Bool {
    sides.allSatisfy { $0.sees(user, in: directory, at: now) }
  }

  /// Of contacts without a login those are shown whose workspace the viewer sees.
  func shows(_ contact: ContactReference) -> Bool {
    contact.newestLogin.map(shows) ?? contact.home.map(reach.contains) ?? false
  }
}
