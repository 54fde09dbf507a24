public typealias UserText = FieldText<UserField>

/// A new login of a contact.
public struct UserCreated: PartitionChange {
  public static var code: UInt8 { 3 }
  public static var name: String { "user-created" }

  public var user = UserID.none
  public var contact = ContactID.none
  public var username = ""
  public var status = Status.active
  public var workspaces: [WorkspaceID] = []
  public var fields: [UserText] = []

  public init() {}

  public init(
    user: UserID, contact: ContactID, username: String, status: Status, workspaces: [WorkspaceID], fields: [UserText]
  ) {
    self.user = user
    self.contact = contact
    self.username = username
    self.status = status
    self.workspaces = workspaces
    self.fields = fields
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("contact", &contact, as: ContactForm.self)
    try visitor.field("username", &username, as: UsernameForm.self)
    try visitor.field("status", &status, as: ChoiceForm<Status>.self)
    try visitor.field("workspaces", &workspaces, as: ListForm<WorkspaceForm>.self)
    try visitor.field("fields", &fields, as: FieldTextsForm<UserField>.self)
  }

  public var person: PersonSubject? { .user(user) }

  public mutating func forget() { username = user.anonymousName }

  public var facts: [Fact] { [.holder(username.folded)] }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let key = NameKey(username, state.partitioning)
    if state.isMine(user) {
      let serial = state.partitioning.serial(of: user)
      var row = UserRow()
      row.created = header.time
      row.contact = UInt32(state.partitioning.serial(of: contact))
      // A contact that was there goes on counting (IFVERSION).
      let person = Int(row.contact)
      let isNew = state.people.contacts[person].lsn == lsn && state.people.contacts[person].version == 1
      row.version = isNew ? 1 : state.people.version(ofContact: person) + 1
      row.lsn = lsn
      row.nameHash = key.hash
      row.status = status
      var packed = ByteWriter()
      pack(into: &packed, &row)
      let filed = state.people.filed(user: serial, contact: Int(row.contact))
      state.people.users.put(row, at: serial)
      packed.withBytes { state.people.users.setDetails(of: serial, $0) }
      state.indexReference(of: serial)
      let homes = isNew ? nil : state.people.homes(ofContact: person)
      state.people.beginLogin(serial)
      if let homes { state.people.keepHomes(homes, ofContact: person, lsn) }
      state.people.refile(filed)
      state.people.contacts[person].lsn = lsn
      state.people.noteChange(of: person)
      state.people.liveUsers += 1
      if state.people.contacts[person].released != .min || !state.people.employments(of: person).isEmpty {
        state.people.watchEnds(of: serial, after: header.time)
      }
    }
    if key.partition == state.index { state.enter(username, key, leadingTo: user) }
  }

  private func pack(into packed: inout ByteWriter, _ row: inout UserRow) {
    packed.byte(UserTag.username)
    packed.text(username)
    for text in fields {
      if let flag = text.field.flag {
        if text.text == "1" { row.flags.insert(flag) }
      } else if !text.text.isEmpty {
        packed.byte(text.field.rawValue)
        packed.text(text.text)
      }
    }
    if workspaces != [mainWorkspace] {
      var list = ByteWriter()
      list.list(workspaces) { $0.varint($1) }
      packed.byte(UserTag.memberships)
      list.withBytes { packed.block($0) }
    }
  }
}

/// A new value of a field of the login.
public struct UserSet: PartitionChange {
  public static var code: UInt8 { 4 }
  public static var name: String { "user-set" }

  public var user = UserID.none
  public var field = UserField.initials
  public var old = ""
  public var new = ""

  public init() {}

  public init(_ user: UserID, _ field: UserField, old: String, new: String) {
    self.user = user
    self.field = field
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.setting(&field, old: &old, new: &new, as: ChoiceForm<UserField>.self)
  }

  public var person: PersonSubject? { .user(user) }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    if let flag = field.flag {
      if new == "1" {
        state.people.users[serial].flags.insert(flag)
      } else {
        state.people.users[serial].flags.remove(flag)
      }
    } else {
      if field == .reference { state.forgetReference(of: serial) }
      var details = state.people.users.details(of: serial)
      details[text: field.rawValue] = new
      state.people.users.setDetails(of: serial, details.bytes)
      if field == .reference { state.indexReference(of: serial) }
    }
    state.people.touch(user: serial, lsn)
    state.people.noteChange(of: Int(state.people.users[serial].contact))
  }
}

/// A new username.
public struct UserRenamed: PartitionChange {
  public static var code: UInt8 { 5 }
  public static var name: String { "user-renamed" }

  public var user = UserID.none
  public var old = ""
  public var new = ""

  public init() {}

  public init(_ user: UserID, old: String, new: String) {
    self.user = user
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.change("username", old: &old, new: &new, as: UsernameForm.self)
  }

  public var person: PersonSubject? { .user(user) }

  public mutating func forget() { (old, new) = (user.anonymousName, user.anonymousName) }

  public var facts: [Fact] { [.username(user), .holder(old.folded), .holder(new.folded)] }

  public var concern: Concern { .nobody }

  // The same name anew is how an undo once had it lead to its user again.
  public var endsMailedSecrets: Bool { old != new }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let before = NameKey(old, state.partitioning)
    let after = NameKey(new, state.partitioning)
    // The index compares names in the rows, so the old name must be removed before the row changes.
    if before.partition == state.index { state.leave(old, before, by: user) }
    if state.isMine(user) {
      let serial = state.partitioning.serial(of: user)
      var details = state.people.users.details(of: serial)
      details[text: UserTag.username] = new
      details.remove(UserTag.namedIn)
      state.people.users.setDetails(of: serial, details.bytes)
      state.people.users[serial].nameHash = after.hash
      state.people.noteTexts(of: Int(state.people.users[serial].contact))
      state.people.touch(user: serial, lsn)
      state.people.noteChange(of: Int(state.people.users[serial].contact))
    }
    if after.partition == state.index { state.enter(new, after, leadingTo: user) }
  }
}

/// The username of a login that comes back leads to it again, after somebody else had the name meanwhile.
public struct UsernameRegained: PartitionChange {
  public static var code: UInt8 { 27 }
  public static var name: String { "username-regained" }

  public var user = UserID.none
  public var username = ""

  public init() {}

  public init(_ user: UserID, username: String) {
    self.user = user
    self.username = username
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("username", &username, as: UsernameForm.self)
  }

  public var person: PersonSubject? { .user(user) }

  public mutating func forget() { username = user.anonymousName }

  public var facts: [Fact] { [.holder(username.folded)] }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let key = NameKey(username, state.partitioning)
    if key.partition == state.index { state.enter(username, key, leadingTo: user) }
    if state.isMine(user) { state.people.touch(user: state.partitioning.serial(of: user), lsn) }
  }
}

/// A new status (L16); `deleted` ends the login, and the contact stays.
public struct StatusSet: PartitionChange {
  public static var code: UInt8 { 6 }
  public static var name: String { "status-set" }

  public var user = UserID.none
  public var old = Status.active
  public var new = Status.active

  public init() {}

  public init(_ user: UserID, old: Status, new: Status) {
    self.user = user
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.change("status", old: &old, new: &new, as: ChoiceForm<Status>.self)
  }

  public var facts: [Fact] { [.status(user)] }

  public var concern: Concern { .user(user) }

  public func apply(to person: inout PersonFacts) { if person.id == user { person.status = new } }

  public var movesCounters: Bool { true }

  // A locked user may reset the password (L17).
  public var endsMailedSecrets: Bool { !new.mayLogIn && new != .locked }

  public func move(_ superAdministrators: inout [UserID: Bool]) {
    if superAdministrators[user] != nil { superAdministrators[user] = new.mayLogIn }
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: user)
    let filed = state.people.filed(user: serial)
    state.people.users[serial].status = new
    state.people.noteFormerStatus(new == .deleted ? old : .active, of: serial)
    if !new.mayLogIn { state.forgotten.add(state.approvals.end(of: user), lsn) }
    state.people.touch(user: serial, lsn)
    let contact = Int(state.people.users[serial].contact)
    state.people.noteChange(of: contact)
    if new == .deleted, old != .deleted {
      state.people.liveUsers -= 1
      state.people.endLogin(serial)
      state.people.contacts[contact].lsn = lsn
    } else if old == .deleted, new != .deleted {
      state.people.liveUsers += 1
      state.people.resumeLogin(serial)
      state.people.contacts[contact].lsn = lsn
    }
    state.people.refile(filed)
  }
}

/// A fact for the audit trail. Only that a record was taken back is in the state, too: that happens once.
public struct Noted: PartitionChange {
  public static var code: UInt8 { 13 }
  public static var name: String { "noted" }
  public static var isCritical: Bool { false }

  public var user = UserID.none
  public var note = Note.productsTouched([])

  public init() {}

  public init(_ user: UserID, _ note: Note) {
    self.user = user
    self.note = note
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&user, as: UserForm.self)
    try visitor.field("note", &note, as: NoteForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    guard case .tookBack(let record) = note, let serial = state.serial(of: user) else { return }
    state.people.noteUndone(record, of: serial, by: lsn, at: header.time)
  }
}

public enum Note: Sendable, Equatable {
  /// S6, S10: the caller accepted how adding or removing the user affects the workspace's bill.
  case billingAccepted(WorkspaceID)
  /// T8: the products that a change of shared data affects.
  case productsTouched([ProductID])
  /// B9: the record of this number was taken back.
  case tookBack(LSN)
}

enum NoteForm: FieldForm {
  static func write(_ value: Note, to writer: inout ByteWriter) {
    switch value {
    case .billingAccepted(let workspace):
      writer.byte(1)
      WorkspaceForm.write(workspace, to: &writer)
    case .productsTouched(let products):
      writer.byte(2)
      ListForm<ProductForm>.write(products, to: &writer)
    case .tookBack(let lsn):
      writer.byte(3)
      writer.varint(lsn)
    }
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> Note {
    switch try reader.byte() {
    case 1: .billingAccepted(try WorkspaceForm.read(from: &reader))
    case 2: .productsTouched(try ListForm<ProductForm>.read(from: &reader))
    case 3: .tookBack(try reader.varint())
    default: throw reader.failure("an unknown kind of note")
    }
  }

  static func shown(_ name: String, old: Note?, new: Note?, in directory: Directory?) -> [ChangeText.Field] {
    switch new {
    case nil: []
    case .billingAccepted(let workspace)?:
      WorkspaceForm.shown("billing-accepted", old: nil, new: workspace, in: directory)
    case .productsTouched(let products)?:
      ListForm<ProductForm>.shown("products-touched", old: nil, new: products, in: directory)
    case .tookBack(let lsn)?: [ChangeText.Field(name: "took-back", old: nil, new: "\(lsn)")]
    }
  }

  static func addKeys(of value: Note, to keys: inout [UInt64]) {
    switch value {
    case .billingAccepted(let workspace): WorkspaceForm.addKeys(of: workspace, to: &keys)
    case .productsTouched(let products): ListForm<ProductForm>.addKeys(of: products, to: &keys)
    case .tookBack: break
    }
  }
}
