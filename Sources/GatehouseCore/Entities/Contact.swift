/// The person's record. It outlives the login.
package struct ContactRow: TableRow {
  package var lsn: LSN = 0
  package var created: Milliseconds = 0
  package var version: UInt32 = 0
  /// Serial number of the contact's live user; 0 where it has none.
  package var user: UInt32 = 0
  /// Serial number of the newest time entry; 0 for none.
  package var entries: UInt32 = 0
  /// Days since 1970-01-01; `.min` where not set.
  package var hired: Int32 = .min
  /// The last day of employment; `.min` where not set.
  package var released: Int32 = .min
  package var details = DetailRange()

  package init() {}

  package static var vacant: ContactRow { ContactRow() }

  package var isUsed: Bool { version > 0 }
}

/// The shared data of a person (T2), each a text in the contact's details or a day in its row.
package enum ContactField: UInt8, Sendable, CaseIterable {
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

  package var name: String {
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

  package var isDay: Bool { self == .hired || self == .released }

  /// Whether people set the field of themselves (L10). The others are what their employer says of them.
  package var isPersonal: Bool {
    switch self {
    case .first, .middle, .last, .email, .timezone, .phone: true
    case .department, .schedule, .leave, .hired, .released: false
    }
  }

  package init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}
