/// An order of lists of people for which there is an index: of all users, or of all contacts, by a text.
enum PeopleOrder: Int, CaseIterable, Sendable {
  case usersByFirst, usersByLast, usersByEmail, usersByUsername
  case contactsByFirst, contactsByLast, contactsByEmail

  /// - Returns: nil if no index has the order.
  init?<Row: ListedPerson>(_ field: ListField, _ row: Row.Type) {
    let isOfUsers = Row.self == ListedUser.self
    switch field {
    case .ofContact(.first): self = isOfUsers ? .usersByFirst : .contactsByFirst
    case .ofContact(.last): self = isOfUsers ? .usersByLast : .contactsByLast
    case .ofContact(.email): self = isOfUsers ? .usersByEmail : .contactsByEmail
    // A contact without a login has no username, and lists of contacts are rarely in the order of it.
    case .username where isOfUsers: self = .usersByUsername
    default: return nil
    }
  }

  /// Whether only contacts with a login are in it.
  var isOfUsers: Bool {
    switch self {
    case .usersByFirst, .usersByLast, .usersByEmail, .usersByUsername: true
    case .contactsByFirst, .contactsByLast, .contactsByEmail: false
    }
  }

  /// The contact's field that has the text; nil for the username.
  var contactField: ContactField? {
    switch self {
    case .usersByFirst, .contactsByFirst: .first
    case .usersByLast, .contactsByLast: .last
    case .usersByEmail, .contactsByEmail: .email
    case .usersByUsername: nil
    }
  }
}

/// The place of a row in a sorted list.
struct ListPlace: Sendable {
  let key: ContiguousArray<UInt8>
  let id: UInt64

  /// The key of what is not set. It comes after all others (RFC 7644, section 3.4.2.3): no text has this byte, and numbers
  /// have one less.
  static let unset = ContiguousArray<UInt8>(repeating: 0xff, count: 9)
}
