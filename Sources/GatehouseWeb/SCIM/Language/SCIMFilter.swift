/// A filter (RFC 7644, section 3.4.2.2).
indirect enum SCIMFilter: Equatable {
  case compare(SCIMAttributePath, SCIMComparison, SCIMLiteral)
  case present(SCIMAttributePath)
  /// A multi-valued attribute of which one value meets a filter: `emails[type eq "work"]`.
  case anyValue(SCIMAttributePath, SCIMFilter)
  case and(SCIMFilter, SCIMFilter)
  case or(SCIMFilter, SCIMFilter)
  case not(SCIMFilter)

  /// The filters that must all hold.
  var conjuncts: [SCIMFilter] {
    if case .and(let left, let right) = self { left.conjuncts + right.conjuncts } else { [self] }
  }

  /// Whether the filter asks for an attribute.
  func mentions(_ name: String) -> Bool {
    switch self {
    case .compare(let path, _, _), .present(let path), .anyValue(let path, _): path.name.isSame(as: name)
    case .and(let left, let right), .or(let left, let right): left.mentions(name) || right.mentions(name)
    case .not(let inner): inner.mentions(name)
    }
  }
}

enum SCIMComparison: String, CaseIterable {
  case equal = "eq"
  case notEqual = "ne"
  case contains = "co"
  case startsWith = "sw"
  case endsWith = "ew"
  case greater = "gt"
  case atLeast = "ge"
  case less = "lt"
  case atMost = "le"
}

/// The right side of a comparison.
enum SCIMLiteral: Equatable {
  case string(String)
  case number(Double)
  case bool(Bool)
  case null
}

/// An attribute: `userName`, `name.familyName`, `urn:…:User:manager.value`.
struct SCIMAttributePath: Equatable {
  /// The schema in front of it; nil if none is named.
  var urn: String?
  var name: String
  var sub: String?

  init(_ name: String, _ sub: String? = nil, urn: String? = nil) {
    self.urn = urn
    self.name = name
    self.sub = sub
  }
}

/// What a PATCH operation is about: `members[value eq "1"]`, `emails[type eq "work"].value`.
struct SCIMPath: Equatable {
  var attribute: SCIMAttributePath
  var filter: SCIMFilter?

  init(_ attribute: SCIMAttributePath, _ filter: SCIMFilter? = nil) {
    self.attribute = attribute
    self.filter = filter
  }
}

extension String {
  /// Names of attributes and schemas are the same in any case. They are ASCII.
  func isSame(as other: String) -> Bool {
    utf8.elementsEqual(other.utf8) || utf8.count == other.utf8.count && lowercased() == other.lowercased()
  }
}
