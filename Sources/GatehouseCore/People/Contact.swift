/// The person's record. It outlives the login.
public struct ContactRow: TableRow {
  public var lsn: LSN = 0
  public var created: Milliseconds = 0
  public var version: UInt32 = 0
  /// Serial number of the contact's live user; 0 where it has none.
  public var user: UInt32 = 0
  /// Days since 1970-01-01; `.min` where not set.
  public var hired: Int32 = .min
  /// The last day of employment; `.min` where not set.
  public var released: Int32 = .min
  public var details = DetailRange()

  public init() {}

  public static var vacant: ContactRow { ContactRow() }

  public var isUsed: Bool { version > 0 }
}

/// What stands in the details of a contact's row, besides its fields.
enum ContactTag {
  /// The workspace that the contact was made in; absent for `main`.
  static let home: UInt8 = 64
  /// The newest login, once it is deleted; absent where the contact has a live one, or never had any.
  static let formerLogin: UInt8 = 65
}

/// The shared data of a person (T2), each a text in the contact's details or a day in its row.
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
    case .hired: "hired"
    case .released: "released"
    }
  }

  public var isDay: Bool { self == .hired || self == .released }

  /// Whether people set the field of themselves (L10). The others are what their employer says of them.
  public var isPersonal: Bool {
    switch self {
    case .first, .middle, .last, .email, .timezone, .phone: true
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
    // The newest entry, when entries were linked.
    var entry: UInt32 = 0
    try visitor.value(&entry, as: NumberForm<UInt32>.self)
    try visitor.value(&hired, as: DayForm.self)
    try visitor.value(&released, as: DayForm.self)
  }
}
