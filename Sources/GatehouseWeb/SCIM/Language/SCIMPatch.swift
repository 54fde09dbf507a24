/// A PATCH (RFC 7644, section 3.5.2): operations that are applied to a resource one after another, all or none.
struct SCIMPatch {
  enum Verb: String {
    case add, replace, remove
  }

  struct Operation {
    let verb: Verb
    let path: SCIMPath?
    let value: JSON?
  }

  static let mostOperations = 1000

  let operations: [Operation]

  /// - Parameter isStrict: refuses words in other cases and operations without a path.
  init(_ body: JSON, isStrict: Bool) throws(SCIMError) {
    guard let list = body[any: "Operations"]?.array, !list.isEmpty else {
      throw .invalid(.invalidSyntax, "the body has no Operations")
    }
    guard list.count <= Self.mostOperations else {
      throw .invalid(.invalidSyntax, "more than \(Self.mostOperations) operations; send them in several requests")
    }
    if isStrict {
      guard body[any: "schemas"]?.array?.contains(where: { $0.string == SCIMSchemas.patch }) ?? false else {
        throw .invalid(.invalidSyntax, "schemas does not name \(SCIMSchemas.patch)")
      }
    }
    var operations: [Operation] = []
    for item in list {
      let word = item[any: "op"]?.string ?? ""
      guard let verb = Verb(rawValue: isStrict ? word : word.lowercased()) else {
        throw .invalid(.invalidSyntax, "op must be add, replace or remove, not '\(word)'")
      }
      let text = item[any: "path"]?.string ?? ""
      let path = text.isEmpty ? nil : try SCIMParser.path(text)
      if isStrict, path == nil { throw .invalid(.noTarget, "an operation without a path") }
      var value = item[any: "value"]
      if case .null? = value { value = nil }
      operations.append(Operation(verb: verb, path: path, value: value))
    }
    self.operations = operations
  }

  /// The operations with those without a path taken apart, one for each attribute that they name.
  func withPaths(_ schemas: SCIMSchemaSet, isStrict: Bool) throws(SCIMError) -> [Operation] {
    var result: [Operation] = []
    for operation in operations {
      guard operation.path == nil else {
        result.append(operation)
        continue
      }
      guard operation.verb != .remove else { throw .invalid(.noTarget, "remove needs a path") }
      guard let members = operation.value?.members else {
        throw .invalid(.invalidValue, "an operation without a path has an object of attributes as its value")
      }
      for (name, value) in members {
        if ["schemas", "id", "meta"].contains(where: { $0.isSame(as: name) }) { continue }
        guard let path = try? SCIMParser.path(name) else { continue }
        let (_, attribute) = schemas.settled(path.attribute)
        if let attribute {
          // What is unknown or read-only is passed over, as in a PUT.
          guard let known = schemas.attribute(attribute), known.mutability != .readOnly else { continue }
        }
        var isNull = false
        if case .null = value { isNull = true }
        result.append(Operation(verb: isNull ? .remove : operation.verb, path: path, value: isNull ? nil : value))
      }
    }
    return result
  }

  // MARK: Applying

  /// The resource after all operations.
  func applied(to resource: JSON, _ normal: SCIMNormal) async throws -> JSON {
    var resource = resource
    for operation in try withPaths(normal.schemas, isStrict: normal.isStrict) {
      guard let path = operation.path else { continue }
      resource = try Self.apply(operation, path, to: resource, normal)
      // Other requests have their turn between two operations.
      await Task.yield()
    }
    return resource
  }

  private static func apply(
    _ operation: Operation, _ path: SCIMPath, to resource: JSON, _ normal: SCIMNormal
  ) throws(SCIMError) -> JSON {
    let (schema, attributePath) = normal.schemas.settled(path.attribute)
    guard let attributePath else { return try applyWhole(operation, schema, to: resource, normal) }
    guard let attribute = normal.schemas.attribute(attributePath) else {
      throw .invalid(.invalidPath, "there is no attribute \(attributePath.name); /Schemas lists those that there are")
    }
    guard attribute.mutability != .readOnly else {
      throw .invalid(.mutability, "\(attribute.name) is read-only")
    }
    let part = try attributePath.sub.map { (name) throws(SCIMError) -> SCIMAttribute in
      guard let part = attribute.sub(name) else {
        throw .invalid(.invalidPath, "\(attribute.name) has no \(name)")
      }
      guard part.mutability != .readOnly else {
        throw .invalid(.mutability, "\(attribute.name).\(part.name) is read-only")
      }
      return part
    }
    let room = schema.isExtension ? resource[any: schema.id] ?? .object([]) : resource
    let old = room[any: attribute.name]
    var target = Target(
      attribute: attribute, part: part, filter: path.filter, normal: normal)
    let new = try target.value(after: operation, old)
    guard new?.array?.count ?? 0 <= attribute.mostValues else {
      throw .invalid(.tooMany, "\(attribute.name) would have more than \(attribute.mostValues) values")
    }
    let changed = room.setting(attribute.name, new.flatMap { $0.isEmptyValue ? nil : $0 })
    return schema.isExtension ? resource.setting(schema.id, changed) : changed
  }

  /// An operation on an extension as a whole.
  private static func applyWhole(
    _ operation: Operation, _ schema: SCIMSchema, to resource: JSON, _ normal: SCIMNormal
  ) throws(SCIMError) -> JSON {
    if operation.verb == .remove { return schema.isExtension ? resource.setting(schema.id, .object([])) : resource }
    guard let members = operation.value?.members else {
      throw .invalid(.invalidValue, "the value of \(schema.id) is an object")
    }
    var resource = resource
    for (name, value) in members {
      guard let attribute = schema.attribute(name), attribute.mutability != .readOnly else { continue }
      let path = SCIMPath(SCIMAttributePath(attribute.name, urn: schema.id))
      let part = Operation(verb: operation.verb, path: path, value: value)
      resource = try apply(part, path, to: resource, normal)
    }
    return resource
  }
}

/// What one operation is about.
private struct Target {
  let attribute: SCIMAttribute
  let part: SCIMAttribute?
  let filter: SCIMFilter?
  let normal: SCIMNormal

  mutating func value(after operation: SCIMPatch.Operation, _ old: JSON?) throws(SCIMError) -> JSON? {
    if operation.verb != .remove, operation.value == nil {
      throw .invalid(.invalidValue, "\(operation.verb.rawValue) \(attribute.name) has no value")
    }
    if attribute.isMultiValued { return try list(after: operation, old?.array ?? []) }
    guard filter == nil else { throw .invalid(.invalidPath, "\(attribute.name) has one value, so no filter") }
    guard let part else {
      guard operation.verb != .remove, let given = operation.value else { return nil }
      let new = try normal.value(given, attribute, at: attribute.name)
      // A complex value is filled up; what is not named stays (RFC 7644, 3.5.2.1 and 3.5.2.3).
      guard attribute.kind == .complex, let members = new?.members, let old else { return new }
      return members.reduce(old) { $0.setting($1.name, $1.value) }
    }
    let room = old ?? .object([])
    guard operation.verb != .remove, let given = operation.value else { return room.setting(part.name, nil) }
    return room.setting(part.name, try normal.value(given, part, at: "\(attribute.name).\(part.name)"))
  }

  // MARK: Several values

  private func list(after operation: SCIMPatch.Operation, _ old: [JSON]) throws(SCIMError) -> JSON? {
    if let filter { return .array(try filtered(operation, old, filter)) }
    if let part { return .array(try sub(operation, old, part)) }
    switch operation.verb {
    case .remove:
      guard let given = operation.value else { return nil }
      // Entra names what goes in the value instead of in a filter.
      let gone = Meant(try normal.value(given, attribute, at: attribute.name)?.array ?? [])
      return .array(old.filter { !gone.contains($0) })
    case .replace: return try normal.value(operation.value ?? .null, attribute, at: attribute.name)
    case .add:
      var list = old
      var known = Set(old.map(\.sorted.text))
      for new in try normal.value(operation.value ?? .null, attribute, at: attribute.name)?.array ?? []
      where known.insert(new.sorted.text).inserted {
        add(new, to: &list)
      }
      return .array(list)
    }
  }

  private func add(_ new: JSON, to list: inout [JSON]) {
    if new[any: "primary"]?.bool == true { list = list.map(Self.notPrimary) }
    list.append(new)
  }

  /// Only one value is the primary one.
  private static func notPrimary(_ element: JSON) -> JSON {
    element[any: "primary"]?.bool == true ? element.setting("primary", .bool(false)) : element
  }

  /// Values that somebody gives to mean some of a list: by what `value` is, or else by all that they say.
  private struct Meant {
    private var values: Set<String> = []
    private var wholes: Set<String> = []

    init(_ given: [JSON]) {
      for one in given {
        if let value = one[any: "value"] { values.insert(value.sorted.text) } else { wholes.insert(one.sorted.text) }
      }
    }

    func contains(_ element: JSON) -> Bool {
      element[any: "value"].map { values.contains($0.sorted.text) } ?? false || wholes.contains(element.sorted.text)
    }
  }

  private func filtered(
    _ operation: SCIMPatch.Operation, _ old: [JSON], _ filter: SCIMFilter
  ) throws(SCIMError) -> [JSON] {
    let meant = old.map { filter.matchesValue($0, attribute) }
    guard meant.contains(true) else {
      if operation.verb == .remove { return old }
      // Entra sets `emails[type eq "work"].value` of somebody who has none yet.
      guard !normal.isStrict, let new = try made(operation, filter) else {
        throw .invalid(.noTarget, "no value of \(attribute.name) meets the filter")
      }
      var list = old
      add(new, to: &list)
      return list
    }
    var list: [JSON] = []
    var hasNewPrimary = false
    for (element, isMeant) in zip(old, meant) {
      guard isMeant else {
        list.append(hasNewPrimary ? Self.notPrimary(element) : element)
        continue
      }
      guard let changed = try changed(element, operation) else { continue }
      // A new primary value takes that mark from another.
      if changed[any: "primary"]?.bool == true, element[any: "primary"]?.bool != true {
        guard !hasNewPrimary else {
          throw .invalid(.invalidValue, "more than one value of \(attribute.name) would be the primary one")
        }
        hasNewPrimary = true
        list = list.map(Self.notPrimary)
      }
      list.append(changed)
    }
    try SCIMNormal.requireOnePrimary(list, attribute.name)
    return list
  }

  /// A value after an operation that means it; nil if it goes.
  private func changed(_ element: JSON, _ operation: SCIMPatch.Operation) throws(SCIMError) -> JSON? {
    if let part {
      let value = operation.verb == .remove ? nil : try normal.value(operation.value ?? .null, part, at: part.name)
      let changed = element.setting(part.name, value)
      return changed.isEmptyValue ? nil : changed
    }
    guard operation.verb != .remove, let given = operation.value else { return nil }
    guard let members = try normal.single(given, attribute, at: attribute.name)?.members else { return nil }
    return members.reduce(element) { $0.setting($1.name, $1.value) }
  }

  /// A new value of which the filter holds: each `eq` gives one sub-attribute.
  private func made(_ operation: SCIMPatch.Operation, _ filter: SCIMFilter) throws(SCIMError) -> JSON? {
    var new = JSON.object([])
    for conjunct in filter.conjuncts {
      guard case .compare(let path, .equal, let literal) = conjunct, let sub = attribute.sub(path.name) else {
        return nil
      }
      let value: JSON =
        switch literal {
        case .string(let text): .string(text)
        case .bool(let flag): .bool(flag)
        case .number(let number): .number(number)
        case .null: .null
        }
      new = new.setting(sub.name, try normal.value(value, sub, at: sub.name))
    }
    return try changed(new, operation)
  }

  /// A sub-attribute of all values: `emails.type`.
  private func sub(
    _ operation: SCIMPatch.Operation, _ old: [JSON], _ part: SCIMAttribute
  ) throws(SCIMError) -> [JSON] {
    if old.isEmpty, operation.verb != .remove {
      return try changed(.object([]), operation).map { [$0] } ?? []
    }
    var list: [JSON] = []
    for element in old { if let changed = try changed(element, operation) { list.append(changed) } }
    try SCIMNormal.requireOnePrimary(list, attribute.name)
    return list
  }
}
