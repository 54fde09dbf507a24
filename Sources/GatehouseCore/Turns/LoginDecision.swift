/// Why a user may not log in to a product; in the order in which the reasons are looked for.
public enum LoginDenial: UInt8, Sendable, CaseIterable {
  case unknownUser
  case deleted
  case inactive
  case pending
  case locked
  case unknownProduct
  case productDisabled
  case noLicence
  case outsideEmployment

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
    }
  }

  /// The whole answer of `LOGIN.CHECK`, so that a denial costs no string.
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
    }
  }
}

extension Status {
  /// L16: why a user of this status may not log in.
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

extension PartitionState {
  /// The login rules in their order: nil where the user may enter the product now.
  @inline(__always)
  public func loginDenial(
    user serial: Int, product: ProductID?, in directory: Directory, at now: Milliseconds
  ) -> LoginDenial? {
    if let denial = users[serial].status.denial { return denial }
    guard let product, Int(product) <= directory.products.count else { return .unknownProduct }
    guard let access = access(of: serial, to: product), access.isEnabled else { return .productDisabled }
    let facts = directory.loginFacts[Int(product) - 1]
    if facts.needsLicence, access.licence == 0 { return .noLicence }
    if facts.withinEmployment, !isEmployed(serial, at: now) { return .outsideEmployment }
    return nil
  }

  /// Whether `now` lies between the hire and the release date; both days belong to the employment.
  public func isEmployed(_ user: Int, at now: Milliseconds) -> Bool {
    let contact = contacts[Int(users[user].contact)]
    let today = Int32(now / TimeText.day)
    return (contact.hired == .min || today >= contact.hired) && (contact.released == .min || today <= contact.released)
  }

  /// Whether a session's user may still use it: for its product, or for another that is asked about.
  @inline(__always)
  public func sessionDenial(
    slot: Int, product: ProductID?, in directory: Directory, at now: Milliseconds
  ) -> LoginDenial? {
    let row = sessions[slot]
    let asked = product ?? (row.product == 0 ? nil : row.product)
    guard let asked else { return users[Int(row.user)].status.denial }
    return loginDenial(user: Int(row.user), product: asked, in: directory, at: now)
  }
}
