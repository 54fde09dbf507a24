import GatehouseCore

/// How the users who meet a filter are found.
enum SCIMUserPlan: Equatable {
  /// An index tells all candidates.
  case candidates(Set<Lookup>)
  /// The server's conditions tell exactly who is meant.
  case conditions([Condition])
  /// These narrow it, and each of those who are left is looked at.
  case scan([Condition])

  enum Lookup: Hashable {
    case id(String)
    case username(String)
    case externalID(String)
    case email(String)
  }

  /// A `WHERE` of `USER.LIST`.
  struct Condition: Equatable {
    let field: String
    let comparison: String
    let value: String

    var words: [String] { ["WHERE", field, comparison, value] }

    init(_ field: String, _ comparison: String, _ value: String) {
      self.field = field
      self.comparison = comparison
      self.value = value
    }
  }

  init(_ filter: SCIMFilter?) {
    guard let filter else {
      self = .conditions([])
      return
    }
    if let lookups = Self.lookups(filter) {
      self = .candidates(lookups)
      return
    }
    let conjuncts = filter.conjuncts
    let conditions = conjuncts.compactMap(Self.condition)
    let isExact = conditions.count == conjuncts.count && conditions.count <= Limits.conditionsOfList
    self = isExact ? .conditions(conditions) : .scan(Array(conditions.prefix(Limits.conditionsOfList)))
  }

  // MARK: Indexes

  private static func lookups(_ filter: SCIMFilter) -> Set<Lookup>? {
    switch filter {
    case .and(let left, let right): lookups(left) ?? lookups(right)
    case .or(let left, let right): lookups(left).flatMap { left in lookups(right).map { left.union($0) } }
    case .compare(let path, .equal, .string(let text)): lookup(path, text)
    case .anyValue(let path, let inner) where path.name.isSame(as: "emails"): email(inner)
    case .compare, .present, .anyValue, .not: nil
    }
  }

  private static func lookup(_ path: SCIMAttributePath, _ text: String) -> Set<Lookup>? {
    guard !text.isEmpty, path.urn?.isSame(as: SCIMSchemas.user) ?? true else { return nil }
    switch (path.name.lowercased(), path.sub?.lowercased()) {
    case ("id", nil): return [.id(text)]
    case ("username", nil): return [.username(text)]
    case ("externalid", nil): return [.externalID(text)]
    case ("emails", nil), ("emails", "value"): return [.email(text)]
    default: return nil
    }
  }

  /// The addresses that a filter of e-mail values asks for.
  private static func email(_ filter: SCIMFilter) -> Set<Lookup>? {
    switch filter {
    case .and(let left, let right): email(left) ?? email(right)
    case .or(let left, let right): email(left).flatMap { left in email(right).map { left.union($0) } }
    case .compare(let path, .equal, .string(let text)) where path.name.isSame(as: "value") && !text.isEmpty:
      [.email(text)]
    case .compare, .present, .anyValue, .not: nil
    }
  }

  // MARK: Conditions

  private static let texts: [String: String] = [
    "name.givenname": "first", "name.middlename": "middle", "name.familyname": "last", "timezone": "timezone",
    "username": "username",
  ]
  private static let textsOfEmployer: [String: String] = [
    "department": "department", "division": "division", "employeenumber": "reference",
  ]

  private static let times = ["meta.created": "created", "meta.lastmodified": "last-change"]

  private static func time(_ field: String, _ comparison: SCIMComparison, _ time: Milliseconds) -> Condition? {
    let sign: String
    switch comparison {
    case .greater: sign = ">"
    case .atLeast: sign = ">="
    case .less: sign = "<"
    case .atMost: sign = "<="
    case .equal, .notEqual, .contains, .startsWith, .endsWith: return nil
    }
    return time < 0 ? nil : Condition(field, sign, String(time))
  }

  private static func condition(_ filter: SCIMFilter) -> Condition? {
    guard case .compare(let path, let comparison, let literal) = filter else { return nil }
    let name = (path.name + (path.sub.map { ".\($0)" } ?? "")).lowercased()
    if name == "active", path.urn == nil {
      let wanted: Bool? =
        switch literal {
        case .bool(let flag): flag
        case .string(let text): text.lowercased() == "true" ? true : text.lowercased() == "false" ? false : nil
        case .number, .null: nil
        }
      guard let wanted, comparison == .equal || comparison == .notEqual else { return nil }
      return Condition("status", wanted == (comparison == .equal) ? "!=" : "=", "inactive")
    }
    guard case .string(let text) = literal, !text.isEmpty else { return nil }
    if path.urn?.isSame(as: SCIMSchemas.user) ?? true, let field = times[name] {
      return SCIMTime.time(text).flatMap { time(field, comparison, $0) }
    }
    let isOfEmployer = path.urn?.isSame(as: SCIMSchemas.enterprise) ?? false
    guard isOfEmployer || path.urn?.isSame(as: SCIMSchemas.user) ?? true,
      let field = (isOfEmployer ? textsOfEmployer : texts)[name]
    else { return nil }
    // SCIM compares without case, and tells accents apart.
    switch comparison {
    case .equal: return Condition(field, "==", text)
    case .notEqual: return Condition(field, "!==", text)
    case .contains: return Condition(field, "~==", text)
    case .startsWith: return Condition(field, "^==", text)
    case .endsWith, .greater, .atLeast, .less, .atMost: return nil
    }
  }
}
