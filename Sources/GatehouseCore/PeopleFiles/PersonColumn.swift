/// What a column of a file of people holds.
package enum PersonColumn: Hashable, Sendable {
  case username, status, products, licences, roles
  /// The password of a new user, or its hash in another system.
  case password, passwordHash
  /// The main account in the workspace (L22).
  case account
  /// All employments there with their days (L8), and whom and what the person looks after (L9).
  case employments, manages
  /// What a provisioning system keeps of the person in the workspace.
  case provisioned
  /// The whole name, which the server splits.
  case name
  case contact(ContactField)
  case user(UserField)
  /// A field that the workspace has added.
  case custom(String)

  /// The columns that every workspace has, in the order in which they are exported.
  package static let ofUsers: [PersonColumn] =
    [.username, .name] + ContactField.allCases.map(Self.contact) + [.status]
    + UserField.allCases.map(Self.user) + [
      .account, .employments, .products, .licences, .roles, .manages, .provisioned,
    ]
  /// … and what is imported, and never exported.
  package static let ofImportedUsers: [PersonColumn] = ofUsers + [.password, .passwordHash]
  package static let ofContacts: [PersonColumn] = [.name] + ContactField.allCases.map(Self.contact)

  package var name: String {
    switch self {
    case .custom(let name): name
    case .password: NewUserPassword.column
    case .passwordHash: NewUserPassword.hashColumn
    case .employments: "employments"
    case .manages: "manages"
    case .provisioned: "provisioned"
    default: listed?.column ?? ""
    }
  }

  /// The field of the server's lists that the column holds; nil for one that a workspace has added, and for what lists do
  /// not show. No workspace can add a field under the name of a column (`ListField.isBuiltIn`).
  package var listed: ListField? {
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
    case .custom, .password, .passwordHash, .employments, .manages, .provisioned: nil
    }
  }

  /// The columns that have no field of the lists, and a name of their own.
  static let withoutField: [PersonColumn] = [.password, .passwordHash, .employments, .manages, .provisioned]

  /// Whether a cell says yes or no.
  package var isFlag: Bool { if case .user(let field) = self { field.flag != nil } else { false } }

  /// Whether a cell is a day.
  package var isDay: Bool { if case .contact(let field) = self { field.isDay } else { false } }

  /// Other names by which files call the column, without case, blanks and punctuation.
  package var aliases: [String] {
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
    case .employments: ["employment", "employers", "accounts"]
    case .manages: ["manage", "looksafter"]
    case .provisioned: []
    case .custom: []
    }
  }

  /// The option of `USER.CREATE` and `CONTACT.CREATE` that one value of the column follows; nil for a column that has
  /// several, and for the username, which has none. That of a flag stands alone.
  package var option: [String]? {
    switch self {
    case .username, .products, .licences, .roles, .employments, .manages, .provisioned: nil
    case .custom(let name): ["FIELD", name]
    case .status, .name, .contact, .user, .account, .password, .passwordHash: [name.uppercased()]
    }
  }

  /// The field's name in `USER.SET`; nil for what that command does not set.
  package var field: String? {
    switch self {
    case .username, .status, .products, .licences, .roles, .account, .employments, .manages, .provisioned, .name,
      .password, .passwordHash:
      nil
    case .contact, .user, .custom: name
    }
  }

  /// What is wrong with a cell that the server need not be asked about; nil if nothing is.
  package func fault(of text: String) -> String? {
    if isFlag, Turn.flag(text) == nil { return "'\(text)' is not 1 or 0" }
    // The server would take it for milliseconds, and a spreadsheet means days.
    if isDay, text.utf8.allSatisfy({ $0 &- 0x30 < 10 || [0x2e, 0x2d].contains($0) }), TimeText.dayNumber(text) == nil {
      return "'\(text)' is not a day, such as 2026-03-01; format the column as that"
    }
    return faultOfValues(in: text)
  }
}
