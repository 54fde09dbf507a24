public typealias ContactText = FieldText<ContactField>

/// A new contact, with its fields.
public struct ContactCreated: PartitionChange {
  public static var code: UInt8 { 1 }
  public static var name: String { "contact-created" }

  public var contact = ContactID.none
  public var fields: [ContactText] = []
  /// The workspace that governs the contact until it has a login; then the login's home does.
  public var workspace = mainWorkspace
  /// Whether it was read after its keys were destroyed. It is not stored.
  private var isForgotten = false

  public init() {}

  public init(_ contact: ContactID, fields: [ContactText], workspace: WorkspaceID = mainWorkspace) {
    self.contact = contact
    self.fields = fields
    self.workspace = workspace
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&contact, as: ContactForm.self)
    try visitor.field("fields", &fields, as: FieldTextsForm<ContactField>.self)
    try visitor.later()
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
  }

  public var person: PersonSubject? { .contact(contact) }

  public mutating func forget() {
    fields = []
    isForgotten = true
  }

  public var facts: [Fact] { fields.filter(\.field.isOfEmployment).map { .field(contact, $0.field) } }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: contact)
    var row = ContactRow()
    row.created = header.time
    row.changed = header.time
    row.version = 1
    row.lsn = lsn
    var packed = ByteWriter()
    for text in fields {
      switch text.field {
      case .hired: row.hired = TimeText.dayNumber(text.text) ?? .min
      case .released: row.released = TimeText.dayNumber(text.text) ?? .min
      default:
        packed.textField(text.field.rawValue, text.text)
      }
    }
    if workspace != mainWorkspace { packed.shortField(ContactTag.home) { $0.varint(workspace) } }
    // Without its keys there is nobody to give new data to, also where the state is restored as of before.
    if isForgotten { packed.shortField(ContactTag.anonymised) { $0.byte(1) } }
    state.people.contacts.put(row, at: serial)
    packed.withBytes { state.people.contacts.setDetails(of: serial, $0) }
  }
}

/// A new value of a contact's field; it applies to all products at once (T8).
public struct ContactSet: PartitionChange {
  public static var code: UInt8 { 2 }
  public static var name: String { "contact-set" }

  public var contact = ContactID.none
  public var field = ContactField.first
  public var old = ""
  public var new = ""

  public init() {}

  public init(_ contact: ContactID, _ field: ContactField, old: String, new: String) {
    self.contact = contact
    self.field = field
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&contact, as: ContactForm.self)
    try visitor.setting(&field, old: &old, new: &new, as: ChoiceForm<ContactField>.self)
  }

  public var person: PersonSubject? { .contact(contact) }

  public var facts: [Fact] { field.isOfEmployment ? [.field(contact, field)] : [] }

  public var concern: Concern { field.isOfEmployment ? .contact(contact) : .nobody }

  public var endsMailedSecrets: Bool { field == .email }

  public func apply(to person: inout PersonFacts) {
    guard contact == person.contact else { return }
    switch field {
    case .hired: person.hired = TimeText.dayNumber(new) ?? .min
    case .released: person.released = TimeText.dayNumber(new) ?? .min
    case .timezone: person.timezone = new
    case .first, .middle, .last, .email, .department, .schedule, .leave, .phone, .language: break
    }
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: contact)
    switch field {
    case .hired: state.people.contacts[serial].hired = TimeText.dayNumber(new) ?? .min
    case .released:
      state.people.contacts[serial].released = TimeText.dayNumber(new) ?? .min
      let user = Int(state.people.contacts[serial].user)
      if user != 0 { state.people.watchEnds(of: user, after: header.time) }
    default:
      var details = state.people.contacts.details(of: serial)
      details[text: field.rawValue] = new
      state.people.contacts.setDetails(of: serial, details.bytes)
      state.people.noteTexts(of: serial)
    }
    state.people.touch(contact: serial, lsn)
    state.people.noteChange(of: serial)
  }
}

/// A contact is removed, because nothing refers to it. Its id is never reused.
public struct ContactDeleted: PartitionChange {
  public static var code: UInt8 { 16 }
  public static var name: String { "contact-deleted" }

  public var contact = ContactID.none
  public var fields: [ContactText] = []
  /// The workspace that governed it; 0 in records of earlier versions.
  public var workspace: WorkspaceID = 0

  public init() {}

  public init(_ contact: ContactID, fields: [ContactText], workspace: WorkspaceID) {
    self.contact = contact
    self.fields = fields
    self.workspace = workspace
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&contact, as: ContactForm.self)
    try visitor.later()
    try visitor.former("fields", &fields, as: FieldTextsForm<ContactField>.self)
    try visitor.removed("workspace", &workspace, as: WorkspaceForm.self)
  }

  public var person: PersonSubject? { .contact(contact) }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: contact)
    let filed = state.people.filed(user: 0, contact: serial)
    state.people.vacate(contact: serial)
    state.people.orders.note(serial)
    state.people.refile(filed)
  }
}

extension ContactField {
  /// Whether the field affects on which days the person is employed.
  var isOfEmployment: Bool {
    switch self {
    case .hired, .released, .timezone: true
    case .first, .middle, .last, .email, .department, .schedule, .leave, .phone, .language: false
    }
  }
}
