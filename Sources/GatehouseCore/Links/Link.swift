/// A record of another system to which a person is linked (L3, L25): a place on a course, a booking, an invoice.
///
/// It belongs to the contact, so that it outlives the login (S2), and to one workspace, which alone sees it (W4).
public struct LinkRow: TableRow {
  public var lsn: LSN = 0
  public var created: Milliseconds = 0
  /// Serial number of the contact.
  public var contact: UInt32 = 0
  public var workspace: WorkspaceID = 0
  public var version: UInt32 = 0
  public var kind = LinkKind.delegate
  public var details = DetailRange()

  public init() {}

  public static var vacant: LinkRow { LinkRow() }

  public var isUsed: Bool { version > 0 }
}

public enum LinkKind: UInt8, Sendable, CaseIterable, BitwiseCopyable, NamedChoice {
  /// A place on a course; this is how a course is assigned.
  case delegate = 1
  case booking, invoice, award, matter, task

  public var name: String {
    switch self {
    case .delegate: "delegate"
    case .booking: "booking"
    case .invoice: "invoice"
    case .award: "award"
    case .matter: "matter"
    case .task: "task"
    }
  }
}

/// The content of a link, without its owner.
public struct LinkContent: Sendable, Equatable {
  public var status = ""
  /// Sorted by name.
  public var attributes: [Attribute] = []

  public struct Attribute: Sendable, Equatable {
    public let name: String
    public let value: String
  }

  /// Sets an attribute; an empty value removes it.
  mutating func set(_ name: String, _ value: String) {
    attributes.removeAll { $0.name == name }
    if !value.isEmpty { attributes.append(Attribute(name: name, value: value)) }
    attributes.sort { $0.name < $1.name }
  }
}

/// Who made a link: in an impersonation the actor, with the subject as whom it was made (L15, B3).
struct LinkMaker: Sendable, Equatable {
  let author: Author
  let subject: UserID?
}

/// The tags of the details of a link's row.
enum LinkTag {
  static let reference: UInt8 = 1
  static let status: UInt8 = 2
  static let attributes: UInt8 = 3
  static let author: UInt8 = 4
  static let subject: UInt8 = 5
}

extension LinkRow: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&version, as: NumberForm<UInt32>.self)
    guard isUsed else { return }
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&contact, as: NumberForm<UInt32>.self)
    try visitor.value(&workspace, as: WorkspaceForm.self)
    try visitor.value(&kind, as: ChoiceForm<LinkKind>.self)
  }
}
