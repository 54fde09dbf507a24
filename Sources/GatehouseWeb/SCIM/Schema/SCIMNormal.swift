/// Bodies in normal form: attributes by the names that the schemas give them, values of the right type, nothing that is
/// unknown, read-only or null.
///
/// Lenient, it takes what identity providers send: names in any case, booleans as texts, one object where a list is meant,
/// dotted names (`"name.familyName"`), attributes of other schemas. Strict, each of these is refused.
struct SCIMNormal {
  let schemas: SCIMSchemaSet
  let isStrict: Bool

  /// A resource as a client sent it.
  func resource(_ body: JSON) throws(SCIMError) -> JSON {
    guard let members = body.members else { throw .invalid(.invalidSyntax, "the body is not an object") }
    var result = JSON.object([])
    for member in members {
      if member.name.isSame(as: "schemas") { try checkSchemas(member.value) }
      guard let (path, attribute) = try known(member.name) else { continue }
      guard attribute.mutability != .readOnly else { continue }
      let value = try value(member.value, attribute, at: member.name)
      result = result.setting(path, value)
    }
    for schema in schemas.extensions {
      guard let part = body[any: schema.id], part.members != nil else { continue }
      result = result.setting(schema.id, .object([]))
      for (name, value) in part.members ?? [] {
        guard let attribute = schema.attribute(name) else {
          if isStrict { throw unknown(name) }
          continue
        }
        guard attribute.mutability != .readOnly else { continue }
        let room = result[any: schema.id] ?? .object([])
        result = result.setting(schema.id, room.setting(attribute.name, try self.value(value, attribute, at: name)))
      }
    }
    return result
  }

  private func checkSchemas(_ value: JSON) throws(SCIMError) {
    guard isStrict else { return }
    let given = value.array?.compactMap(\.string) ?? []
    if let other = given.first(where: { schemas.schema($0) == nil }) {
      throw .invalid(.invalidSyntax, "the schema \(other) is not one of \(schemas.core.name)")
    }
  }

  private func unknown(_ name: String) -> SCIMError {
    .invalid(.invalidSyntax, "\(schemas.core.name) has no attribute '\(name)'; /Schemas lists those it has")
  }

  /// The attribute of the core schema that a member's name names; nil if it is to be passed over.
  private func known(_ name: String) throws(SCIMError) -> (name: String, attribute: SCIMAttribute)? {
    if name.isSame(as: "schemas") || name.isSame(as: "id") || name.isSame(as: "meta") { return nil }
    if schemas.extensions.contains(where: { $0.id.isSame(as: name) }) { return nil }
    if let attribute = schemas.attribute(SCIMAttributePath(name)) { return (attribute.name, attribute) }
    if isStrict { throw unknown(name) }
    return nil
  }

  // MARK: Values

  /// A value of an attribute; nil for none.
  func value(_ value: JSON, _ attribute: SCIMAttribute, at name: String) throws(SCIMError) -> JSON? {
    if case .null = value { return nil }
    guard attribute.isMultiValued else {
      if !isStrict, case .array(let elements) = value, elements.count == 1, attribute.kind != .complex {
        return try single(elements[0], attribute, at: name)
      }
      return try single(value, attribute, at: name)
    }
    if !isStrict, value.array == nil {
      return try single(value, attribute, at: name).map { .array([$0]) }
    }
    guard let elements = value.array else { throw mismatch(name, "a list") }
    guard elements.count <= attribute.mostValues else {
      throw .invalid(.tooMany, "\(name) has more than \(attribute.mostValues) values")
    }
    var list: [JSON] = []
    for element in elements {
      if let one = try single(element, attribute, at: name) { list.append(one) }
    }
    try Self.requireOnePrimary(list, name)
    return list.isEmpty ? nil : .array(list)
  }

  /// RFC 7643, section 2.4: one value at most is the primary one.
  static func requireOnePrimary(_ list: [JSON], _ name: String) throws(SCIMError) {
    guard list.count(where: { $0[any: "primary"]?.bool == true }) > 1 else { return }
    throw .invalid(.invalidValue, "\(name) has more than one primary value")
  }

  /// One value, whether the attribute has several or not.
  func single(_ value: JSON, _ attribute: SCIMAttribute, at name: String) throws(SCIMError) -> JSON? {
    switch (attribute.kind, value) {
    case (_, .null): return nil
    case (.complex, .object(let members)): return try object(members, attribute, at: name)
    // A value by itself stands for the object with this `value`: Entra sends a manager so.
    case (.complex, .string), (.complex, .integer):
      guard !isStrict, let part = attribute.sub("value") else { throw mismatch(name, "an object") }
      // It clears one by an empty text.
      return try single(value, part, at: name).map { .object([(part.name, $0)]) }
    case (.string, .string(let text)), (.reference, .string(let text)), (.dateTime, .string(let text)):
      return text.isEmpty ? nil : value
    case (.string, .integer(let number)) where !isStrict: return .string(String(number))
    case (.string, .bool(let flag)) where !isStrict: return .string(String(flag))
    case (.boolean, .bool): return value
    case (.boolean, .string(let text)) where !isStrict:
      switch text.lowercased() {
      case "true": return .bool(true)
      case "false": return .bool(false)
      default: throw mismatch(name, "true or false")
      }
    case (.integer, .integer), (.decimal, .integer), (.decimal, .number): return value
    case (.integer, .string(let text)) where !isStrict:
      guard let number = Int64(text) else { throw mismatch(name, "a whole number") }
      return .integer(number)
    default: throw mismatch(name, Self.spoken(attribute.kind))
    }
  }

  private func object(
    _ members: [JSON.Member], _ attribute: SCIMAttribute, at name: String
  ) throws(SCIMError) -> JSON? {
    var result = JSON.object([])
    for member in members {
      guard let part = attribute.sub(member.name) else {
        if isStrict { throw unknown("\(name).\(member.name)") }
        continue
      }
      guard part.mutability != .readOnly else { continue }
      guard let value = try value(member.value, part, at: "\(name).\(part.name)") else { continue }
      result = result.setting(part.name, value)
    }
    return result.isEmptyValue ? nil : result
  }

  private func mismatch(_ name: String, _ what: String) -> SCIMError {
    .invalid(.invalidValue, "\(name) must be \(what)")
  }

  private static func spoken(_ kind: SCIMAttribute.Kind) -> String {
    switch kind {
    case .string, .reference: "a text"
    case .boolean: "true or false"
    case .integer: "a whole number"
    case .decimal: "a number"
    case .dateTime: "a point in time"
    case .complex: "an object"
    }
  }
}
