/// A field is defined, or its definition changes.
public struct FieldDefined: DirectoryChange {
  public static var code: UInt8 { 49 }
  public static var name: String { "field-defined" }

  public var field: FieldID = 0
  public var workspace: WorkspaceID = 0
  public var name = ""
  public var kind = FieldDefinition.Kind.text
  public var oldChoices: [String] = []
  public var newChoices: [String] = []
  public var wasMandatory = false
  public var isMandatory = false

  public init() {}

  /// - Parameter old: the previous definition; nil for a new field.
  public init(_ new: FieldDefinition, old: FieldDefinition?) {
    field = new.id
    workspace = new.workspace
    name = new.name
    kind = new.kind
    oldChoices = old?.choices ?? []
    newChoices = new.choices
    wasMandatory = old?.isMandatory ?? false
    isMandatory = new.isMandatory
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&field, as: CustomFieldForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.given(&name)
    try visitor.field("type", &kind, as: ChoiceForm<FieldDefinition.Kind>.self)
    try visitor.change("choices", old: &oldChoices, new: &newChoices, as: ListForm<TextForm>.self)
    try visitor.change("mandatory", old: &wasMandatory, new: &isMandatory, as: FlagForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    if directory.fields.find(field) == nil {
      directory.fields.add(FieldDefinition(id: field, workspace: workspace, name: name, kind: kind))
    }
    directory.fields.change(field) {
      $0.choices = newChoices
      $0.isMandatory = isMandatory
    }
  }
}

/// A field is dropped. People's values are no longer shown.
public struct FieldDropped: DirectoryChange {
  public static var code: UInt8 { 50 }
  public static var name: String { "field-dropped" }

  public var field: FieldID = 0
  public var workspace: WorkspaceID = 0
  /// nil in records of earlier versions.
  public var kind: FieldDefinition.Kind?
  public var choices: [String] = []
  public var wasMandatory = false

  public init() {}

  public init(_ field: FieldDefinition) {
    self.field = field.id
    workspace = field.workspace
    kind = field.kind
    choices = field.choices
    wasMandatory = field.isMandatory
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&field, as: CustomFieldForm.self)
    try visitor.removed("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.later()
    try visitor.former("type", &kind, as: OptionalForm<ChoiceForm<FieldDefinition.Kind>>.self)
    try visitor.former("choices", &choices, as: FilledListForm<TextForm>.self)
    try visitor.former("mandatory", &wasMandatory, as: FlagForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.fields.change(field) { $0.isDropped = true }
  }
}

/// A new value of a workspace's field.
public struct CustomFieldSet: PartitionChange {
  public static var code: UInt8 { 17 }
  public static var name: String { "field-set" }

  public var contact = ContactID.none
  public var field: FieldID = 0
  /// The field's workspace, in whose trail the change is shown.
  public var workspace: WorkspaceID = 0
  public var old = ""
  public var new = ""

  public init() {}

  public init(_ contact: ContactID, _ field: FieldDefinition, old: String, new: String) {
    self.contact = contact
    self.field = field.id
    workspace = field.workspace
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&contact, as: ContactForm.self)
    try visitor.field("field", &field, as: CustomFieldForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.change("value", old: &old, new: &new, as: FilledTextForm.self)
  }

  public var person: PersonSubject? { .contact(contact) }

  public var concern: Concern { .nobody }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    let serial = state.partitioning.serial(of: contact)
    state.people.setCustom(field, of: serial, new)
    state.people.touch(contact: serial, lsn)
    state.people.noteChange(of: serial, by: workspace)
  }
}

public enum CustomFieldForm: SubjectForm {
  public static func write(_ value: FieldID, to writer: inout ByteWriter) { writer.varint(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> FieldID { try reader.number() }

  public static func text(_ value: FieldID, in directory: Directory?) -> String? {
    directory?.field(value)?.name ?? "#\(value)"
  }

  public static func entity(_ value: FieldID, in directory: Directory?) -> String {
    "field \(text(value, in: directory) ?? "")"
  }

  public static func home(_ value: FieldID, _ partitioning: Partitioning) -> Int? { nil }

  public static func names(_ value: FieldID, _ entity: NamedEntity) -> Bool { entity == .field(value) }
}
