/// How a field's values are coded and shown.
public protocol FieldForm<Value> {
  associatedtype Value

  static func write(_ value: Value, to writer: inout ByteWriter)
  static func read(from reader: inout ByteReader) throws(CodingError) -> Value

  static func split(_ value: Value, clear: inout ByteWriter, hidden: inout ByteWriter)
  static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> Value

  /// The text of a value; nil if there is nothing to show.
  static func text(_ value: Value, in directory: Directory?) -> String?
  /// The text of a field that changed from `old` to `new`; `old` is nil for a new field, `new` for a removed one.
  static func shown(_ name: String, old: Value?, new: Value?, in directory: Directory?) -> [ChangeText.Field]

  /// The partition, in addition to the subject's, that a change with this value modifies.
  static func partition(_ value: Value, _ partitioning: Partitioning) -> Int?
  /// Adds the keys by which a record with this value is found.
  static func addKeys(of value: Value, to keys: inout [UInt64])
  /// Whether a value is, or names, something that the index has no keys for.
  static func names(_ value: Value, _ entity: NamedEntity) -> Bool
}

/// The form of a change's subject.
public protocol SubjectForm<Value>: FieldForm {
  /// `user #12`.
  static func entity(_ value: Value, in directory: Directory?) -> String
  /// The partition that it belongs to; nil if it belongs to the directory.
  static func home(_ value: Value, _ partitioning: Partitioning) -> Int?
}

/// The form of a value that selects one of several fields.
public protocol SettingForm<Value>: FieldForm {
  static func name(_ value: Value) -> String
  /// Whether the texts of the field say something of a person.
  static func tellsOfPerson(_ value: Value) -> Bool
}

extension SettingForm {
  public static func tellsOfPerson(_ value: Value) -> Bool { true }
}

extension FieldForm {
  public static func text(_ value: Value, in directory: Directory?) -> String? { nil }

  public static func shown(
    _ name: String, old: Value?, new: Value?, in directory: Directory?
  ) -> [ChangeText.Field] {
    let before = old.flatMap { text($0, in: directory) }
    let after = new.flatMap { text($0, in: directory) }
    return before == nil && after == nil ? [] : [ChangeText.Field(name: name, old: before, new: after)]
  }

  public static func partition(_ value: Value, _ partitioning: Partitioning) -> Int? { nil }

  public static func addKeys(of value: Value, to keys: inout [UInt64]) {}

  public static func names(_ value: Value, _ entity: NamedEntity) -> Bool { false }
}
