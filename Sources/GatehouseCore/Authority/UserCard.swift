/// A user as far as the caller may see it: the contact card, and otherwise what is in visible workspaces (W4). All
/// views of a user use it: `USER.GET`, `ROLE.LIST`, and what lists show, filter and sort by.
struct UserCard {
  let user: UserReference
  private let seen: Reach
  private let directory: Directory
  private let now: Milliseconds

  init(_ user: UserReference, _ seen: Reach, _ directory: Directory, at now: Milliseconds) {
    self.now = now
    self.user = user
    self.seen = seen
    self.directory = directory
  }

  private var state: HeldPartition { user.cell }

  /// The workspaces of which the user is or will be a member.
  var workspaces: [WorkspaceID] { user.memberships(notEndedAt: now).filter(seen.contains) }

  /// The home workspace, if visible.
  var home: WorkspaceID? { user.home.flatMap { seen.contains($0) ? $0 : nil } }

  /// Whether the fields of the login are visible; they belong to the home workspace.
  var showsLoginFields: Bool { seen.isAll || home != nil }

  /// The workspace whose conventions are used to show a person: the home, or the first visible one.
  var showing: Workspace { directory.workspace(home ?? workspaces.first ?? mainWorkspace) }

  /// Grants that have ended are left out, though the upkeep may not have taken them away yet.
  var grants: [Grant] {
    user.grants.filter { seen.contains($0.scope, in: directory) && !$0.limits.hasEnded(at: now) }
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
    return all.filter { access in directory.product(access.product).map { seen.contains($0.workspace) } ?? false }
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
      return seen.contains(row.workspace) && row.isLive(at: now)
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
    // Never 0, because versions of existing users begin with 1.
    return UInt32(truncatingIfNeeded: writer.withBytes(digest).a) | 1
  }
}

extension UserReference {
  var contactID: ContactID { cell.state.id(contact) }

  /// The workspace that governs the user's identity (W1): the first one. A user without one belongs to the operator.
  var home: WorkspaceID? { cell.state.people.home(of: serial) }
}
