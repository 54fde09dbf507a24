/// The definition of an attribute (RFC 7643, section 7), as `/Schemas` announces it and as values are checked by.
struct SCIMAttribute: Sendable {
  enum Kind: String, Sendable {
    case string, boolean, integer, decimal, dateTime, reference, complex
  }

  enum Mutability: String, Sendable {
    case readOnly, readWrite, immutable, writeOnly
  }

  let name: String
  var kind = Kind.string
  var isMultiValued = false
  let description: String
  var isRequired = false
  var caseExact = false
  var mutability = Mutability.readWrite
  var returned = "default"
  var uniqueness = "none"
  var canonicalValues: [String] = []
  var referenceTypes: [String] = []
  var subAttributes: [SCIMAttribute] = []
  /// How many values a list may have.
  var mostValues = 200

  init(_ name: String, _ description: String) {
    self.name = name
    self.description = description
  }

  static func text(_ name: String, _ description: String) -> SCIMAttribute { SCIMAttribute(name, description) }

  static func flag(_ name: String, _ description: String) -> SCIMAttribute {
    SCIMAttribute(name, description).with { $0.kind = .boolean }
  }

  static func complex(_ name: String, _ description: String, _ parts: [SCIMAttribute]) -> SCIMAttribute {
    SCIMAttribute(name, description).with {
      $0.kind = .complex
      $0.subAttributes = parts
    }
  }

  /// `[{value, type, primary, display}]`.
  static func list(
    _ name: String, _ description: String, value: Kind = .string, types: [String], _ others: [SCIMAttribute] = []
  ) -> SCIMAttribute {
    let parts = [
      SCIMAttribute("value", "The value").with {
        $0.kind = value
        if value == .reference { $0.referenceTypes = ["external"] }
      },
      .text("display", "How it is shown"),
      SCIMAttribute("type", "What it is for").with { $0.canonicalValues = types },
      .flag("primary", "Whether it is the preferred one"),
    ]
    return complex(name, description, others.isEmpty ? parts : others).with { $0.isMultiValued = true }
  }

  func with(_ change: (inout SCIMAttribute) -> Void) -> SCIMAttribute {
    var copy = self
    change(&copy)
    return copy
  }

  var readOnly: SCIMAttribute {
    with {
      $0.mutability = .readOnly
      $0.subAttributes = $0.subAttributes.map(\.readOnly)
    }
  }

  func sub(_ name: String) -> SCIMAttribute? { subAttributes.first { $0.name.isSame(as: name) } }

  var json: JSON {
    var members: [JSON.Member] = [
      ("name", .string(name)), ("type", .string(kind.rawValue)), ("multiValued", .bool(isMultiValued)),
      ("description", .string(description)), ("required", .bool(isRequired)), ("caseExact", .bool(caseExact)),
      ("mutability", .string(mutability.rawValue)), ("returned", .string(returned)),
      ("uniqueness", .string(uniqueness)),
    ]
    if !canonicalValues.isEmpty { members.append(("canonicalValues", .array(canonicalValues.map { .string($0) }))) }
    if !referenceTypes.isEmpty { members.append(("referenceTypes", .array(referenceTypes.map { .string($0) }))) }
    if !subAttributes.isEmpty { members.append(("subAttributes", .array(subAttributes.map(\.json)))) }
    return .object(members)
  }
}

/// A schema: the attributes of a resource, or those that an extension adds.
struct SCIMSchema: Sendable {
  let id: String
  let name: String
  let description: String
  let isExtension: Bool
  let attributes: [SCIMAttribute]

  func attribute(_ name: String) -> SCIMAttribute? { attributes.first { $0.name.isSame(as: name) } }

  /// The same schema in which more attributes are required.
  func requiring(_ names: Set<String>) -> SCIMSchema {
    SCIMSchema(
      id: id, name: self.name, description: description, isExtension: isExtension,
      attributes: attributes.map { attribute in
        attribute.with { $0.isRequired = attribute.isRequired || names.contains(attribute.name) }
      })
  }

  func json(_ base: String) -> JSON {
    .object([
      ("schemas", .array([.string("urn:ietf:params:scim:schemas:core:2.0:Schema")])), ("id", .string(id)),
      ("name", .string(name)), ("description", .string(description)),
      ("attributes", .array(attributes.map(\.json))),
      (
        "meta",
        .object([("resourceType", .string("Schema")), ("location", .string("\(base)/Schemas/\(id)"))])
      ),
    ])
  }
}

/// The schemas of one type of resources: its own, and the extensions.
struct SCIMSchemaSet: Sendable {
  let core: SCIMSchema
  let extensions: [SCIMSchema]

  var all: [SCIMSchema] { [core] + extensions }

  /// What every resource has.
  static let common: [SCIMAttribute] = [
    .text("id", "The resource's identifier").with {
      $0.caseExact = true
      $0.mutability = .readOnly
      $0.returned = "always"
      $0.uniqueness = "server"
    },
    .text("externalId", "The provider's identifier of the resource").with { $0.caseExact = true },
    .complex(
      "meta", "About the resource",
      [
        .text("resourceType", "Its type").with { $0.caseExact = true },
        SCIMAttribute("created", "When it was made").with { $0.kind = .dateTime },
        SCIMAttribute("lastModified", "When it was last changed").with { $0.kind = .dateTime },
        .text("location", "Its address").with { $0.caseExact = true },
        .text("version", "Its version").with { $0.caseExact = true },
      ]
    ).readOnly,
    .text("schemas", "The schemas of the resource").with {
      $0.isMultiValued = true
      $0.caseExact = true
      $0.returned = "always"
    },
  ]

  func schema(_ urn: String) -> SCIMSchema? { all.first { $0.id.isSame(as: urn) } }

  /// The attribute that a path names first; nil if there is none.
  func attribute(_ path: SCIMAttributePath) -> SCIMAttribute? {
    if let urn = path.urn {
      return schema(urn).flatMap { $0.attribute(path.name) ?? ($0.isExtension ? nil : common(path.name)) }
    }
    return core.attribute(path.name) ?? common(path.name)
  }

  private func common(_ name: String) -> SCIMAttribute? { Self.common.first { $0.name.isSame(as: name) } }

  /// What a path names in the end: the attribute, or its sub-attribute; nil if there is none.
  func leaf(_ path: SCIMAttributePath) -> SCIMAttribute? {
    guard let attribute = attribute(path) else { return nil }
    guard let sub = path.sub ?? (attribute.kind == .complex ? "value" : nil) else { return attribute }
    return attribute.sub(sub) ?? attribute
  }

  /// Whether case matters in what a path names.
  func isExact(_ path: SCIMAttributePath) -> Bool { leaf(path)?.caseExact ?? false }

  /// The attributes of extensions that are required and that a resource does not have.
  func missing(in resource: JSON) -> [SCIMAttributePath] {
    extensions.flatMap { schema in
      schema.attributes.filter { $0.isRequired && resource[any: schema.id]?[any: $0.name]?.isEmptyValue ?? true }
        .map { SCIMAttributePath($0.name, urn: schema.id) }
    }
  }

  /// Reads a path whose end is taken for an attribute though it belongs to the schema's name: `urn:…:2.0:User` is the
  /// extension as a whole, `urn:…:2.0:User.manager` an attribute of it.
  func settled(_ path: SCIMAttributePath) -> (schema: SCIMSchema, attribute: SCIMAttributePath?) {
    if let urn = path.urn {
      if let whole = schema("\(urn):\(path.name)") {
        return (whole, path.sub.map { SCIMAttributePath($0, urn: whole.id) })
      }
      if let known = schema(urn) {
        return (known, SCIMAttributePath(path.name, path.sub, urn: known.isExtension ? known.id : nil))
      }
    }
    return (core, path)
  }
}
