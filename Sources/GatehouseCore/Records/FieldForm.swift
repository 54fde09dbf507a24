/// How the values of a field are coded, and what people read of them.
public protocol FieldForm<Value> {
  associatedtype Value

  static func write(_ value: Value, to writer: inout ByteWriter)
  static func read(from reader: inout ByteReader) throws(CodingError) -> Value

  /// The text of a value; nil where there is nothing to say.
  static func text(_ value: Value, in directory: Directory?) -> String?
  /// What is read of a field that went from `old` to `new`; of a new field `old` is nil, of one that goes `new`.
  static func shown(_ name: String, old: Value?, new: Value?, in directory: Directory?) -> [ChangeText.Field]

  /// The partition, besides the subject's, that a change with this value mutates.
  static func partition(_ value: Value, _ partitioning: Partitioning) -> Int?
  /// Adds the keys under which a record with this value is found.
  static func addKeys(of value: Value, to keys: inout [UInt64])
}

/// The form of what changes are about.
public protocol SubjectForm<Value>: FieldForm {
  /// `user #12`.
  static func entity(_ value: Value, in directory: Directory?) -> String
  /// The partition that it lives in; nil where it belongs to the directory.
  static func home(_ value: Value, _ partitioning: Partitioning) -> Int?
}

/// The form of a value that names one of several fields.
public protocol SettingForm<Value>: FieldForm {
  static func name(_ value: Value) -> String
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
}
