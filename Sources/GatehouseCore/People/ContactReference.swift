/// A contact that a decision found: the partition and the serial number in it.
public struct ContactReference {
  public let id: ContactID
  public let cell: HeldPartition
  public let serial: Int

  public var row: ContactRow { cell.state.people.contacts[serial] }

  public func text(_ field: ContactField) -> String { cell.state.people.text(field, of: serial) }

  /// The contact's live login.
  public var user: UserReference? {
    row.user == 0 ? nil : UserReference(id: cell.state.id(Int(row.user)), cell: cell, serial: Int(row.user))
  }

  /// The live login, else the last one that there was.
  var newestLogin: UserReference? {
    let login = cell.state.people.newestLogin(ofContact: serial)
    return login == 0 ? nil : UserReference(id: cell.state.id(login), cell: cell, serial: login)
  }

  /// All logins that the contact has had, newest first.
  var logins: [UserReference] {
    cell.state.people.logins(ofContact: serial).map { UserReference(id: cell.state.id($0), cell: cell, serial: $0) }
  }

  /// The workspace that governs the contact (W2): the home of its newest login, else the one in which it was created.
  var home: WorkspaceID? { cell.state.people.home(ofContact: serial) }
}

extension UserReference {
  var contactReference: ContactReference { ContactReference(id: contactID, cell: cell, serial: contact) }

  /// The login that says whose this is: itself, or the newest of the contact, if this one was deleted and another made since.
  /// An earlier login shows the contact of today, so it is for those alone who may see, or do, the same of the newest.
  var ofPerson: UserReference { row.status == .deleted ? contactReference.newestLogin ?? self : self }
}

extension Turn {
  /// The contact with this id, whether or not the caller may know it; nil if there is none.
  func contact(_ id: ContactID) throws(Halt) -> ContactReference? {
    let cell = try cell(partitioning.partition(of: id))
    guard let serial = cell.state.serial(of: id) else {
      read(cell.state.lsn)
      return nil
    }
    read(cell.state.people.contacts[serial].lsn)
    return ContactReference(id: id, cell: cell, serial: serial)
  }

  /// The contact that a word names as `#id`.
  func contact(at index: Int) throws(Halt) -> ContactReference {
    let id: ContactID = try id(index, "contact")
    guard let found = try contact(id).map({ (contact) throws(Halt) in try lead(from: contact) }),
      !isLimited || knows(found)
    else { throw .refused(.notFound("contact #\(id.raw)")) }
    noteNamed(found)
    return found
  }

  /// Whether the caller may know that a contact exists: through its login, or because it may see people of the
  /// contact's workspace.
  func knows(_ contact: ContactReference) -> Bool {
    if let user = contact.newestLogin { return knows(user) }
    return sides.allSatisfy { $0.isBinding || $0.knows(peopleOf: contact.home) }
  }

  /// A contact's version as the caller sees it; with a login, the version of the user.
  func version(of contact: ContactReference) -> UInt32 {
    contact.newestLogin.map { version(of: $0) } ?? contact.row.version
  }
}

extension Side {
  /// Whether this side may see people of a workspace. Only the operator sees people of no workspace.
  func knows(peopleOf workspace: WorkspaceID?) -> Bool {
    holdings.contains { holding in
      // Power over the people of accounts is over those with a login.
      guard holding.permissions.intersects(.aboutPeople), holding.employers == nil else { return false }
      return holding.workspace == nil || holding.workspace == workspace
    }
  }
}
