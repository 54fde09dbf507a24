/// A field that lists of users show, filter and sort by.
public enum ListField: Sendable, Hashable {
  case id, contact, user, username, status, name, created, lastLogin, lastChange, sessions, version
  case product, licence, role, mainRole, workspace, home
  case account, employer, group
  case ofContact(ContactField)
  case ofUser(UserField)
  case custom(CustomListField)

  public enum Kind: Sendable {
    case number
    case time
    case day
    case text
    case flag
    /// Several words; a condition compares each.
    case words
  }

  private static let own: [(name: String, field: ListField)] = [
    ("id", .id), ("contact", .contact), ("user", .user), ("username", .username), ("status", .status), ("name", .name),
    ("created", .created), ("last-login", .lastLogin), ("last-change", .lastChange), ("sessions", .sessions),
    ("version", .version),
    ("product", .product), ("licence", .licence), ("role", .role), ("main-role", .mainRole),
    ("workspace", .workspace), ("home", .home),
    ("account", .account), ("employer", .employer), ("group", .group),
  ]

  public static let all: [(name: String, field: ListField)] =
    own + ContactField.allCases.map { ($0.name, .ofContact($0)) } + UserField.allCases.map { ($0.name, .ofUser($0)) }

  /// The name of the field's column in a file of people.
  public var column: String {
    switch self {
    case .product: "products"
    case .licence: "licences"
    case .role: "roles"
    default: name
    }
  }

  /// The form in which names of columns are compared: without case, blanks, and the punctuation in which they differ, such
  /// as `E-Mail`, `First_name` and `Role(s)`.
  public static func plain(_ column: String) -> String {
    String(
      String.UnicodeScalarView(
        column.folded.unicodeScalars.filter { !$0.properties.isWhitespace && !"-_.()/".unicodeScalars.contains($0) }))
  }

  /// Whether a name is that of a field which every user has, or its column could not be told from that field's.
  static func isBuiltIn(_ name: String) -> Bool { builtIn.contains(plain(name)) }

  private static let builtIn = Set(
    all.flatMap { [plain($0.name), plain($0.field.column)] } + PersonColumn.withoutField.map { plain($0.name) })

  public var name: String {
    switch self {
    case .ofContact(let field): field.name
    case .ofUser(let field): field.name
    case .custom(let field): field.name
    default: Self.own.first { $0.field == self }?.name ?? ""
    }
  }

  public var kind: Kind {
    switch self {
    case .id, .contact, .user, .sessions, .version: .number
    case .created, .lastLogin, .lastChange: .time
    case .username, .status, .name, .home: .text
    case .product, .licence, .role, .mainRole, .workspace, .account, .employer, .group: .words
    case .ofContact(let field): field.isDay ? .day : .text
    case .ofUser(let field): field.flag == nil ? .text : .flag
    case .custom(let field): field.kind
    }
  }
}

/// A field that a workspace has added, as a list shows it.
public struct CustomListField: Sendable, Hashable {
  let id: FieldID
  let workspace: WorkspaceID
  let name: String
  let kind: ListField.Kind

  init(_ field: FieldDefinition, name: String) {
    id = field.id
    workspace = field.workspace
    self.name = name
    kind =
      switch field.kind {
      case .text, .choice: .text
      case .number: .number
      case .day: .day
      case .flag: .flag
      }
  }
}
