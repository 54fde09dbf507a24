/// L13: two users turn out to be one person. One is kept; the id and the username of the other lead to it from then on,
/// and what was recorded under either is the kept one's.
///
/// Nothing moves: ids say in which partition an entry or a link lies. The kept contact lists the contacts that were merged
/// into it, and whoever asks for what a person did looks at all of them.
extension CommandTable {
  static let mergeCommands: [CommandSpec] = [
    CommandSpec(
      "USER.MERGE", .people, "Make one of two users: keep the first, and have the second lead to it",
      [.word("keep"), .word("drop"), .flag("ACCEPT-BILLING")],
      reply: "a map `user, username, contact, fields, products, workspaces`: whom both lead to now, and what the kept"
        + " user lacked and got from the other. Roles, and whom the dropped user looks after, are not carried over. The"
        + " sessions of the dropped user end",
      effect: .write, isVersioned: true, rights: .admin, needs: .permission(.userMerge, over: .user(1)),
      route: .user(1),
      body: .decide(userMerge))
  ]

  @Sendable private static func userMerge(_ turn: Turn) throws(Halt) {
    let keep = try turn.user(1)
    let drop = try turn.user(2)
    try turn.require(.userMerge, over: drop)
    // B13: it takes the login away, as USER.DELETE does.
    turn.noteUse([.userDelete], over: Target(drop))
    turn.noteHandingOver(from: drop.home, to: keep.home ?? mainWorkspace)
    try turn.requireNotDeleted(keep)
    try turn.checkVersion(turn.version(of: keep))
    guard keep.contactID != drop.contactID else {
      throw .refused(.conflict("user: \(drop.username) and \(keep.username) are one person already"))
    }
    try turn.requireMergeable(keep)
    try turn.requireMergeable(drop)
    turn.read(drop.cell.state.lsn)
    let home = turn.directory.workspace(drop.home ?? mainWorkspace)
    try turn.requireConsent(of: home)
    turn.requireAnotherSuperAdministrator(than: drop)
    try turn.requireNotOwner(drop)
    let merger = Merger(keep, drop, turn)
    let fields = merger.fillFields()
    let workspaces = try merger.join()
    let products = try merger.takeOver()
    merger.takeEmployments()
    try merger.drop()
    turn.reply.map(6)
    turn.reply.text("user")
    turn.reply.integer(keep.id.raw)
    turn.reply.text("username")
    turn.reply.text(keep.username)
    turn.reply.text("contact")
    turn.reply.integer(keep.contactID.raw)
    for (name, words) in [("fields", fields), ("products", products), ("workspaces", workspaces)] {
      turn.reply.text(name)
      turn.reply.array(words.count)
      for word in words { turn.reply.text(word) }
    }
  }
}

/// The changes of a merge.
private struct Merger {
  let keep: UserReference
  let gone: UserReference
  let turn: Turn

  init(_ keep: UserReference, _ gone: UserReference, _ turn: Turn) {
    self.keep = keep
    self.gone = gone
    self.turn = turn
  }

  /// Fills the fields that the kept user lacks.
  func fillFields() -> [String] {
    var filled: [String] = []
    let (person, other) = (keep.contactReference, gone.contactReference)
    for field in ContactField.allCases where person.text(field).isEmpty && !other.text(field).isEmpty {
      if field.isDay, !fits(field, person, other) { continue }
      turn.emit(ContactSet(person.id, field, old: "", new: other.text(field)))
      filled.append(field.name)
    }
    for field in [UserField.initials, .division] {
      let value = gone.cell.state.people.text(field, of: gone.serial)
      guard keep.cell.state.people.text(field, of: keep.serial).isEmpty, !value.isEmpty else { continue }
      turn.emit(UserSet(keep.id, field, old: "", new: value))
      filled.append(field.name)
    }
    for value in other.cell.state.people.customValues(of: other.serial) {
      guard let field = turn.directory.field(value.field), !field.isDropped, field.allows(value.text),
        turn.mayUse(.memberManage, over: .workspace(field.workspace)),
        person.cell.state.people.custom(field.id, of: person.serial).isEmpty
      else { continue }
      turn.emit(CustomFieldSet(person.id, field, old: "", new: value.text))
      filled.append(turn.fieldName(field, home: keep.home))
    }
    return filled
  }

  /// Whether a day of the other fits the kept contact, whom nobody releases before being hired.
  private func fits(_ field: ContactField, _ person: ContactReference, _ other: ContactReference) -> Bool {
    let own = (hired: person.text(.hired), released: person.text(.released))
    let hired = own.hired.isEmpty ? other.text(.hired) : own.hired
    let released = own.released.isEmpty ? other.text(.released) : own.released
    // If both are the other's, they fit each other.
    return (try? Turn.checkEmployment(hired: hired, released: released)) != nil
  }

  /// Makes the kept user a member of the other's workspaces, for as long as the other would have been. What is not the
  /// caller's to give stays behind (W3).
  func join() throws(Halt) -> [String] {
    let missing = gone.memberships(notEndedAt: turn.now).filter {
      !keep.isMember(of: $0) && turn.mayUse(.memberManage, over: .workspace($0))
    }
    try turn.requireRoom(forMemberships: keep.memberships.count + missing.count)
    for workspace in missing {
      // S5, S6, S10: it gets a user.
      try turn.requireConsent(of: turn.directory.workspace(workspace))
      turn.emit(WorkspaceJoined(keep.id, workspace))
      let limits = gone.limits(ofMembership: workspace)
      if !limits.isNone { turn.emit(MembershipLimited(keep.id, workspace, old: .none, new: limits)) }
    }
    return missing.map { turn.directory.workspace($0).name }
  }

  /// Gives the kept user what only the other may enter, with its seat: nobody is kept out by a merge who could come in
  /// under one of the two logins.
  func takeOver() throws(Halt) -> [String] {
    var names: [String] = []
    let own = keep.cell.state.people.allAccess(of: keep.serial)
    let others = gone.cell.state.people.allAccess(of: gone.serial)
    for access in others { turn.emit(AccessSet(gone.id, old: access, new: nil)) }
    let joined = keep.memberships + gone.memberships(notEndedAt: turn.now)
    var taken: [(product: Product, old: ProductAccess?, new: ProductAccess)] = []
    for access in others where access.isEnabled && !access.limits.hasEnded(at: turn.now) {
      let old = own.first { $0.product == access.product }
      let new = better(of: old, access)
      guard new != old, let product = turn.directory.product(access.product), joined.contains(product.workspace),
        turn.mayUse(.productAccess, over: turn.site(of: product)),
        new.licence == old?.licence ?? 0 || turn.mayUse(.licenceAssign, over: turn.site(of: product))
      else { continue }
      taken.append((product, old, new))
    }
    try turn.requireRoom(forProducts: own.count + taken.count { $0.old == nil })
    for (product, old, new) in taken where keep.isMember(of: product.workspace) || isJoining(product.workspace) {
      turn.setAccess(of: keep.id, to: product, from: old, to: new)
      names.append(turn.directory.productName(product))
    }
    return names
  }

  /// The access of somebody who has had both. Who administers a product is not carried over, and not for longer.
  private func better(of own: ProductAccess?, _ other: ProductAccess) -> ProductAccess {
    guard var new = own, new.isEnabled, !new.limits.hasEnded(at: turn.now) else {
      var new = other
      new.isAdministrator = false
      if new.licence == 0, let own { new.licence = own.licence }
      return new
    }
    if new.licence == 0 { new.licence = other.licence }
    if !new.isAdministrator {
      new.limits = new.limits.joined(with: other.limits) ?? (other.isOpen(at: turn.now) ? other.limits : new.limits)
    }
    return new
  }

  private func isJoining(_ workspace: WorkspaceID) -> Bool {
    turn.changes.contains {
      $0.as(WorkspaceJoined.self).map { $0.user == keep.id && $0.workspace == workspace } ?? false
    }
  }

  /// Employs the kept contact where only the other is employed. What names the other's logins and roles is not carried
  /// over, and neither are management links, which a role can rest on.
  func takeEmployments() {
    var held = keep.employments
    // What a workspace has said of the other that the kept user does not join stays there, for its administrators (W3).
    for old in gone.employments where keep.isMember(of: old.workspace) || isJoining(old.workspace) {
      turn.emit(EmploymentSet(gone.contactID, old: old, new: nil))
      guard !held.contains(where: { $0.account == old.account }), held.count < Limits.employmentsOfContact else {
        continue
      }
      var new = old
      new.isMain = !held.contains { $0.workspace == old.workspace && $0.isMain }
      held.append(new)
      turn.emit(EmploymentSet(keep.contactID, old: nil, new: new))
    }
    for link in gone.management { turn.emit(ManagementRemoved(gone.id, link)) }
  }

  /// Takes the other's login away, and has its names lead to the kept user.
  func drop() throws(Halt) {
    if gone.row.status != .deleted {
      try turn.stopTimers(of: gone)
      for grant in gone.grants { turn.emit(RoleRevoked(gone.id, grant)) }
      turn.emit(StatusSet(gone.id, old: gone.row.status, new: .deleted))
    }
    turn.emit(ContactsMerged(keep, gone))
  }
}

// MARK: - State

extension People {
  /// The contacts that were merged into one, in the order that they were.
  func merged(into contact: Int) -> [ContactID] {
    let hasNone = contacts.withDetails(of: contact) { Details.field(ContactTag.merged, in: $0) == nil }
    if hasNone { return [] }
    let list = try? contacts.details(of: contact).decode(ContactTag.merged) { (reader) throws(CodingError) in
      try reader.list { (reader) throws(CodingError) in try reader.id() as ContactID }
    }
    return list ?? []
  }

  fileprivate mutating func setMerged(into contact: Int, _ list: [ContactID]) {
    var details = contacts.details(of: contact)
    if list.isEmpty {
      details.set(ContactTag.merged, UnsafeRawBufferPointer(start: nil, count: 0))
    } else {
      details.encode(ContactTag.merged) { $0.list(list) { $0.id($1) } }
    }
    contacts.setDetails(of: contact, details.bytes)
  }

  /// The contact that one was merged into.
  func successor(ofContact serial: Int) -> ContactID? { Self.leading(ContactTag.mergedInto, in: contacts, serial) }

  /// The user to whom a dropped one leads.
  func successor(ofUser serial: Int) -> UserID? { Self.leading(UserTag.alias, in: users, serial) }

  private static func leading<Row, Entity>(
    _ tag: UInt8, in table: borrowing RowTable<Row>, _ serial: Int
  ) -> Identifier<Entity>? {
    table.withDetails(of: serial) { raw in
      guard let field = Details.field(tag, in: raw) else { return nil }
      var reader = ByteReader(field)
      return try? reader.id()
    }
  }

  fileprivate mutating func setSuccessors(_ contact: Int, _ new: ContactID?, _ user: Int, _ newUser: UserID?) {
    var details = contacts.details(of: contact)
    if let new { details.encode(ContactTag.mergedInto) { $0.id(new) } } else { details.remove(ContactTag.mergedInto) }
    contacts.setDetails(of: contact, details.bytes)
    details = users.details(of: user)
    if let newUser { details.encode(UserTag.alias) { $0.id(newUser) } } else { details.remove(UserTag.alias) }
    users.setDetails(of: user, details.bytes)
    noteTexts(of: contact)
  }
}

/// A change of whether two people are one.
public protocol MergeChange: PartitionChange {
  var keep: ContactID { get set }
  var drop: ContactID { get set }
  var keepUser: UserID { get set }
  var dropUser: UserID { get set }
  /// Those that had been merged into the dropped one before.
  var others: [ContactID] { get set }
}

extension MergeChange {
  public init(_ keep: UserReference, _ drop: UserReference) {
    self.init()
    others = drop.cell.state.people.merged(into: drop.contact)
    self.keep = keep.contactID
    self.drop = drop.contactID
    keepUser = keep.id
    dropUser = drop.id
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&keep, as: ContactForm.self)
    try visitor.field("merged", &drop, as: OtherContactForm.self)
    try visitor.field("user", &keepUser, as: UserForm.self)
    try visitor.field("merged-user", &dropUser, as: UserForm.self)
    try visitor.field("with", &others, as: ListForm<ContactForm>.self)
  }

  public var facts: [Fact] { [.successor(dropUser)] }

  public var concern: Concern { .nobody }

  fileprivate func apply(
    to state: inout PartitionState, _ lsn: LSN, isMerged: Bool
  ) {
    if state.isMine(keep) {
      let serial = state.partitioning.serial(of: keep)
      let taken = [drop] + others
      let list = state.people.merged(into: serial).filter { !taken.contains($0) } + (isMerged ? taken : [])
      state.people.setMerged(into: serial, list)
      state.people.touch(contact: serial, lsn)
    }
    if state.isMine(drop) {
      let (contact, user) = (state.partitioning.serial(of: drop), state.partitioning.serial(of: dropUser))
      state.people.setSuccessors(contact, isMerged ? keep : nil, user, isMerged ? keepUser : nil)
      state.people.touch(contact: contact, lsn)
      state.people.touch(user: user, lsn)
    }
  }
}

/// One contact is merged into another.
public struct ContactsMerged: MergeChange {
  public static var code: UInt8 { 23 }
  public static var name: String { "contacts-merged" }

  public var keep = ContactID.none
  public var drop = ContactID.none
  public var keepUser = UserID.none
  public var dropUser = UserID.none
  public var others: [ContactID] = []

  public init() {}

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    apply(to: &state, lsn, isMerged: true)
  }
}

/// A merge is taken back.
public struct ContactsParted: MergeChange {
  public static var code: UInt8 { 24 }
  public static var name: String { "contacts-parted" }

  public var keep = ContactID.none
  public var drop = ContactID.none
  public var keepUser = UserID.none
  public var dropUser = UserID.none
  public var others: [ContactID] = []

  public init() {}

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    apply(to: &state, lsn, isMerged: false)
  }
}

/// A contact besides the subject, whose partition the change mutates, too.
enum OtherContactForm: FieldForm {
  static func write(_ value: ContactID, to writer: inout ByteWriter) { writer.id(value) }
  static func read(from reader: inout ByteReader) throws(CodingError) -> ContactID { try reader.id() }
  static func text(_ value: ContactID, in directory: Directory?) -> String? { "#\(value.raw)" }
  static func partition(_ value: ContactID, _ partitioning: Partitioning) -> Int? { partitioning.partition(of: value) }
  static func addKeys(of value: ContactID, to keys: inout [UInt64]) { keys.append(RecordKey.of(value)) }
}

// MARK: - Looking people up

extension Turn {
  /// The user to whom one leads who was merged into another; else the user itself.
  ///
  /// Somebody may have been merged into somebody who was merged later, or whose login was made anew.
  func successor(of user: UserReference) throws(Halt) -> UserReference {
    var found = user
    var seen: Set<UserID> = [user.id]
    while found.row.status == .deleted, let next = found.cell.state.people.successor(ofUser: found.serial),
      seen.insert(next).inserted, let user = try self.user(next)
    {
      found = user
    }
    guard found.id != user.id, found.row.status == .deleted else { return found }
    return found.contactReference.user ?? found
  }

  /// To whom a user leads for the caller: to the one whom the other was merged into, unless the caller knows only the
  /// other, because the kept one is no member there. What was recorded stays readable through that one (W3, S2).
  func lead(from user: UserReference) throws(Halt) -> UserReference {
    let kept = try successor(of: user)
    return isLimited && kept.id != user.id && !knows(kept) && knows(user) ? user : kept
  }

  /// The same for a contact.
  func lead(from contact: ContactReference) throws(Halt) -> ContactReference {
    let kept = try successor(of: contact)
    return isLimited && kept.id != contact.id && !knows(kept) && knows(contact) ? contact : kept
  }

  /// The contact to which one leads that was merged into another; else the contact itself.
  func successor(of contact: ContactReference) throws(Halt) -> ContactReference {
    var found = contact
    var seen: Set<ContactID> = [contact.id]
    while let next = found.cell.state.people.successor(ofContact: found.serial), seen.insert(next).inserted,
      let contact = try self.contact(next)
    {
      found = contact
    }
    return found
  }

  /// A contact and all that were merged into it.
  func wholePerson(_ contact: ContactReference) throws(Halt) -> [ContactReference] {
    let merged = contact.cell.state.people.merged(into: contact.serial)
    if merged.isEmpty { return [contact] }
    try hold(merged.map { partitioning.partition(of: $0) })
    var all = [contact]
    for id in merged { if let contact = try self.contact(id) { all.append(contact) } }
    return all
  }

  /// All logins that a person has had, those of who was merged into them, too: what names any of them means the person.
  func logins(ofPerson user: UserReference) throws(Halt) -> [UserReference] {
    try wholePerson(user.contactReference).flatMap(\.logins)
  }

  /// Refuses to merge whom it would leave in doubt who is meant: somebody who leads elsewhere, an earlier login, somebody
  /// who is to stay nameless.
  fileprivate func requireMergeable(_ user: UserReference) throws(Halt) {
    let contact = user.contactReference
    if let successor = user.cell.state.people.successor(ofContact: user.contact) {
      throw .refused(
        .conflict("user: the contact of \(user.username) was merged into contact #\(successor.raw) already"))
    }
    if let newest = contact.logins.first, newest.id != user.id {
      throw .refused(
        .conflict(
          "user: \(user.username) is an earlier login of contact #\(contact.id.raw); merge \(newest.username) instead"))
    }
    try requireNotAnonymised(contact)
  }
}
