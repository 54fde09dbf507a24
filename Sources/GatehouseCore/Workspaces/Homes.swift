/// The home workspace of users (W1), and the last login that each workspace may see.
extension People {
  /// The workspace that governs a user's identity: the first in the user's list. It is the workspace in which the user
  /// was created, until the user is moved. Nobody leaves the home.
  public func home(of serial: Int) -> WorkspaceID? {
    users.withDetails(of: serial) { raw in
      guard let field = Details.field(UserTag.memberships, in: raw) else { return mainWorkspace }
      var reader = ByteReader(field)
      guard let count = try? reader.count(), count > 0 else { return nil }
      return try? reader.number(WorkspaceID.self)
    }
  }

  /// The workspace that governs a contact: the home of its newest login, else the one in which the contact was created.
  public func home(ofContact serial: Int) -> WorkspaceID? {
    let login = newestLogin(ofContact: serial)
    if login != 0 { return home(of: login) }
    return contacts.withDetails(of: serial) { raw in
      guard let field = Details.field(ContactTag.home, in: raw) else { return mainWorkspace }
      var reader = ByteReader(field)
      return try? reader.number(WorkspaceID.self)
    }
  }

  /// The homes of a user over time: a change of the identity is the business of the home at that time (W4).
  func homes(of serial: Int) -> HomeHistory {
    HomeHistory(current: home(of: serial), former: formerHomes(of: serial))
  }

  /// The same for a contact.
  func homes(ofContact serial: Int) -> HomeHistory {
    let login = newestLogin(ofContact: serial)
    let own = Self.formerHomes(ContactTag.formerHomes, in: contacts.details(of: serial))
    let former = login == 0 ? own : (own + formerHomes(of: login)).sorted { $0.until < $1.until }
    return HomeHistory(current: home(ofContact: serial), former: former)
  }

  /// Keeps the homes that a contact had before another login became its newest, in record `lsn`.
  mutating func keepHomes(_ before: HomeHistory, ofContact serial: Int, _ lsn: LSN) {
    var former = before.former
    if let old = before.current, old != home(ofContact: serial) {
      former.append(FormerHome(workspace: old, until: lsn))
    }
    if former.isEmpty { return }
    var details = contacts.details(of: serial)
    Self.encode(former, ContactTag.formerHomes, in: &details)
    contacts.setDetails(of: serial, details.bytes)
  }

  /// The homes of a login that was removed for good, whose trail stays with them (L19); nil if an earlier version removed
  /// it.
  func homes(ofGone serial: Int) -> HomeHistory? {
    guard users.contains(serial) else { return nil }
    let isKept = users.withDetails(of: serial) { Details.field(UserTag.memberships, in: $0) != nil }
    return isKept ? homes(of: serial) : nil
  }

  /// The same for a contact.
  func homes(ofGoneContact serial: Int) -> HomeHistory? {
    guard contacts.contains(serial) else { return nil }
    let isKept = contacts.withDetails(of: serial) { Details.field(ContactTag.home, in: $0) != nil }
    return isKept ? homes(ofContact: serial) : nil
  }

  /// Removes a login for good. Only its homes stay.
  mutating func vacate(_ serial: Int) {
    let homes = homes(of: serial)
    var details = Details()
    details.encode(UserTag.memberships) { $0.list([homes.current ?? mainWorkspace]) { $0.varint($1) } }
    Self.encode(homes.former, UserTag.formerHomes, in: &details)
    users.put(.vacant, at: serial)
    users.setDetails(of: serial, details.bytes)
  }

  /// The same for a contact.
  mutating func vacate(contact serial: Int) {
    let homes = homes(ofContact: serial)
    var details = Details()
    details.encode(ContactTag.home) { $0.varint(homes.current ?? mainWorkspace) }
    Self.encode(homes.former, ContactTag.formerHomes, in: &details)
    contacts.put(.vacant, at: serial)
    contacts.setDetails(of: serial, details.bytes)
  }

  /// When a user last logged in to a product of one of these workspaces; 0 if never.
  public func lastLogin(of serial: Int, in seen: Reach) -> Milliseconds {
    var last = home(of: serial).map(seen.contains) ?? seen.isAll ? users[serial].lastLogin : 0
    for login in otherLogins(of: serial) where seen.contains(login.workspace) { last = max(last, login.time) }
    return last
  }

  /// Each workspace has its own last login, because workspaces do not learn of each other's (W4). The home's is in the
  /// row.
  mutating func noteLogin(of serial: Int, in workspace: WorkspaceID, _ time: Milliseconds) {
    guard home(of: serial) != workspace else { return users.update(serial) { $0.lastLogin = time } }
    var logins = otherLogins(of: serial).filter { $0.workspace != workspace }
    logins.append(LastLogin(workspace: workspace, time: time))
    setOtherLogins(of: serial, logins)
  }

  /// Makes another of the user's workspaces the home, from record `lsn` on.
  mutating func moveHome(of serial: Int, to new: WorkspaceID, _ lsn: LSN) {
    if let old = home(of: serial) { addFormerHome(of: serial, FormerHome(workspace: old, until: lsn)) }
    var logins = otherLogins(of: serial)
    let last = logins.first { $0.workspace == new }?.time ?? 0
    logins.removeAll { $0.workspace == new }
    if let old = home(of: serial), users[serial].lastLogin != 0 {
      logins.append(LastLogin(workspace: old, time: users[serial].lastLogin))
    }
    users[serial].lastLogin = last
    setOtherLogins(of: serial, logins)
  }

  private func formerHomes(of serial: Int) -> [FormerHome] {
    Self.formerHomes(UserTag.formerHomes, in: users.details(of: serial))
  }

  private static func formerHomes(_ tag: UInt8, in details: Details) -> [FormerHome] {
    let list = try? details.decode(tag) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in
        FormerHome(workspace: try reader.number(), until: try reader.varint())
      }
    }
    return list ?? []
  }

  private mutating func addFormerHome(of serial: Int, _ home: FormerHome) {
    var details = users.details(of: serial)
    Self.encode(formerHomes(of: serial) + [home], UserTag.formerHomes, in: &details)
    users.setDetails(of: serial, details.bytes)
  }

  private static func encode(_ homes: [FormerHome], _ tag: UInt8, in details: inout Details) {
    if homes.isEmpty { return details.remove(tag) }
    details.encode(tag) { writer in
      writer.list(homes.suffix(Limits.formerHomes)) { writer, home in
        writer.varint(home.workspace)
        writer.varint(home.until)
      }
    }
  }

  private struct LastLogin {
    let workspace: WorkspaceID
    let time: Milliseconds
  }

  private func otherLogins(of serial: Int) -> [LastLogin] {
    let list = try? users.details(of: serial).decode(UserTag.logins) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in
        LastLogin(workspace: try reader.number(), time: try reader.signed())
      }
    }
    return list ?? []
  }

  private mutating func setOtherLogins(of serial: Int, _ logins: [LastLogin]) {
    var details = users.details(of: serial)
    if logins.isEmpty {
      details.set(UserTag.logins, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(UserTag.logins) { writer in
        writer.list(logins) { writer, login in
          writer.varint(login.workspace)
          writer.signed(login.time)
        }
      }
    }
    users.setDetails(of: serial, details.bytes)
  }
}

extension PartitionState {
  /// The homes of a login, also of one that is gone for good; nil where nobody knows them.
  func homes(of id: UserID) -> HomeHistory? {
    if let serial = serial(of: id) { return people.homes(of: serial) }
    return people.homes(ofGone: partitioning.serial(of: id))
  }

  /// The same for a contact.
  func homes(of id: ContactID) -> HomeHistory? {
    if let serial = serial(of: id) { return people.homes(ofContact: serial) }
    return people.homes(ofGoneContact: partitioning.serial(of: id))
  }
}

/// A home that a user had before record `until`.
struct FormerHome: Sendable {
  let workspace: WorkspaceID
  let until: LSN
}

/// The homes that a user has had.
struct HomeHistory: Sendable {
  let current: WorkspaceID?
  /// The oldest first.
  let former: [FormerHome]

  /// The home when a record was made.
  func home(at lsn: LSN) -> WorkspaceID? { former.first { lsn < $0.until }?.workspace ?? current }
}

/// Another of the user's workspaces becomes the home, and from then on governs the user's identity (W1).
public struct HomeSet: PartitionChange {
  public static var code: UInt8 { 14 }
  public static var name: String { "home-set" }

  public var user = UserID.none
  public var old: WorkspaceID = 0
  public var new: WorkspaceID = 0

  public init() {}

  public init(_ user: UserID, old: WorkspaceID, new: WorkspaceID) {
    self.user = user
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.change("home", old: &old, new: &new, as: WorkspaceForm.self)
  }

  // What the old home has mailed is the text of its administrators, and on its way through those who send its mails.
  public var endsMailedSecrets: Bool { true }

  // W3: an impersonation by an administrator of one workspace may have to be bound to it now; then it must end.
  public var concern: Concern { .user(user) }

  public func apply(to person: inout PersonFacts) {
    if person.id == user { person.memberships = Self.list(person.memberships, home: new) }
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    state.people.moveHome(of: serial, to: new, lsn)
    state.people.setMemberships(of: serial, Self.list(state.people.memberships(of: serial), home: new), lsn)
  }

  /// The home comes first.
  private static func list(_ memberships: [WorkspaceID], home: WorkspaceID) -> [WorkspaceID] {
    [home] + memberships.filter { $0 != home }
  }
}
