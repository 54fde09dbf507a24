/// The person's record. It outlives the login.
public struct ContactRow: TableRow {
  public var lsn: LSN = 0
  public var created: Milliseconds = 0
  /// When what the home governs of the contact and its login was last changed; 0 if that was before it was kept.
  public var changed: Milliseconds = 0
  public var version: UInt32 = 0
  /// Serial number of the contact's live user; 0 if it has none.
  public var user: UInt32 = 0
  /// Days since 1970-01-01; `.min` if not set.
  public var hired: Int32 = .min
  /// The last day of employment; `.min` if not set.
  public var released: Int32 = .min
  public var details = DetailRange()

  public init() {}

  public static var vacant: ContactRow { ContactRow() }

  public var isUsed: Bool { version > 0 }
}

/// The tags of the details of a contact's row, besides its fields.
enum ContactTag {
  /// The workspace in which the contact was created; absent for `main`.
  static let home: UInt8 = 64
  /// The newest login, once it is deleted; absent if the contact has a live one, or never had any.
  static let formerLogin: UInt8 = 65
  /// The values of the fields that workspaces have added.
  static let custom: UInt8 = 66
  /// Present once the person was anonymised (L6).
  static let anonymised: UInt8 = 67
  /// The contacts that were merged into this one (L13).
  static let merged: UInt8 = 68
  /// The contact that this one was merged into.
  static let mergedInto: UInt8 = 69
  /// Where the contact is, was and will be employed.
  static let employments: UInt8 = 70
  /// The homes that the contact had before, as far as those of its newest login do not tell it.
  static let formerHomes: UInt8 = 71
}

/// The data of a person that all products share (T2): texts in the contact's details, or days in its row.
public enum ContactField: UInt8, Sendable, CaseIterable, NamedChoice {
  case first = 1
  case middle
  case last
  case email
  case department
  case timezone
  case schedule
  case leave
  case phone
  /// In which mails are written to the person.
  case language
  case hired = 100
  case released

  public var name: String {
    switch self {
    case .first: "first"
    case .middle: "middle"
    case .last: "last"
    case .email: "email"
    case .department: "department"
    case .timezone: "timezone"
    case .schedule: "schedule"
    case .leave: "leave"
    case .phone: "phone"
    case .language: "language"
    case .hired: "hired"
    case .released: "released"
    }
  }

  public var isDay: Bool { self == .hired || self == .released }

  /// Whether people set the field themselves (L10). The others are set by the employer.
  public var isPersonal: Bool {
    switch self {
    case .first, .middle, .last, .email, .timezone, .phone, .language: true
    case .department, .schedule, .leave, .hired, .released: false
    }
  }

  public init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}

extension ContactRow: StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.value(&version, as: NumberForm<UInt32>.self)
    guard isUsed else { return }
    try visitor.value(&lsn, as: NumberForm<LSN>.self)
    try visitor.value(&created, as: TimeForm.self)
    try visitor.value(&user, as: NumberForm<UInt32>.self)
    // Unused: the newest entry, from when entries were a linked list.
    var entry: UInt32 = 0
    try visitor.value(&entry, as: NumberForm<UInt32>.self)
    try visitor.value(&hired, as: DayForm.self)
    try visitor.value(&released, as: DayForm.self)
    try visitor.later()
    try visitor.value(&changed, as: TimeForm.self)
  }
}
