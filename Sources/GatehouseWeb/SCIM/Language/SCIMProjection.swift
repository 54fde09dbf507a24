/// Which attributes an answer has (`attributes`, `excludedAttributes`).
struct SCIMProjection {
  private let included: [SCIMAttributePath]?
  private let excluded: [SCIMAttributePath]

  static let all = SCIMProjection(included: nil, excluded: [])

  private init(included: [SCIMAttributePath]?, excluded: [SCIMAttributePath]) {
    self.included = included
    self.excluded = excluded
  }

  /// - Parameters:
  ///   - attributes: names with commas between them, or nil.
  init(attributes: [String], excluded: [String]) throws(SCIMError) {
    func parsed(_ names: [String]) throws(SCIMError) -> [SCIMAttributePath] {
      var paths: [SCIMAttributePath] = []
      for name in names where !name.isEmpty { paths.append(try SCIMParser.attribute(name)) }
      guard paths.count <= 100 else { throw .invalid(.invalidValue, "more than 100 attributes") }
      return paths
    }
    let wanted = try parsed(attributes)
    self.init(included: wanted.isEmpty ? nil : wanted, excluded: wanted.isEmpty ? try parsed(excluded) : [])
  }

  /// Whether an attribute of the core schema may be in the answer, so that it is worth finding out.
  func has(_ name: String) -> Bool {
    if let included { return included.contains { $0.name.isSame(as: name) } }
    return !excluded.contains { $0.name.isSame(as: name) && $0.sub == nil }
  }

  func applied(to resource: JSON, _ schemas: SCIMSchemaSet) -> JSON {
    guard let members = resource.members else { return resource }
    if let included { return Self.keeping(included, of: members, resource, schemas) }
    guard !excluded.isEmpty else { return resource }
    var result = resource
    for path in excluded {
      let (schema, attribute) = schemas.settled(path)
      guard let attribute else {
        if schema.isExtension { result = result.setting(schema.id, nil) }
        continue
      }
      if Self.isAlways(attribute.name) { continue }
      if schema.isExtension {
        if let room = result[any: schema.id] { result = result.setting(schema.id, Self.without(attribute, room)) }
      } else {
        result = Self.without(attribute, result)
      }
    }
    return result
  }

  private static func isAlways(_ name: String) -> Bool {
    name.isSame(as: "id") || name.isSame(as: "schemas")
  }

  private static func without(_ path: SCIMAttributePath, _ object: JSON) -> JSON {
    guard let sub = path.sub else { return object.setting(path.name, nil) }
    guard let value = object[any: path.name] else { return object }
    if let elements = value.array {
      return object.setting(path.name, .array(elements.map { $0.setting(sub, nil) }))
    }
    return object.setting(path.name, value.setting(sub, nil))
  }

  private static func keeping(
    _ paths: [SCIMAttributePath], of members: [JSON.Member], _ resource: JSON, _ schemas: SCIMSchemaSet
  ) -> JSON {
    var result = JSON.object(members.filter { isAlways($0.name) })
    for path in paths {
      let (schema, attribute) = schemas.settled(path)
      guard let attribute else {
        if schema.isExtension {
          if let part = resource[any: schema.id] { result = result.setting(schema.id, part) }
        } else {
          // The whole of the core schema: all that stands outside of extensions.
          let extensions = schemas.extensions.map(\.id)
          for (name, value) in members where !extensions.contains(where: { $0.isSame(as: name) }) {
            result = result.setting(name, value)
          }
        }
        continue
      }
      if isAlways(attribute.name) { continue }
      let room = schema.isExtension ? resource[any: schema.id] : resource
      guard let (name, value) = room?.members?.first(where: { $0.name.isSame(as: attribute.name) }) else { continue }
      let kept = schema.isExtension ? result[any: schema.id] ?? .object([]) : result
      let sub = attribute.sub.map { sub in schemas.attribute(attribute)?.sub(sub)?.name ?? sub }
      guard let part = part(sub, of: value, beside: kept[any: name]) else { continue }
      let changed = kept.setting(name, part)
      result = schema.isExtension ? result.setting(schema.id, changed) : changed
    }
    return result
  }

  /// A sub-attribute of a value, beside those that were kept before; nil if there is nothing of it.
  private static func part(_ sub: String?, of value: JSON, beside kept: JSON?) -> JSON? {
    guard let sub else { return value }
    guard let elements = value.array else {
      return value[any: sub].map { (kept ?? .object([])).setting(sub, $0) } ?? kept
    }
    guard elements.contains(where: { $0[any: sub] != nil }) else { return kept }
    let before = kept?.array
    return .array(
      elements.enumerated().map { index, element in
        (before?[index] ?? .object([])).setting(sub, element[any: sub])
      })
  }
}
