/// The status of a user. L16: the first four may log in with the right credentials, the others may not.
public enum Status: UInt8, Sendable, CaseIterable, BitwiseCopyable, NamedChoice {
  case active = 1
  case new
  case `import`
  case temporary
  case inactive
  case pending
  case locked
  /// The login is gone; the contact and its history stay.
  case deleted

  public var mayLogIn: Bool { rawValue <= Status.temporary.rawValue }

  public var name: StaticString {
    switch self {
    case .active: "active"
    case .new: "new"
    case .import: "import"
    case .temporary: "temporary"
    case .inactive: "inactive"
    case .pending: "pending"
    case .locked: "locked"
    case .deleted: "deleted"
    }
  }

  public init?(name: String) {
    let name = name.folded
    guard let found = Status.allCases.first(where: { "\($0.name)" == name }) else { return nil }
    self = found
  }
}
