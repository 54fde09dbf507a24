/// The login of a contact.
public struct UserRow: TableRow {
  /// The last change of anything that a login decision reads of this user.
  public var lsn: LSN = 0
  public var created: Milliseconds = 0
  /// When a session was last opened; 0 if never.
  public var lastLogin: Milliseconds = 0
  /// Serial number of the contact, in the same partition.
  public var contact: UInt32 = 0
  public var version: UInt32 = 0
  /// The lower half of the hash of the folded username.
  public var nameHash: UInt32 = 0
  /// Slot of the newest session; 0 if there is none.
  public var sessions: UInt32 = 0
  public var sessionCount: UInt32 = 0
  /// Access to at most two products, in compact form. All accesses are in the details instead if there are more, or if
  /// one does not fit the compact form.
  public var access: (UInt32, UInt32) = (0, 0)
  public var details = DetailRange()
  public var roles = RoleSet()
  public var status: Status = .deleted
  public var flags: Flags = []

  public struct Flags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Product access is in the details.
    public static let manyProducts = Flags(rawValue: 1)
    /// S5: an administrator with authority over the subscription.
    public static let hasAuthority = Flags(rawValue: 2)
    /// L4: no bookings as this user.
    public static let restrictsBookings = Flags(rawValue: 4)
    /// A grant, access or membership has time limits (B7).
    public static let hasLimits = Flags(rawValue: 8)
    /// A grant or a management link names an account or a group.
    public static let refersToOrganisations = Flags(rawValue: 16)
  }

  public init() {}

  public static var vacant: UserRow { UserRow() }

  public var isUsed: Bool { version > 0 }
}

/// The tags of the details of a user's row.
public enum UserTag {
  public static let username: UInt8 = 1
  public static let initials: UInt8 = 2
  public static let reference: UInt8 = 3
  public static let division: UInt8 = 4
  public static let access: UInt8 = 16
  public static let grants: UInt8 = 17
  /// Absent if the user is a member of `main` only.
  public static let memberships: UInt8 = 18
  /// The last logins to products of workspaces other than the home; the home's is in the row.
  public static let logins: UInt8 = 19
  /// The time limits of memberships that have any.
  public static let membershipLimits: UInt8 = 20
  /// The login that the contact had before this one; absent for the first.
  public static let previousLogin: UInt8 = 21
  /// The user to whom this one leads since the two were merged.
  public static let alias: UInt8 = 22
  /// The homes that the user had before this one.
  public static let formerHomes: UInt8 = 23
  /// Whom the user looks after (L9).
  public static let management: UInt8 = 24
  /// The status that a deleted login had before; absent for `active`.
  public static let formerStatus: UInt8 = 25
  /// The workspaces that the user has left and that know the username, because it has not changed since.
  public static let namedIn: UInt8 = 26
  /// Since when the user has the seats of enabled accesses.
  public static let seats: UInt8 = 30
  /// The records about the user that were taken back (B9).
  public static let undone: UInt8 = 40
  /// What provisioning systems keep of the user.
  public static let provisioned: UInt8 = 41
}

/// The settable fields of the login itself.
public enum UserField: UInt8, Sendable, CaseIterable, NamedChoice {
  case initials = 2
  case reference
  case division
  case authority = 100
  case restrictBookings

  public var name: String {
    switch self {
    case .initials: "initials"
    case .reference: "reference"
    case .division: "division"
    case .authority: "authority"
    case .restrictBookings: "restrict-bookings"
    }
  }

  /// The bit of an on/off field.
  public var flag: UserRow.Flags? {
    switch self {
    case .authority: .hasAuthority
    case .restrictBookings: .restrictsBookings
    case .initials, .reference, .division: nil
    }
  }

  /// The flags say what the login may do, and stay when a person is forgotten.
  public var tellsOfPerson: Bool { flag == nil }

  public init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = found
  }
}
