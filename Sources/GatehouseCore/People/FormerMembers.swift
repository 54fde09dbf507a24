/// What a workspace has recorded of somebody stays its own when the person leaves it (S2, W3): time, and linked records. Whoever
/// reads those of everybody there and names the workspace finds the person by them, though nothing else of the person is
/// known there any more. The username is, as long as it is the one that the person had there.
extension Turn {
  /// The user that a word names: one whom the caller knows, or of whom the workspace that is named has something.
  func recordedUser(_ index: Int) throws(Halt) -> UserReference {
    if let user = try userIfAny(index) { return user }
    // Whether the workspace is known must not depend on the user.
    if has("WORKSPACE") { _ = try workspace() }
    guard let named = try anyUser(index) else { throw .refused(noUser(index)) }
    let user = try lead(from: named)
    guard try isRecorded(user.contactReference) else { throw .refused(noUser(index)) }
    let workspace = try workspace().id
    guard isID(index) || isNamed(named, in: workspace) || isNamed(named.username, among: user, in: workspace)
    else { throw .refused(noUser(index)) }
    noteNamed(user)
    return user
  }

  /// The same for a person who is given by username or by the contact's `#id`.
  func recordedPerson(_ index: Int) throws(Halt) -> ContactReference {
    guard word(index).first == 0x23 else { return try recordedUser(index).contactReference }
    let id: ContactID = try id(index, "contact")
    if has("WORKSPACE") { _ = try workspace() }
    let found = try contact(id).map { (contact) throws(Halt) in try lead(from: contact) }
    guard let found else { throw .refused(.notFound("contact #\(id.raw)")) }
    if isLimited, !knows(found), try !isRecorded(found) { throw .refused(.notFound("contact #\(id.raw)")) }
    noteNamed(found)
    return found
  }

  /// Where what a command reads of a person is asked for: wherever the caller knows the person, else in the workspace that
  /// is named.
  func recordedTarget(_ contact: ContactReference) throws(Halt) -> Target {
    if !isLimited || knows(contact) { return target(of: contact) }
    return Target(.workspace(try workspace().id), contact.newestLogin)
  }

  /// Whether the caller may know the username of a login of which a workspace has something: it was a member there when it
  /// was deleted, or had the name when it left.
  func isNamed(_ login: UserReference, in workspace: WorkspaceID) -> Bool {
    !isStranger(login.ofPerson, in: .only([workspace])) || login.isMember(of: workspace)
      || login.cell.state.people.isNamed(login.serial, in: workspace)
  }

  /// Whether a workspace knows a username from one of the logins of a person.
  private func isNamed(_ username: String, among user: UserReference, in workspace: WorkspaceID) -> Bool {
    user.contactReference.logins.contains { $0.username == username && isNamed($0, in: workspace) }
  }

  /// Whether the workspace that is named has something of a person, which the caller may read there of everybody.
  private func isRecorded(_ contact: ContactReference) throws(Halt) -> Bool {
    guard has("WORKSPACE"), case .permissions(let permissions, _, _) = spec.need else { return false }
    let workspace = try workspace().id
    guard permissions.contains(where: { reach(of: $0).contains(workspace) }) else { return false }
    return try wholePerson(contact).contains { person in
      let cell = person.cell
      read(cell.state.lsn)
      return cell.state.time.workspacesOfEntries(ofContact: person.serial).contains(workspace)
        || !cell.state.links.links(of: person.serial, in: .only([workspace]), nil).isEmpty
    }
  }
}

extension People {
  /// The workspaces that a user has left and that know the username.
  private func placesNaming(_ serial: Int) -> [WorkspaceID] {
    let list = try? users.details(of: serial).decode(UserTag.namedIn) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in try reader.number(WorkspaceID.self) }
    }
    return list ?? []
  }

  fileprivate func isNamed(_ serial: Int, in workspace: WorkspaceID) -> Bool {
    placesNaming(serial).contains(workspace)
  }

  /// Has a workspace that a user leaves go on knowing the username, until that changes.
  mutating func keepName(of serial: Int, in workspace: WorkspaceID) {
    let places = placesNaming(serial)
    if places.contains(workspace) { return }
    var details = users.details(of: serial)
    details.encode(UserTag.namedIn) { $0.list((places + [workspace]).suffix(Limits.formerHomes)) { $0.varint($1) } }
    users.setDetails(of: serial, details.bytes)
  }
}
