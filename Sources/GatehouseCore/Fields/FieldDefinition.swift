/// A field that a workspace adds to its people (L2).
public struct FieldDefinition: Sendable {
  /// The kind of its values; they are stored in normal form, so that they can be compared.
  public enum Kind: UInt8, Sendable, CaseIterable, NamedChoice {
    case text = 1
    /// A whole number.
    case number
    case day
    /// 1 or 0.
    case flag
    /// One of the words in the definition.
    case choice

    public var name: String {
      switch self {
      case .text: "text"
      case .number: "number"
      case .day: "day"
      case .flag: "flag"
      case .choice: "choice"
      }
    }
  }

  public internal(set) var id: FieldID
  public internal(set) var workspace: WorkspaceID
  public internal(set) var name: String
  public internal(set) var kind: Kind
  /// The words of a choice.
  public internal(set) var choices: [String] = []
  /// Whether everybody with this home must have a value.
  public internal(set) var isMandatory = false
  public internal(set) var isDropped = false

  init(id: FieldID, workspace: WorkspaceID = 0, name: String = "", kind: Kind = .text) {
    self.id = id
    self.workspace = workspace
    self.name = name
    self.kind = kind
  }
}

/// The number of a field in the directory: dense, from 1.
public typealias FieldID = UInt32

extension FieldDefinition: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&workspace, as: WorkspaceForm.self)
    try visitor.value(&name, as: TextForm.self)
    try visitor.value(&kind, as: ChoiceForm<Kind>.self)
    try visitor.value(&choices, as: ListForm<TextForm>.self)
    try visitor.value(&isMandatory, as: FlagForm.self)
    try visitor.value(&isDropped, as: FlagForm.self)
  }
}
