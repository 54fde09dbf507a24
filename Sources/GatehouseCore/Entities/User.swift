/// The login of a contact.
package struct UserRow: TableRow {
  /// The last change of anything a login decision reads of this user.
  package var lsn: LSN = 0
  package var created: Milliseconds = 0
  /// When a session was last opened; 0 for never.
  package var lastLogin: Milliseconds = 0
  /// Serial number of the contact, in the same partition.
  package var contact: UInt32 = 0
  package var version: UInt32 = 0
  /// The low half of the hash of the folded username.
  package var nameHash: UInt32 = 0
  /// Slot of the newest session; 0 for none.
  package var sessions: UInt32 = 0
  package var sessionCount: UInt32 = 0
  /// Access to up to two products, packed; whoever has more has all of them in the details.
  package var access: (UInt32, UInt32) = (0, 0)
  package var details = DetailRange()
  package var roles = RoleSet()
  package var status: Status = .deleted
  package var flags: Flags = []

  package struct Flags: OptionSet, BitwiseCopyable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Product access stands in the details.
    package static let manyProducts = Flags(rawValue: 1)
    /// S5: an administrator with authority over the subscription.
    package static let hasAuthority = Flags(rawValue: 2)
    /// L4: no bookings as this user.
    package static let restrictsBookings = Flags(rawValue: 4)
  }

  package init() {}

  package static var vacant: UserRow { UserRow() }

  package var isUsed: Bool { version > 0 }
}

/// What stands in the details of a user's row.
package enum UserTag {
  package static let username: UInt8 = 1
  package static let initials: UInt8 = 2
  package static let reference: UInt8 = 3
  package static let division: UInt8 = 4
  package static let access: UInt8 = 16
  package static let grants: UInt8 = 17
  /// Absent where the user is a member of `main` only.
  package static let memberships: UInt8 = 18
}

/// The settable fields of the login itself.
package enum UserField: UInt8, Sendable, CaseIterable {
  case initials = 2
  case reference
  case division
  case authority = 100
  case restrictBookings

  package var name: String {
    switch self {
    case .initials: "initials"
    case .reference: "reference"
    case .division: "division"
    case .authority: "authority"
    case .restrictBookings: "restrict-bookings"
    }
  }

  /// The bit of a field that is on or off.
  package var flag: UserRow.Flags? {
    switch self {
    case .authority: .hasAuthority
    case .restrictBookings: .restrictsBookings
    case .initials, .reference, .division: nil
    }
  }

  package init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}
