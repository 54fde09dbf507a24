/// A user as far as the caller may see it: the contact card, and otherwise what is in visible workspaces (W4). All
/// views of a user use it: `USER.GET`, `ROLE.LIST`, and what lists show, filter and sort by.
struct UserCard {
  let user: UserReference
  private let seen: Reach
  /// Who looks, without those who look at themselves: of other accounts than they know of they see nothing.
  private let sides: [Side]
  private let directory: Directory
  private let now: Milliseconds

  init(_ user: UserReference, _ seen: Reach, _ sides: [Side], _ directory: Directory, at now: Milliseconds) {
    self.now = now
    self.user = user
    self.seen = seen
    self.sides = sides.filter { !$0.isOneself(user) }
    self.directory = directory
  }

  init(_ user: UserReference, _ seen: Reach, _ turn: Turn) {
    self.init(user, seen, turn.sides, turn.directory, at: turn.now)
  }

  private var state: HeldPartition { user.cell }

  /// The workspaces of which the user is or will be a member.
  var workspaces: [WorkspaceID] { user.memberships(notEndedAt: now).filter(seen.contains) }

  /// The home workspace, if visible.
  var home: WorkspaceID? { user.home.flatMap { seen.contains($0) ? $0 : nil } }

  /// Whether the fields of the login are visible; they belong to the home workspace.
  var showsLoginFields: Bool { seen.isAll || home != nil }

  /// The workspace whose conventions are used to show a person: the home, or the first of which anything is seen.
  var showing: Workspace {
    directory.workspace(home ?? workspaces.first ?? user.memberships.first(where: seen.touches) ?? mainWorkspace)
  }

  /// Grants that have ended are left out, though the upkeep may not have taken them away yet.
  var grants: [Grant] {
    user.grants.filter { shows($0.scope) && !$0.limits.hasEnded(at: now) }
  }

  /// When what the home governs of the user was last changed, which who sees the home is told; not known of what was changed
  /// before it was kept.
  var lastChange: Milliseconds? {
    let changed = state.state.people.contacts[user.contact].changed
    return showsLoginFields && changed > 0 ? changed : nil
  }

  /// Whether it is seen that the user has something over a scope.
  func shows(_ scope: Scope) -> Bool {
    guard seen.contains(scope, in: directory) else { return false }
    switch scope {
    case .account(let id, let workspace): return sides.allSatisfy { $0.knows(.account(id, of: workspace)) }
    case .group(let id, let workspace): return sides.allSatisfy { $0.knows(.group(id, of: workspace)) }
    case .everywhere, .workspace, .product: return true
    }
  }

  var employments: [Employment] {
    user.employments.filter { shows(.account($0.account, of: $0.workspace)) }
  }

  /// Whom the user looks after.
  var management: [ManagementLink] {
    user.management.filter { link in link.scope.map(shows) ?? seen.contains(link.workspace) }
  }

  private var employers: Employers { Employers(user, in: directory, at: now) }

  /// The main account in the workspace whose conventions are used.
  var mainAccount: AccountID? { mainAccounts(in: workspaces.contains(showing.id) ? [showing.id] : []).first }

  /// The main account in each workspace that is seen.
  var mainAccounts: [AccountID] { mainAccounts(in: workspaces.filter { user.isMember(of: $0, at: now) }) }

  private func mainAccounts(in workspaces: [WorkspaceID]) -> [AccountID] {
    let employers = employers
    return workspaces.map { ($0, employers.mainAccount(in: $0)) }.filter { shows(.account($0.1, of: $0.0)) }.map(\.1)
  }

  /// All accounts of today that are seen, the Guest Account of a workspace where nobody employs the user.
  var accounts: [AccountID] {
    let employers = employers
    return workspaces.filter { user.isMember(of: $0, at: now) }.flatMap { workspace in
      employers.accounts(in: workspace).filter { shows(.account($0, of: workspace)) }
    }
  }

  /// The groups to which the user belongs by those accounts (L20).
  var groups: [GroupID] {
    var groups: [GroupID] = []
    for account in accounts.compactMap(directory.account) {
      for group in directory.groups(of: account)
      where !groups.contains(group.id) && shows(.group(group.id, of: group.workspace)) { groups.append(group.id) }
    }
    return groups
  }

  /// What provisioning systems keep in the workspaces that are seen.
  var provisioned: [ProvisionedValue] {
    state.state.people.provisioned(of: user.serial).filter { workspaces.contains($0.workspace) }
  }

  /// The values of the fields that the workspaces that are seen have added.
  private var customValues: [People.CustomValue] {
    state.state.people.customValues(of: user.contact).filter { value in
      directory.field(value.field).map { !$0.isDropped && workspaces.contains($0.workspace) } ?? false
    }
  }

  var mainRole: Role? { grants.first(where: \.isMain)?.role }

  /// The roles, without duplicates.
  var roles: [Role] {
    var roles: [Role] = []
    for grant in grants where !roles.contains(grant.role) { roles.append(grant.role) }
    return roles
  }

  var accesses: [ProductAccess] {
    let all = state.state.people.allAccess(of: user.serial)
    if seen.isAll { return all }
    return all.filter { access in directory.product(access.product).map(seen.contains) ?? false }
  }

  /// The products of the user's workspaces, whether or not the user has access to them (T5).
  var products: [ProductID] {
    user.memberships(notEndedAt: now).filter(seen.touches).flatMap { workspace in
      directory.products(of: workspace).filter { seen.contains($0, of: workspace) }
    }
  }

  /// When the user last logged in to a product of a visible workspace; 0 for never.
  var lastLogin: Milliseconds { state.state.people.lastLogin(of: user.serial, in: seen) }

  /// How many sessions are in force in visible workspaces, as far as this partition can tell: whether the actor of an
  /// impersonation has lost the right may depend on another.
  func sessions(at now: Milliseconds) -> Int {
    if user.row.sessionCount == 0 { return 0 }
    return state.state.sessionIDs(of: user.serial).count { id in
      guard let slot = state.state.slot(of: id) else { return false }
      let row = state.state.sessions[slot]
      return seen.contains(row) && row.isLive(at: now)
        && user.sessionDenial(row, in: directory, at: now) == nil
    }
  }

  func text(_ field: UserField) -> String {
    showsLoginFields ? state.state.people.text(field, of: user.serial) : field.flag == nil ? "" : "0"
  }

  /// The name under which a user is shown.
  var fullName: String {
    PersonName(
      first: state.state.people.text(.first, of: user.contact),
      middle: state.state.people.text(.middle, of: user.contact),
      last: state.state.people.text(.last, of: user.contact)
    ).text(format: showing.policies.nameFormat)
  }

  /// A number that changes only with what is visible and can be changed.
  func version(_ digest: (UnsafeRawBufferPointer) -> Digest) -> UInt32 {
    var writer = ByteWriter()
    writer.text(user.username)
    writer.byte(user.row.status.rawValue)
    for field in ContactField.allCases { writer.text(state.state.people.text(field, of: user.contact)) }
    for field in UserField.allCases { writer.text(text(field)) }
    writer.list(workspaces) { writer, workspace in
      writer.varint(workspace)
      writer.limits(user.limits(ofMembership: workspace))
    }
    writer.list(grants) { $0.grant($1) }
    writer.list(accesses) { $0.access($1) }
    writer.list(employments) { $0.employment($1) }
    writer.list(management) { $0.managementLink($1) }
    for value in customValues {
      writer.varint(value.field)
      writer.text(value.text)
    }
    for value in provisioned {
      writer.varint(value.workspace)
      writer.text(value.name)
      writer.text(value.text)
    }
    // Never 0, because versions of existing users begin with 1.
    return UInt32(truncatingIfNeeded: writer.withBytes(digest).a) | 1
  }
}

extension UserReference {
  var contactID: ContactID { cell.state.id(contact) }

  /// The workspace that governs the user's identity (W1): the first one. A user without one belongs to the operator.
  var home: WorkspaceID? { cell.state.people.home(of: serial) }
}
