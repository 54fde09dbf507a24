/// Why a user may not log in to a product, in the order in which the rules are checked.
public enum LoginDenial: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case unknownUser
  case deleted
  case inactive
  case pending
  case locked
  case unknownProduct
  case productDisabled
  case noLicence
  case outsideEmployment
  // Not for an application that has authenticated the user by itself: what only a password is asked about.
  case credentials
  case waiting

  /// The rules of `LOGIN.CHECK`, in order.
  public static let rules: [LoginDenial] = [
    .unknownUser, .deleted, .inactive, .pending, .locked, .unknownProduct, .productDisabled, .noLicence,
    .outsideEmployment,
  ]

  public var reason: StaticString {
    switch self {
    case .unknownUser: "unknown-user"
    case .deleted: "status-deleted"
    case .inactive: "status-inactive"
    case .pending: "status-pending"
    case .locked: "status-locked"
    case .unknownProduct: "unknown-product"
    case .productDisabled: "product-disabled"
    case .noLicence: "no-licence"
    case .outsideEmployment: "outside-employment"
    case .credentials: "credentials"
    case .waiting: "wait"
    }
  }

  /// The complete reply of `LOGIN.CHECK`, so that a denial allocates no string.
  public var answer: StaticString {
    switch self {
    case .unknownUser: "DENY unknown-user"
    case .deleted: "DENY status-deleted"
    case .inactive: "DENY status-inactive"
    case .pending: "DENY status-pending"
    case .locked: "DENY status-locked"
    case .unknownProduct: "DENY unknown-product"
    case .productDisabled: "DENY product-disabled"
    case .noLicence: "DENY no-licence"
    case .outsideEmployment: "DENY outside-employment"
    case .credentials: "DENY credentials"
    case .waiting: "DENY wait"
    }
  }
}

extension Status {
  /// L16: why a user with this status may not log in.
  public var denial: LoginDenial? {
    switch self {
    case .active, .new, .import, .temporary: nil
    case .deleted: .deleted
    case .inactive: .inactive
    case .pending: .pending
    case .locked: .locked
    }
  }
}

extension PersonView {
  /// The login rules in order; nil if the person may log in to the product now.
  ///
  /// - Parameter opened: the record that opened the session to be checked. The person must have met the workspace's
  ///   requirements ever since.
  @inline(__always)
  public func loginDenial(
    to product: ProductID?, in directory: Directory, at now: Milliseconds, since opened: LSN = .max
  ) -> LoginDenial? {
    if let denial = status.denial { return denial }
    guard let product, Int(product) <= directory.products.count else { return .unknownProduct }
    guard let access = access(to: product), access.isOpen(at: now) else { return .productDisabled }
    let facts = directory.facts(ofProduct: product)
    if isShutOut(of: facts.workspace, at: now) { return .productDisabled }
    if facts.needsLicence, access.licence == 0 { return .noLicence }
    return employmentDenial(asked: facts.workspace, in: directory, at: now, since: opened)
  }

  /// Why a person may not be in a workspace that wants employment, or wanted it after a session was opened.
  @inline(__always)
  func employmentDenial(
    asked id: WorkspaceID, in directory: Directory, at now: Milliseconds, since opened: LSN = .max
  ) -> LoginDenial? {
    let workspace = directory.facts(ofWorkspace: id)
    guard workspace.withinEmployment || opened < workspace.employmentLifted,
      !isEmployed(at: now, asked: id, in: directory)
    else { return nil }
    return .outsideEmployment
  }

  /// Why a person may act nowhere, whatever the product: by the status, or as the home wants employment. It decides on what
  /// rests on the person alone, such as API keys and requests that wait.
  func denial(in directory: Directory, at now: Milliseconds) -> LoginDenial? {
    status.denial ?? employmentDenial(asked: memberships.first ?? mainWorkspace, in: directory, at: now)
  }

  /// Whether now is a day of the employment. The hire date and the release date both count, from midnight to midnight
  /// in the person's time zone.
  ///
  /// - Parameter workspace: the workspace whose policy asks; its zone applies to a person without one.
  public func isEmployed(at now: Milliseconds, asked workspace: WorkspaceID, in directory: Directory) -> Bool {
    let (hired, released) = (hired, released)
    func isEmployed(on day: Int32) -> Bool { Self.isEmployed(on: day, hired, released) }
    // The answer depends on the zone, and so on a look-up, only near the hire or release date.
    let days = Days.possible(at: now)
    if !days.contains(where: isEmployed) { return false }
    if days.allSatisfy(isEmployed) { return true }
    return isEmployed(on: zone(elseOf: directory.workspace(workspace), directory.zones).zone.rules.day(at: now))
  }

  /// Whether the day that it is in a zone is one of the employment.
  func isEmployed(at moment: Milliseconds, in zone: Zone) -> Bool {
    Self.isEmployed(on: zone.rules.day(at: moment), hired, released)
  }

  @inline(__always)
  private static func isEmployed(on day: Int32, _ hired: Int32, _ released: Int32) -> Bool {
    (hired == .min || day >= hired) && (released == .min || day <= released)
  }

  /// Why a session of this person can no longer be in force; nil if it can, as far as its own user is concerned.
  @inline(__always)
  func sessionDenial(_ session: SessionRow, in directory: Directory, at now: Milliseconds) -> LoginDenial? {
    if session.product == 0 {
      if let denial = status.denial { return denial }
      if isShutOut(of: session.workspace, at: now) { return .productDisabled }
      return employmentDenial(asked: session.workspace, in: directory, at: now, since: session.lsn)
    }
    return loginDenial(to: session.product, in: directory, at: now, since: session.lsn)
  }
}
