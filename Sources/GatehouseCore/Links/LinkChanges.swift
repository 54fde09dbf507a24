/// A change of one link, which the trail of its workspace shows.
public protocol LinkChange: PartitionChange {
  var link: LinkID { get set }
  var contact: ContactID { get set }
  var workspace: WorkspaceID { get set }
}

extension LinkChange {
  public var concern: Concern { .nobody }

  /// Says which link of whom is changed, and where.
  fileprivate init(of link: LinkReference) {
    self.init()
    self.link = link.id
    contact = link.contact.id
    workspace = link.row.workspace
  }
}

/// A new link of a person to a record of another system.
public struct LinkAdded: LinkChange {
  public static var code: UInt8 { 35 }
  public static var name: String { "link-added" }

  public var link = LinkID.none
  public var contact = ContactID.none
  public var workspace: WorkspaceID = 0
  public var kind = LinkKind.delegate
  public var reference = ""
  public var content = LinkContent()

  public init() {}

  init(_ link: LinkID, _ contact: ContactID, _ workspace: WorkspaceID, _ kind: LinkKind, _ reference: String) {
    self.link = link
    self.contact = contact
    self.workspace = workspace
    self.kind = kind
    self.reference = reference
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&link, as: LinkForm.self)
    try visitor.field("contact", &contact, as: ContactForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.field("kind", &kind, as: ChoiceForm<LinkKind>.self)
    try visitor.field("ref", &reference, as: TextForm.self)
    try visitor.field("content", &content, as: LinkContentForm.self)
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    var row = LinkRow()
    row.lsn = lsn
    row.created = header.time
    row.contact = UInt32(state.partitioning.serial(of: contact))
    row.workspace = workspace
    row.version = 1
    row.kind = kind
    let maker = LinkMaker(author: header.author, subject: header.subject == header.actor ? nil : header.subject)
    state.links.add(row, at: state.partitioning.serial(of: link), reference: reference, content, maker)
  }
}

/// New content of a link.
public struct LinkSet: LinkChange {
  public static var code: UInt8 { 36 }
  public static var name: String { "link-set" }

  public var link = LinkID.none
  public var contact = ContactID.none
  public var workspace: WorkspaceID = 0
  public var old = LinkContent()
  public var new = LinkContent()

  public init() {}

  init(_ link: LinkReference, _ new: LinkContent) {
    self.init(of: link)
    old = link.content
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&link, as: LinkForm.self)
    try visitor.field("contact", &contact, as: ContactForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.change("content", old: &old, new: &new, as: LinkContentForm.self)
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.links.set(new, of: state.partitioning.serial(of: link), lsn)
  }
}

/// A link is removed; the trail keeps its content.
public struct LinkRemoved: LinkChange {
  public static var code: UInt8 { 37 }
  public static var name: String { "link-removed" }

  public var link = LinkID.none
  public var contact = ContactID.none
  public var workspace: WorkspaceID = 0
  public var kind = LinkKind.delegate
  public var reference = ""
  public var content = LinkContent()

  public init() {}

  init(_ link: LinkReference) {
    self.init(of: link)
    kind = link.row.kind
    reference = link.reference
    content = link.content
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&link, as: LinkForm.self)
    try visitor.field("contact", &contact, as: ContactForm.self)
    try visitor.field("workspace", &workspace, as: WorkspaceForm.self)
    try visitor.removed("kind", &kind, as: ChoiceForm<LinkKind>.self)
    try visitor.removed("ref", &reference, as: TextForm.self)
    try visitor.removed("content", &content, as: LinkContentForm.self)
  }

  public func apply(to state: inout PartitionState, lsn: LSN, header: RecordHeader) {
    state.links.remove(state.partitioning.serial(of: link))
  }
}

public enum LinkEntity {}
public typealias LinkID = Identifier<LinkEntity>
public typealias LinkForm = IdentifierForm<LinkEntity>

extension LinkEntity: IdentifiedEntity {
  public static var word: String { "link" }
}

enum LinkContentForm: FieldForm {
  static func write(_ value: LinkContent, to writer: inout ByteWriter) {
    writer.text(value.status)
    writer.list(value.attributes) { writer, attribute in
      writer.text(attribute.name)
      writer.text(attribute.value)
    }
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> LinkContent {
    let status = try reader.text()
    let attributes = try reader.list { (reader) throws(CodingError) in
      LinkContent.Attribute(name: try reader.text(), value: try reader.text())
    }
    return LinkContent(status: status, attributes: attributes)
  }

  static func shown(
    _ name: String, old: LinkContent?, new: LinkContent?, in directory: Directory?
  ) -> [ChangeText.Field] {
    func field(_ name: String, _ before: String?, _ after: String?) -> [ChangeText.Field] {
      before == after ? [] : [ChangeText.Field(name: name, old: before, new: after)]
    }
    func value(_ name: String, in content: LinkContent?) -> String? {
      content?.attributes.first { $0.name == name }?.value
    }
    func filled(_ text: String?) -> String? { text?.isEmpty == true ? nil : text }
    let names = Set((old?.attributes ?? []).map(\.name) + (new?.attributes ?? []).map(\.name)).sorted()
    return field("status", filled(old?.status), filled(new?.status))
      + names.flatMap { field($0, value($0, in: old), value($0, in: new)) }
  }
}
