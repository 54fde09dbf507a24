/// A user as far as the caller sees it: the contact card, and of the rest what lies in the workspaces that are seen (W4).
/// Every view of a user is made of it: `USER.GET`, `ROLE.LIST`, what lists show, filter and sort by.
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

  /// The workspaces of which the user is a member or will be.
  var workspaces: [WorkspaceID] { user.memberships(notEndedAt: now).filter(seen.contains) }

  /// The home workspace, where it may be seen.
  var home: WorkspaceID? { user.home.flatMap { seen.contains($0) ? $0 : nil } }

  /// Whether the fields of the login are seen: they are what the home workspace says of its people.
  var showsLoginFields: Bool { seen.isAll || home != nil }

  /// The workspace in whose ways a person is shown: the home, or the first one that is seen.
  var showing: Workspace { directory.workspace(home ?? workspaces.first ?? mainWorkspace) }

  /// Those of dropped roles are none.
  var grants: [Grant] {
    user.grants.filter {
      seen.contains($0.scope, in: directory) && directory.definition(of: $0.role)?.isDropped != true
    }
  }

  var mainRole: Role? { grants.first(where: \.isMain)?.role }

  /// The roles, each once.
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

  /// When the user last logged in to a product of a workspace that is seen; 0 for never.
  var lastLogin: Milliseconds { state.state.people.lastLogin(of: user.serial, in: seen) }

  /// How many sessions are in force in the workspaces that are seen, as far as one partition tells: whether the actor of
  /// an impersonation has lost the right may be for another to say.
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

  /// The name that heads a user.
  var fullName: String {
    PersonName(
      first: state.state.people.text(.first, of: user.contact),
      middle: state.state.people.text(.middle, of: user.contact),
      last: state.state.people.text(.last, of: user.contact)
    ).text(format: showing.policies.nameFormat)
  }

  /// A number that is the same as long as what can be changed and is seen is the same.
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
    // Never 0, for the versions of what is there begin with 1.
    return UInt32(truncatingIfNeeded: writer.withBytes(digest).a) | 1
  }
}

extension UserReference {
  var contactID: ContactID { cell.state.id(contact) }

  /// The workspace that governs who the user is (W1): the first of the user's. A user without one is the operator's.
  var home: WorkspaceID? { cell.state.people.home(of: serial) }
}
