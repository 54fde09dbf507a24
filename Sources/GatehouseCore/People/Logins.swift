/// All logins that a contact has had, one after another (S2, S12).
///
/// A contact has at most one live login, which is in its row. Only contacts with deleted logins need more: the contact
/// then names its newest login, and each login the one before it (a linked list), so that a contact with one login
/// costs nothing.
extension People {
  /// The contact's live login, else its last one; 0 if it never had one.
  func newestLogin(ofContact serial: Int) -> Int {
    let live = Int(contacts[serial].user)
    return live != 0 ? live : Self.serial(ContactTag.formerLogin, in: contacts, of: serial)
  }

  /// The version of the newest login, or of a contact that never had one.
  func version(ofContact serial: Int) -> UInt32 {
    let login = newestLogin(ofContact: serial)
    return login != 0 ? users[login].version : contacts[serial].version
  }

  /// All logins of a contact, newest first.
  func logins(ofContact serial: Int) -> [Int] {
    var logins: [Int] = []
    var login = newestLogin(ofContact: serial)
    while login != 0 {
      logins.append(login)
      login = Self.serial(UserTag.previousLogin, in: users, of: login)
    }
    return logins
  }

  /// Makes a new user the live login of its contact.
  mutating func beginLogin(_ user: Int) {
    let contact = Int(users[user].contact)
    contacts[contact].user = UInt32(user)
    noteTexts(of: contact)
    let former = Self.serial(ContactTag.formerLogin, in: contacts, of: contact)
    guard former != 0 else { return }
    Self.set(former, UserTag.previousLogin, in: &users, of: user)
    Self.set(0, ContactTag.formerLogin, in: &contacts, of: contact)
  }

  /// Leaves the contact without a live login, because its user was deleted.
  mutating func endLogin(_ user: Int) {
    let contact = Int(users[user].contact)
    guard contacts[contact].user == UInt32(user) else { return }
    contacts[contact].user = 0
    orders.note(contact)
    Self.set(user, ContactTag.formerLogin, in: &contacts, of: contact)
  }

  /// Makes a deleted user the live login of its contact again.
  mutating func resumeLogin(_ user: Int) {
    let contact = Int(users[user].contact)
    contacts[contact].user = UInt32(user)
    noteTexts(of: contact)
    Self.set(0, ContactTag.formerLogin, in: &contacts, of: contact)
  }

  /// The status that a deleted login had before.
  func formerStatus(of user: Int) -> Status {
    users.withDetails(of: user) { details in
      Details.field(UserTag.formerStatus, in: details).flatMap { $0.first }.flatMap(Status.init(rawValue:)) ?? .active
    }
  }

  /// - Parameter status: `active` where the login is not deleted.
  mutating func noteFormerStatus(_ status: Status, of user: Int) {
    guard status != formerStatus(of: user) else { return }
    var details = users.details(of: user)
    if status == .active {
      details.remove(UserTag.formerStatus)
    } else {
      details.encode(UserTag.formerStatus) { $0.byte(status.rawValue) }
    }
    users.setDetails(of: user, details.bytes)
  }

  /// Unlinks a login that is about to be removed for good. The contact keeps its home.
  mutating func forgetLogin(_ user: Int) {
    let contact = Int(users[user].contact)
    let previous = Self.serial(UserTag.previousLogin, in: users, of: user)
    let logins = logins(ofContact: contact)
    guard let index = logins.firstIndex(of: user) else { return }
    if index > 0 {
      Self.set(previous, UserTag.previousLogin, in: &users, of: logins[index - 1])
      return
    }
    if previous == 0, let home = home(of: user) {
      var details = contacts.details(of: contact)
      details.encode(ContactTag.home) { $0.varint(home) }
      contacts.setDetails(of: contact, details.bytes)
    }
    contacts[contact].user = 0
    orders.note(contact)
    Self.set(previous, ContactTag.formerLogin, in: &contacts, of: contact)
  }

  /// Rebuilds the links for a snapshot of version 1, which did not have them.
  mutating func linkLogins() {
    var newest: [UInt32: Int] = [:]
    for serial in 1..<(users.last + 1) where users[serial].isUsed {
      let contact = users[serial].contact
      if let previous = newest[contact] { Self.set(previous, UserTag.previousLogin, in: &users, of: serial) }
      if newest[contact] != nil || users[serial].status == .deleted { newest[contact] = serial }
    }
    for (contact, login) in newest where contacts[Int(contact)].user == 0 {
      Self.set(login, ContactTag.formerLogin, in: &contacts, of: Int(contact))
    }
  }

  private static func serial<Row>(_ tag: UInt8, in table: borrowing RowTable<Row>, of serial: Int) -> Int {
    table.withDetails(of: serial) { raw in
      guard let field = Details.field(tag, in: raw) else { return 0 }
      var reader = ByteReader(field)
      return (try? reader.number(Int.self)) ?? 0
    }
  }

  private static func set<Row>(_ value: Int, _ tag: UInt8, in table: inout RowTable<Row>, of serial: Int) {
    var details = table.details(of: serial)
    if value == 0 {
      details.set(tag, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(tag) { $0.varint(value) }
    }
    table.setDetails(of: serial, details.bytes)
  }
}
