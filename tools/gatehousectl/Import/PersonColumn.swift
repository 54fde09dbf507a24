import GatehouseCore

/// What a column of a file of people holds.
enum PersonColumn: Hashable {
  case username, status, products, licences, roles
  /// The whole name, which the server splits.
  case name
  case contact(ContactField)
  case user(UserField)
  /// A field that the workspace has added.
  case custom(String)

  /// The columns that every workspace has, in the order in which they are exported.
  static let ofUsers: [PersonColumn] =
    [.username, .name] + ContactField.allCases.map(Self.contact) + [.status]
    + [UserField.initials, .reference, .division].map(Self.user) + [.products, .licences, .roles]
  static let ofContacts: [PersonColumn] = [.name] + ContactField.allCases.map(Self.contact)

  var name: String {
    switch self {
    case .username: "username"
    case .status: "status"
    case .products: "products"
    case .licences: "licences"
    case .roles: "roles"
    case .name: "name"
    case .contact(let field): field.name
    case .user(let field): field.name
    case .custom(let name): name
    }
  }

  /// Other names by which files call the column, without case, blanks and punctuation.
  var aliases: [String] {
    switch self {
    case .username: ["user", "login", "loginname", "userid"]
    case .status: ["state"]
    case .products: ["product", "applications", "application", "apps"]
    case .licences: ["licence", "licenses", "license", "licencetype", "licensetype"]
    case .roles: ["role"]
    case .name: ["fullname", "displayname", "contactname"]
    case .contact(.first): ["firstname", "givenname", "forename"]
    case .contact(.middle): ["middlename"]
    case .contact(.last): ["lastname", "surname", "familyname"]
    case .contact(.email): ["emailaddress", "mail"]
    case .contact(.department): ["dept"]
    case .contact(.timezone): ["tz"]
    case .contact(.schedule): ["workschedule"]
    case .contact(.leave): ["leavesettings"]
    case .contact(.language): ["lang", "locale"]
    case .contact(.phone): ["phonenumber", "telephone", "tel", "mobile"]
    case .contact(.hired): ["hiredate", "hiredon", "startdate"]
    case .contact(.released): ["releasedate", "releasedon", "enddate"]
    case .user(.initials): []
    case .user(.reference): ["ref", "employeeid", "employeenumber", "personnelnumber"]
    case .user(.division): []
    case .user(.authority), .user(.restrictBookings): []
    case .custom: []
    }
  }

  /// The option of `USER.CREATE` and `CONTACT.CREATE` that one value of the column follows; nil for a column that has
  /// several, and for the username, which has none.
  var option: [String]? {
    switch self {
    case .username, .products, .licences, .roles: nil
    case .custom(let name): ["FIELD", name]
    case .status, .name, .contact, .user: [name.uppercased()]
    }
  }

  /// The field's name in `USER.SET`; nil for what that command does not set.
  var field: String? {
    switch self {
    case .username, .status, .products, .licences, .roles, .name: nil
    case .contact, .user, .custom: name
    }
  }
}

/// Finds the columns of a file by their names.
struct ColumnNames {
  enum Meaning: Equatable {
    case column(PersonColumn)
    case ignored
    case unknown
  }

  /// All columns that a file may have.
  let known: [PersonColumn]
  private var columns: [String: PersonColumn] = [:]
  private var maps: [String: PersonColumn] = [:]
  private let ignored: Set<String>

  /// - Parameters:
  ///   - fields: those that the workspace has added. Their names come before aliases.
  ///   - ignored: the names of columns that are not read.
  init(_ standard: [PersonColumn], fields: [String], ignored: [String]) {
    known = standard + fields.map(PersonColumn.custom)
    self.ignored = Set(ignored.map(Self.plain))
    for column in standard {
      for alias in column.aliases { columns[alias] = column }
    }
    for column in known.reversed() { columns[Self.plain(column.name)] = column }
  }

  /// Takes a name for another one, as `--map "Given name=first"` says; false if there is no such column.
  mutating func map(_ name: String, to column: String) -> Bool {
    guard case .column(let found) = meaning(of: column) else { return false }
    maps[Self.plain(name)] = found
    return true
  }

  func meaning(of name: String) -> Meaning {
    let plain = Self.plain(name)
    if let mapped = maps[plain] { return .column(mapped) }
    if ignored.contains(plain) { return .ignored }
    return columns[plain].map(Meaning.column) ?? .unknown
  }

  /// Without case, blanks, and the punctuation in which names of columns differ: `E-Mail`, `First_name`, `Role(s)`.
  private static func plain(_ name: String) -> String {
    String(
      String.UnicodeScalarView(
        name.caseFolded.unicodeScalars.filter { !$0.properties.isWhitespace && !"-_.()/".unicodeScalars.contains($0) }))
  }
}
