package import GatehouseWire

/// A map from a reply, in any protocol version.
///
/// A field reads as text, whatever its type: integers in decimal, null as nil. So a test states what it expects as a
/// person would read it: `#expect(ana["status"] == "active")`.
package struct Fields: CustomStringConvertible {
  private let values: [String: RESPValue]
  package let names: [String]

  /// - Returns: nil when `value` is neither a map nor a flat array of names and values.
  package init?(_ value: RESPValue) {
    guard let pairs = value.pairs else { return nil }
    var values: [String: RESPValue] = [:]
    var names: [String] = []
    for pair in pairs {
      guard let name = pair.key.string else { return nil }
      values[name] = pair.value
      names.append(name)
    }
    self.values = values
    self.names = names
  }

  /// The field as text, nil for null. A missing field reads as a text that says so, because a test that expects null
  /// must not pass with a missing field.
  package subscript(_ name: String) -> String? {
    guard let value = values[name] else { return "no field \(name) among \(names)" }
    return value.scalarText
  }

  /// The field itself, for lists and maps.
  package func value(_ name: String) -> RESPValue? { values[name] }

  /// The field with its contents, as a person would read it.
  package func shown(_ name: String) -> String { values[name]?.formatted() ?? "no field \(name) among \(names)" }

  /// The texts of a list.
  package func texts(_ name: String) -> [String] { values[name]?.items.compactMap(\.scalarText) ?? [] }

  package func has(_ name: String) -> Bool { values[name] != nil }

  /// The field as a whole number; nil if it is not one.
  package func integer(_ name: String) -> Int64? { self[name].flatMap { Int64($0) } }

  package var description: String {
    names.map { "\($0)=\(values[$0]?.scalarText ?? "…")" }.joined(separator: " ")
  }
}

extension Fields {
  /// The changes of a record of the trail, as lines: `contact-set last: Lima → Lopes`.
  package var changes: [String] {
    (value("changes")?.items ?? []).compactMap { Fields($0) }.map { change in
      let fields = (change.value("fields")?.items ?? []).compactMap { Fields($0) }.map { field in
        let (old, new) = (field["old"] ?? "", field["new"] ?? "")
        return " \(field["name"] ?? ""): " + (old.isEmpty ? new : "\(old) → \(new.isEmpty ? "-" : new)")
      }
      return (change["change"] ?? "") + fields.joined(separator: ",")
    }
  }
}

extension RESPValue {
  /// A scalar as text: integers in decimal, booleans as 1 and 0; nil for null and for lists and maps.
  package var scalarText: String? {
    switch self {
    case .integer(let value): String(value)
    case .boolean(let value): value ? "1" : "0"
    case .double(let value): String(value)
    default: string
    }
  }

  /// The elements of a list; empty for anything else.
  package var items: [RESPValue] { elements ?? [] }
}
