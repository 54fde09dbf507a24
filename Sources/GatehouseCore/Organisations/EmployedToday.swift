/// By whom somebody is employed today, in all workspaces (L8, L10): what a manager's reach depends on.
struct Employers {
  private var current: [Employment]

  init(_ person: some PersonView, in directory: Directory, at now: Milliseconds) {
    current = person.employments.filter { person.isInForce($0, in: directory, at: now) }
  }

  /// - Parameter employments: they are all in force.
  init(settled employments: [Employment]) { current = employments }

  /// The accounts of a workspace: the Guest Account where nobody employs the person there (L7).
  func accounts(in workspace: WorkspaceID) -> [AccountID] {
    let accounts = current.filter { $0.workspace == workspace }.map(\.account)
    return accounts.isEmpty ? [GuestAccount.id(of: workspace)] : accounts
  }

  /// The main account in a workspace. Where the employment that is marked as the main one has not begun or has ended, it
  /// is the one that has lasted longest.
  func mainAccount(in workspace: WorkspaceID) -> AccountID {
    let here = current.filter { $0.workspace == workspace }
    let main = here.first(where: \.isMain) ?? here.min { ($0.from ?? .min) < ($1.from ?? .min) }
    return main?.account ?? GuestAccount.id(of: workspace)
  }

  /// Whether one of the accounts is among those that a right is over.
  func meet(_ scope: EmployerScope, in workspace: WorkspaceID) -> Bool {
    var isEmployed = false
    for employment in current where employment.workspace == workspace {
      if scope.contains(employment.account) { return true }
      isEmployed = true
    }
    return !isEmployed && scope.contains(GuestAccount.id(of: workspace))
  }
}

extension PersonView {
  /// Whether today is a day of an employment. Days are those of the person's time zone, else of the workspace's.
  func isInForce(_ employment: Employment, in directory: Directory, at now: Milliseconds) -> Bool {
    // Only near the first and the last day does the answer depend on the zone.
    let days = Days.possible(at: now)
    if !days.contains(where: employment.contains) { return false }
    if days.allSatisfy(employment.contains) { return true }
    // An account that was deleted employed nobody any more then, and a new time zone does not bring it back.
    if directory.account(employment.account)?.isDeleted ?? true { return false }
    return employment.contains(today(in: employment.workspace, directory, at: now))
  }

  /// What day it is for the person.
  func today(in workspace: WorkspaceID, _ directory: Directory, at now: Milliseconds) -> Int32 {
    zone(elseOf: directory.workspace(workspace), directory.zones).zone.rules.day(at: now)
  }
}

/// The accounts that a right is over: it reaches the people whom they employ today.
public enum EmployerScope: Sendable {
  case account(AccountID)
  /// The accounts of a group, as far as a record added them that is not newer than `by`.
  case group(AccountGroup, by: LSN)

  func contains(_ account: AccountID) -> Bool {
    switch self {
    case .account(let id): id == account
    case .group(let group, let opened): group.contains(account, by: opened)
    }
  }

  /// The contacts of a partition whom the accounts employ, employed or will employ; nil where only a look at everybody
  /// tells, as of a Guest Account.
  func employees(in cell: HeldPartition) -> [UInt32]? {
    let accounts: [AccountID]
    switch self {
    case .account(let id): accounts = [id]
    case .group(let group, _): accounts = group.members.map(\.account)
    }
    guard accounts.allSatisfy({ GuestAccount.workspace(of: $0) == nil }) else { return nil }
    var found: [UInt32] = []
    for account in accounts { found += cell.state.people.referrers[.employees(account)] }
    return found
  }
}
