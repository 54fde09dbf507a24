import GatehouseCore

/// What a column of a file of people holds.
enum PersonColumn: Hashable {
  case username, status, products, licences, roles
  /// The password of a new user, or its hash in another system.
  case password, passwordHash
  /// The main account in the workspace (L22).
  case account
  /// The whole name, which the server splits.
  case name
  case contact(ContactField)
  case user(UserField)
  /// A field that the workspace has added.
  case custom(String)

  /// The columns that every workspace has, in the order in which they are exported.
  static let ofUsers: [PersonColumn] =
    [.username, .name] + ContactField.allCases.map(Self.contact) + [.status]
    + UserField.allCases.map(Self.user) + [.account, .products, .licences, .roles]
  /// … and what is imported, and never exported.
  static let ofImportedUsers: [PersonColumn] = ofUsers + [.password, .passwordHash]
  static let ofContacts: [PersonColumn] = [.name] + ContactField.allCases.map(Self.contact)

  var name: String {
    switch self {
    case .custom(let name): name
    case .password: NewUserPassword.column
    case .passwordHash: NewUserPassword.hashColumn
    default: listed?.column ?? ""
    }
  }

  /// The field of the server's lists that the column holds; nil for one that a workspace has added. Both have their names
  /// from there, so that no workspace can add a field under the name of a column.
  var listed: ListField? {
    switch self {
    case .username: .username
    case .status: .status
    case .products: .product
    case .licences: .licence
    case .roles: .role
    case .account: .account
    case .name: .name
    case .contact(let field): .ofContact(field)
    case .user(let field): .ofUser(field)
    case .custom, .password, .passwordHash: nil
    }
  }

  /// Whether a cell says yes or no.
  var isFlag: Bool { if case .user(let field) = self { field.flag != nil } else { false } }

  /// Whether a cell is a day.
  var isDay: Bool { if case .contact(let field) = self { field.isDay } else { false } }

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
    case .password: ["initialpassword", "temporarypassword"]
    case .passwordHash: ["hash", "passwordhashed", "hashedpassword"]
    case .account: ["mainaccount", "employer", "company", "organisation", "organization"]
    case .custom: []
    }
  }

  /// The option of `USER.CREATE` and `CONTACT.CREATE` that one value of the column follows; nil for a column that has
  /// several, and for the username, which has none. That of a flag stands alone.
  var option: [String]? {
    switch self {
    case .username, .products, .licences, .roles: nil
    case .custom(let name): ["FIELD", name]
    case .status, .name, .contact, .user, .account, .password, .passwordHash: [name.uppercased()]
    }
  }

  /// The field's name in `USER.SET`; nil for what that command does not set.
  var field: String? {
    switch self {
    case .username, .status, .products, .licences, .roles, .account, .name, .password, .passwordHash: nil
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
  /// The one that it must have: users are found by it.
  var needed: PersonColumn? { known.contains(.username) ? .username : nil }
  private var columns: [String: PersonColumn] = [:]
  private var maps: [String: PersonColumn] = [:]
  private let ignored: Set<String>

  /// - Parameters:
  ///   - fields: those that the workspace has added. Their names come before aliases.
  ///   - ignored: the names of columns that are not read.
  init(_ standard: [PersonColumn], fields: [String], ignored: [String]) {
    known = standard + fields.map(PersonColumn.custom)
    self.ignored = Set(ignored.map(ListField.plain))
    for column in standard {
      for alias in column.aliases { columns[alias] = column }
    }
    for column in known.reversed() { columns[ListField.plain(column.name)] = column }
  }

  /// Takes a name for another one, as `--map "Given name=first"` says; false if there is no such column.
  mutating func map(_ name: String, to column: String) -> Bool {
    guard case .column(let found) = meaning(of: column) else { return false }
    maps[ListField.plain(name)] = found
    return true
  }

  func meaning(of name: String) -> Meaning {
    let plain = ListField.plain(name)
    if let mapped = maps[plain] { return .column(mapped) }
    if ignored.contains(plain) { return .ignored }
    return columns[plain].map(Meaning.column) ?? .unknown
  }
}
