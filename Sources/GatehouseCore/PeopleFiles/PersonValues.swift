/// What the columns with several values say of a person, each as a cell has it and as the server is told.

/// From when and until when, `2026-03-01..2026-12-31`: days, or times where something has them. Either end may be open.
package struct CellRange: Equatable, Sendable {
  /// nil for an open end.
  package var from: String?
  package var until: String?

  package init(from: String?, until: String?) {
    self.from = from
    self.until = until
  }

  /// nil if the mark is none.
  init?(mark: String) {
    let bytes = Array(mark.utf8)
    guard let dots = bytes.indices.dropLast().first(where: { bytes[$0] == 0x2e && bytes[$0 + 1] == 0x2e }) else {
      return nil
    }
    func end(_ bytes: ArraySlice<UInt8>) -> String? {
      bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
    self.init(from: end(bytes[..<dots]), until: end(bytes[(dots + 2)...]))
    // A year, or half a day's name, would be taken for milliseconds.
    for end in [from, until].compactMap({ $0 })
    where TimeText.dayNumber(end) == nil && end.utf8.allSatisfy({ $0 &- 0x30 < 10 || $0 == 0x2d || $0 == 0x2e }) {
      return nil
    }
  }

  package var mark: String? { from == nil && until == nil ? nil : "\(from ?? "")..\(until ?? "")" }

  /// The words for an option of `USER.CREATE`.
  package var words: [String] { [from ?? "none", until ?? "none"] }

  package static let open = CellRange(from: nil, until: nil)
}

/// `Widgets@2026-03-01..@main`: an account that employs the person, or did, or will.
package struct EmploymentValue: Equatable, Sendable {
  package var account: String
  package var days: CellRange
  /// Whether it says of itself that it is the main one. Without that the account of the row is it, else the first.
  package var isMain: Bool

  package init(account: String, days: CellRange, isMain: Bool = false) {
    self.account = account
    self.days = days
    self.isMain = isMain
  }

  init(_ value: CellValue) throws(CellFault) {
    account = value.text
    days = .open
    isMain = false
    for mark in value.marks {
      if mark == Self.mainMark {
        isMain = true
      } else if let range = CellRange(mark: mark) {
        days = range
      } else {
        throw CellFault("'@\(mark)' behind \(account) is not from..to, such as @2026-03-01..2026-12-31, or @main")
      }
    }
  }

  package var value: CellValue { CellValue(account, (days.mark.map { [$0] } ?? []) + (isMain ? [Self.mainMark] : [])) }

  private static let mainMark = "main"
}

/// `payroll@admin@2026-03-01T00:00:00.000Z..`: a product that the person may enter, or `time@off` that is disabled and keeps
/// a licence, or who administers it.
package struct AccessValue: Equatable, Sendable {
  package var product: String
  package var isOff: Bool
  package var isAdministrator: Bool
  package var limits: CellRange

  package init(product: String, isOff: Bool = false, isAdministrator: Bool = false, limits: CellRange = .open) {
    self.product = product
    self.isOff = isOff
    self.isAdministrator = isAdministrator
    self.limits = limits
  }

  init(_ value: CellValue) throws(CellFault) {
    self.init(product: value.text)
    for mark in value.marks {
      if mark == Self.administratorMark {
        isAdministrator = true
      } else if mark == Self.offMark {
        isOff = true
      } else if let range = CellRange(mark: mark) {
        limits = range
      } else {
        throw CellFault("'@\(mark)' behind \(product) is none of @admin, @off and @from..until")
      }
    }
  }

  package var value: CellValue {
    let marks = [isOff ? Self.offMark : nil, isAdministrator ? Self.administratorMark : nil, limits.mark]
    return CellValue(product, marks.compactMap { $0 })
  }

  /// The words for the option `ACCESS` of `USER.CREATE`.
  package var words: [String] {
    let kind = isOff ? isAdministrator ? "OFF-ADMIN" : "OFF" : isAdministrator ? "ADMIN" : "REGULAR"
    return [product, kind] + limits.words
  }

  /// Whether it is no more than that the product is enabled.
  package var isPlain: Bool { !isOff && !isAdministrator && limits == .open }

  private static let administratorMark = "admin"
  private static let offMark = "off"
}

/// `manager@account:Widgets@..2026-12-31`: a role, and over what.
package struct RoleValue: Equatable, Sendable {
  package enum Scope: Equatable, Sendable {
    /// Over the row's account for a manager, if it has one (L22), else over the workspace.
    case usual
    case workspace
    case everywhere
    /// `account`, `group` or `product`, and its name.
    case part(String, of: String)
  }

  package var role: String
  package var scope: Scope
  package var limits: CellRange

  package init(role: String, scope: Scope = .usual, limits: CellRange = .open) {
    self.role = role
    self.scope = scope
    self.limits = limits
  }

  init(_ value: CellValue) throws(CellFault) {
    self.init(role: value.text)
    for mark in value.marks {
      if let scope = Self.scope(mark) {
        self.scope = scope
      } else if let range = CellRange(mark: mark) {
        limits = range
      } else {
        throw CellFault(
          "'@\(mark)' behind \(role) is none of @workspace, @everywhere, @account:name, @group:name, @product:name and"
            + " @from..until")
      }
    }
  }

  private static let kinds = ["account", "group", "product"]

  private static func scope(_ mark: String) -> Scope? {
    switch mark {
    case "workspace": return .workspace
    case "everywhere": return .everywhere
    default:
      guard let kind = kinds.first(where: { mark.utf8.starts(with: "\($0):".utf8) }) else { return nil }
      let name = String(decoding: mark.utf8.dropFirst(kind.utf8.count + 1), as: UTF8.self)
      return name.isEmpty ? nil : .part(kind, of: name)
    }
  }

  package var value: CellValue {
    let mark: String? =
      switch scope {
      case .usual: nil
      case .workspace: "workspace"
      case .everywhere: "everywhere"
      case .part(let kind, let name): "\(kind):\(name)"
      }
    return CellValue(role, [mark, limits.mark].compactMap { $0 })
  }
}

/// `user:bo`, `account:Widgets`, `group:North`: whom or what the person looks after (L9).
package struct ManagedValue: Equatable, Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    case user, account, group
  }

  package var kind: Kind
  package var name: String

  package init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }

  /// A name without a kind is that of a user.
  init(_ value: CellValue) throws(CellFault) {
    let text = value.text.utf8
    let kind = Kind.allCases.first { text.starts(with: "\($0.rawValue):".utf8) }
    self.init(
      kind ?? .user,
      kind.map { String(decoding: text.dropFirst($0.rawValue.utf8.count + 1), as: UTF8.self) } ?? value.text)
    if name.isEmpty { throw CellFault("'\(value.text)' names nobody") }
  }

  package var value: CellValue { CellValue("\(kind.rawValue):\(name)") }
}

/// `externalId@00u1`: what a provisioning system keeps of the person in the workspace, an attribute and its value.
package struct ProvisionedCell: Equatable, Sendable {
  package var attribute: String
  package var value: String

  package init(_ attribute: String, _ value: String) {
    self.attribute = attribute
    self.value = value
  }

  init(_ value: CellValue) throws(CellFault) {
    guard value.marks.count == 1, let text = value.marks.first, !text.isEmpty, !value.text.isEmpty else {
      throw CellFault("'\(value.text)' is an attribute without a value; write attribute@value, the value in quotes")
    }
    self.init(value.text, text)
  }

  package var cell: CellValue { CellValue(attribute, [value]) }
}

extension PersonColumn {
  /// How several values stand in a cell; nil for a column that has one.
  package var form: CellValue.Form? {
    switch self {
    case .products, .roles: .markedWords
    case .licences: .words
    case .employments, .provisioned: .markedNames
    case .manages: .names
    case .username, .status, .name, .password, .passwordHash, .account, .contact, .user, .custom: nil
    }
  }

  private static func read<Value>(
    _ text: String, _ form: CellValue.Form, _ read: (CellValue) throws(CellFault) -> Value
  ) throws(CellFault) -> [Value] {
    var result: [Value] = []
    for value in try CellValue.values(in: text, form) { result.append(try read(value)) }
    return result
  }

  package static func employments(in text: String) throws(CellFault) -> [EmploymentValue] {
    let values = try read(text, .markedNames) { (value) throws(CellFault) in try EmploymentValue(value) }
    guard values.count(where: \.isMain) <= 1 else {
      throw CellFault("more than one of the employments is the main one")
    }
    return values
  }

  package static func accesses(in text: String) throws(CellFault) -> [AccessValue] {
    try read(text, .markedWords) { (value) throws(CellFault) in try AccessValue(value) }
  }

  package static func roles(in text: String) throws(CellFault) -> [RoleValue] {
    try read(text, .markedWords) { (value) throws(CellFault) in try RoleValue(value) }
  }

  package static func licences(in text: String) throws(CellFault) -> [String] {
    try read(text, .words) { (value) throws(CellFault) in value.text }
  }

  package static func managed(in text: String) throws(CellFault) -> [ManagedValue] {
    try read(text, .names) { (value) throws(CellFault) in try ManagedValue(value) }
  }

  package static func provisioned(in text: String) throws(CellFault) -> [ProvisionedCell] {
    try read(text, .markedNames) { (value) throws(CellFault) in try ProvisionedCell(value) }
  }

  /// Why several values cannot be read; nil if they can, or the column has one.
  func faultOfValues(in text: String) -> String? {
    do throws(CellFault) {
      switch self {
      case .employments: _ = try Self.employments(in: text)
      case .products: _ = try Self.accesses(in: text)
      case .roles: _ = try Self.roles(in: text)
      case .licences: _ = try Self.licences(in: text)
      case .manages: _ = try Self.managed(in: text)
      case .provisioned: _ = try Self.provisioned(in: text)
      case .username, .status, .name, .password, .passwordHash, .account, .contact, .user, .custom: break
      }
      return nil
    } catch {
      return error.reason
    }
  }
}
