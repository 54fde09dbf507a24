import FoundationEssentials
import GatehouseCore

/// Whether a resource meets a filter.
extension SCIMFilter {
  func matches(_ resource: JSON, _ schemas: SCIMSchemaSet) -> Bool {
    switch self {
    case .and(let left, let right): left.matches(resource, schemas) && right.matches(resource, schemas)
    case .or(let left, let right): left.matches(resource, schemas) || right.matches(resource, schemas)
    case .not(let inner): !inner.matches(resource, schemas)
    case .present(let path): path.values(in: resource, schemas).contains { !$0.isEmptyValue }
    case .anyValue(let path, let inner):
      SCIMAttributePath(path.name, urn: path.urn).elements(in: resource, schemas).contains {
        inner.matchesValue($0, schemas.attribute(path))
      }
    case .compare(let path, let comparison, let literal):
      Self.holds(comparison, literal, path.values(in: resource, schemas), schemas.leaf(path))
    }
  }

  /// Whether one value of a multi-valued attribute meets the filter in its brackets.
  func matchesValue(_ value: JSON, _ attribute: SCIMAttribute?) -> Bool {
    switch self {
    case .and(let left, let right): left.matchesValue(value, attribute) && right.matchesValue(value, attribute)
    case .or(let left, let right): left.matchesValue(value, attribute) || right.matchesValue(value, attribute)
    case .not(let inner): !inner.matchesValue(value, attribute)
    case .present(let path): Self.member(path, of: value).map { !$0.isEmptyValue } ?? false
    case .anyValue: false
    case .compare(let path, let comparison, let literal):
      Self.holds(
        comparison, literal, Self.member(path, of: value).map { [$0] } ?? [], attribute?.sub(path.name) ?? attribute)
    }
  }

  /// A simple multi-valued attribute is compared by the name `value`.
  private static func member(_ path: SCIMAttributePath, of value: JSON) -> JSON? {
    if value.members == nil { return path.name.isSame(as: "value") ? value : nil }
    return value[any: path.name]
  }

  private static func holds(
    _ comparison: SCIMComparison, _ literal: SCIMLiteral, _ values: [JSON], _ attribute: SCIMAttribute?
  ) -> Bool {
    if comparison == .notEqual { return !holds(.equal, literal, values, attribute) }
    if literal == .null { return comparison == .equal && values.allSatisfy(\.isEmptyValue) }
    return values.contains { compare($0, comparison, literal, attribute) }
  }

  private static func compare(
    _ value: JSON, _ comparison: SCIMComparison, _ literal: SCIMLiteral, _ attribute: SCIMAttribute?
  ) -> Bool {
    let isExact = attribute?.caseExact ?? false
    // Points in time, by when they are and not by how they are written (RFC 7644, section 3.4.2.2).
    if attribute?.kind == .dateTime, !comparison.isOfText, case .string(let value) = value,
      case .string(let wanted) = literal, let value = SCIMTime.time(value), let wanted = SCIMTime.time(wanted)
    {
      return order(value, comparison, wanted)
    }
    switch (value, literal) {
    case (.bool(let value), .bool(let wanted)): return comparison == .equal && value == wanted
    // Providers put quotes around booleans.
    case (.bool(let value), .string(let wanted)): return comparison == .equal && "\(value)" == wanted.lowercased()
    case (.integer(let value), .number(let wanted)): return order(Double(value), comparison, wanted)
    case (.number(let value), .number(let wanted)): return order(value, comparison, wanted)
    case (.string(let value), .string(let wanted)):
      // As Gatehouse compares names: else somebody would not be found whose name is nevertheless taken.
      let value = isExact ? value : FoldedName(value).text
      let wanted = isExact ? wanted : FoldedName(wanted).text
      switch comparison {
      case .contains: return wanted.isEmpty || value.contains(wanted)
      case .startsWith: return value.hasPrefix(wanted)
      case .endsWith: return value.hasSuffix(wanted)
      default: return order(value, comparison, wanted)
      }
    default: return false
    }
  }

  private static func order<Value: Comparable>(_ value: Value, _ comparison: SCIMComparison, _ wanted: Value) -> Bool {
    switch comparison {
    case .equal: value == wanted
    case .greater: value > wanted
    case .atLeast: value >= wanted
    case .less: value < wanted
    case .atMost: value <= wanted
    case .notEqual, .contains, .startsWith, .endsWith: false
    }
  }
}

extension SCIMComparison {
  /// Whether it looks for a part of a text.
  fileprivate var isOfText: Bool {
    switch self {
    case .contains, .startsWith, .endsWith: true
    case .equal, .notEqual, .greater, .atLeast, .less, .atMost: false
    }
  }
}

extension SCIMFilter {
  /// Refuses points in time that cannot be read.
  func check(_ schemas: SCIMSchemaSet) throws(SCIMError) {
    switch self {
    case .and(let left, let right), .or(let left, let right):
      try left.check(schemas)
      try right.check(schemas)
    case .not(let inner): try inner.check(schemas)
    case .present, .anyValue: return
    case .compare(let path, let comparison, let literal):
      guard schemas.leaf(path)?.kind == .dateTime, !comparison.isOfText, literal != .null else { return }
      if case .string(let text) = literal, SCIMTime.time(text) != nil { return }
      throw .invalid(
        .invalidFilter, "\(path.name) is compared with a point in time in quotes, such as \"2026-03-01T09:30:00Z\"")
    }
  }
}

extension SCIMAttributePath {
  /// The object in which the attribute stands: the resource, or the part of an extension.
  func room(in resource: JSON, _ schemas: SCIMSchemaSet) -> JSON? {
    guard let urn, let schema = schemas.schema(urn), schema.isExtension else { return resource }
    return resource[any: schema.id]
  }

  /// The values of the attribute, one by one.
  func elements(in resource: JSON, _ schemas: SCIMSchemaSet) -> [JSON] {
    guard let value = room(in: resource, schemas)?[any: name] else { return [] }
    return value.array ?? [value]
  }

  /// What a filter compares: the attribute, its sub-attribute, or the `value` of each where none is named.
  func values(in resource: JSON, _ schemas: SCIMSchemaSet) -> [JSON] {
    elements(in: resource, schemas).compactMap { element in
      guard element.members != nil else { return sub == nil || sub!.isSame(as: "value") ? element : nil }
      if let sub { return element[any: sub] }
      return element[any: "value"] ?? element
    }
  }
}

extension JSON {
  /// A member by its name in any case.
  subscript(any name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name.isSame(as: name) }?.value
  }

  /// SCIM does not tell a missing value from null and from an empty array.
  var isEmptyValue: Bool {
    switch self {
    case .null: true
    case .array(let elements): elements.isEmpty
    case .object(let members): members.isEmpty
    case .string(let text): text.isEmpty
    case .bool, .integer, .number, .decimal: false
    }
  }

  /// The same value, whatever the order of members.
  func isSame(as other: JSON) -> Bool {
    switch (self, other) {
    case (.null, .null): true
    case (.bool(let one), .bool(let two)): one == two
    case (.integer(let one), .integer(let two)): one == two
    case (.number(let one), .number(let two)): one == two
    case (.decimal(let one), .decimal(let two)): one == two
    case (.string(let one), .string(let two)): one == two
    case (.array(let one), .array(let two)): one.count == two.count && zip(one, two).allSatisfy { $0.isSame(as: $1) }
    case (.object(let one), .object(let two)):
      one.count == two.count && one.allSatisfy { member in other[any: member.name].map(member.value.isSame) ?? false }
    default: false
    }
  }

  /// The same value with the members of objects in the order of their names, in lower case: two values that are the same
  /// have the same text.
  var sorted: JSON {
    switch self {
    case .array(let elements): .array(elements.map(\.sorted))
    case .object(let members):
      .object(
        members.map { ($0.name.lowercased(), $0.value.sorted) }.sorted {
          $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
        })
    case .null, .bool, .integer, .number, .decimal, .string: self
    }
  }

  /// The object with a member set, in its place or at the end; nil removes it.
  func setting(_ name: String, _ value: JSON?) -> JSON {
    var members = self.members ?? []
    let index = members.firstIndex { $0.name.isSame(as: name) }
    switch (index, value) {
    case (let index?, let value?): members[index].value = value
    case (let index?, nil): members.remove(at: index)
    case (nil, let value?): members.append((name, value))
    case (nil, nil): break
    }
    return .object(members)
  }
}
