public enum TextForm: FieldForm {
  public static func write(_ value: String, to writer: inout ByteWriter) { writer.text(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> String { try reader.text() }
  public static func text(_ value: String, in directory: Directory?) -> String? { value }
}

/// A text, shown only if it is not empty.
public enum FilledTextForm: FieldForm {
  public static func write(_ value: String, to writer: inout ByteWriter) { writer.text(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> String { try reader.text() }
  public static func text(_ value: String, in directory: Directory?) -> String? { value.isEmpty ? nil : value }
}

public enum NumberForm<Value: FixedWidthInteger & UnsignedInteger>: FieldForm {
  public static func write(_ value: Value, to writer: inout ByteWriter) { writer.varint(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> Value { try reader.number() }
  public static func text(_ value: Value, in directory: Directory?) -> String? { "\(value)" }
}

public enum OptionalForm<Form: FieldForm>: FieldForm {
  public static func write(_ value: Form.Value?, to writer: inout ByteWriter) {
    writer.optional(value) { Form.write($1, to: &$0) }
  }

  public static func read(from reader: inout ByteReader) throws(CodingError) -> Form.Value? {
    try reader.optional { (reader) throws(CodingError) in try Form.read(from: &reader) }
  }

  public static func text(_ value: Form.Value?, in directory: Directory?) -> String? {
    value.flatMap { Form.text($0, in: directory) }
  }

  public static func shown(
    _ name: String, old: Form.Value??, new: Form.Value??, in directory: Directory?
  ) -> [ChangeText.Field] {
    Form.shown(name, old: old ?? nil, new: new ?? nil, in: directory)
  }

  public static func addKeys(of value: Form.Value?, to keys: inout [UInt64]) {
    if let value { Form.addKeys(of: value, to: &keys) }
  }

  public static func names(_ value: Form.Value?, _ entity: NamedEntity) -> Bool {
    value.map { Form.names($0, entity) } ?? false
  }
}

/// The last field of a change, of which nothing is written where there is no value.
public enum LastForm<Form: FieldForm>: FieldForm {
  public static func write(_ value: Form.Value?, to writer: inout ByteWriter) {
    if let value { Form.write(value, to: &writer) }
  }

  public static func read(from reader: inout ByteReader) throws(CodingError) -> Form.Value? {
    try Form.read(from: &reader)
  }

  public static func addKeys(of value: Form.Value?, to keys: inout [UInt64]) {
    if let value { Form.addKeys(of: value, to: &keys) }
  }

  public static func names(_ value: Form.Value?, _ entity: NamedEntity) -> Bool {
    value.map { Form.names($0, entity) } ?? false
  }
}

public enum FlagForm: FieldForm {
  public static func write(_ value: Bool, to writer: inout ByteWriter) { writer.flag(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> Bool { try reader.flag() }
  public static func text(_ value: Bool, in directory: Directory?) -> String? { value ? "1" : nil }
}

public enum TimeForm: FieldForm {
  public static func write(_ value: Milliseconds, to writer: inout ByteWriter) { writer.signed(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> Milliseconds { try reader.signed() }
  public static func text(_ value: Milliseconds, in directory: Directory?) -> String? { TimeText.text(of: value) }
}

/// A time, shown only if there is one; 0 means none.
public enum FilledTimeForm: FieldForm {
  public static func write(_ value: Milliseconds, to writer: inout ByteWriter) { writer.signed(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> Milliseconds { try reader.signed() }
  public static func text(_ value: Milliseconds, in directory: Directory?) -> String? {
    value == 0 ? nil : TimeText.text(of: value)
  }
}

/// A duration in whole seconds; 0 means none.
public enum SecondsForm: FieldForm {
  public static func write(_ value: UInt32, to writer: inout ByteWriter) { writer.varint(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> UInt32 { try reader.number() }
  public static func text(_ value: UInt32, in directory: Directory?) -> String? { value == 0 ? nil : "\(value)s" }
}

public enum DigestForm: FieldForm {
  public static func write(_ value: Digest, to writer: inout ByteWriter) { writer.digest(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> Digest { try reader.digest() }
}

/// An enumeration stored by raw value, each case with a name.
public protocol NamedChoice: RawRepresentable where RawValue == UInt8 {
  associatedtype Name: CustomStringConvertible
  var name: Name { get }
  /// Whether the text of a field of this name says something of a person.
  var tellsOfPerson: Bool { get }
}

extension NamedChoice {
  public var tellsOfPerson: Bool { true }
}

public enum ChoiceForm<Choice: NamedChoice>: SettingForm {
  public static func write(_ value: Choice, to writer: inout ByteWriter) { writer.byte(value.rawValue) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> Choice { try reader.choice() }
  public static func text(_ value: Choice, in directory: Directory?) -> String? { value.name.description }
  public static func name(_ value: Choice) -> String { value.name.description }
  public static func tellsOfPerson(_ value: Choice) -> Bool { value.tellsOfPerson }
}

/// A list of values, shown with spaces between them.
public enum ListForm<Form: FieldForm>: FieldForm {
  public static func write(_ values: [Form.Value], to writer: inout ByteWriter) {
    writer.list(values) { Form.write($1, to: &$0) }
  }

  public static func read(from reader: inout ByteReader) throws(CodingError) -> [Form.Value] {
    try reader.list { (reader) throws(CodingError) in try Form.read(from: &reader) }
  }

  public static func text(_ values: [Form.Value], in directory: Directory?) -> String? {
    values.compactMap { Form.text($0, in: directory) }.joined(separator: " ")
  }

  public static func addKeys(of values: [Form.Value], to keys: inout [UInt64]) {
    for value in values { Form.addKeys(of: value, to: &keys) }
  }

  public static func names(_ values: [Form.Value], _ entity: NamedEntity) -> Bool {
    values.contains { Form.names($0, entity) }
  }
}

/// A list of values that is not shown where it is empty.
public enum FilledListForm<Form: FieldForm>: FieldForm {
  private typealias Base = ListForm<Form>

  public static func write(_ values: [Form.Value], to writer: inout ByteWriter) { Base.write(values, to: &writer) }

  public static func read(from reader: inout ByteReader) throws(CodingError) -> [Form.Value] {
    try Base.read(from: &reader)
  }

  public static func text(_ values: [Form.Value], in directory: Directory?) -> String? {
    values.isEmpty ? nil : Base.text(values, in: directory)
  }

  public static func addKeys(of values: [Form.Value], to keys: inout [UInt64]) { Base.addKeys(of: values, to: &keys) }

  public static func names(_ values: [Form.Value], _ entity: NamedEntity) -> Bool { Base.names(values, entity) }
}

/// A named field of a person with its text.
public struct FieldText<Field: NamedChoice & Sendable & Equatable>: Sendable, Equatable {
  public let field: Field
  public let text: String

  public init(_ field: Field, _ text: String) {
    self.field = field
    self.text = text
  }
}

/// Named fields, each shown as a field.
public enum FieldTextsForm<Field: NamedChoice & Sendable & Equatable>: FieldForm {
  public static func write(_ value: [FieldText<Field>], to writer: inout ByteWriter) {
    writer.list(value) { writer, text in
      writer.byte(text.field.rawValue)
      writer.text(text.text)
    }
  }

  public static func read(from reader: inout ByteReader) throws(CodingError) -> [FieldText<Field>] {
    try reader.list { (reader) throws(CodingError) in FieldText(try reader.choice(), try reader.text()) }
  }

  public static func shown(
    _ name: String, old: [FieldText<Field>]?, new: [FieldText<Field>]?, in directory: Directory?
  ) -> [ChangeText.Field] {
    (old ?? []).map { ChangeText.Field(name: $0.field.name.description, old: $0.text, new: nil) }
      + (new ?? []).map { ChangeText.Field(name: $0.field.name.description, old: nil, new: $0.text) }
  }
}

/// A signed number, such as the delta between two times.
public enum SignedForm: FieldForm {
  public static func write(_ value: Int64, to writer: inout ByteWriter) { writer.signed(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> Int64 { try reader.signed() }
}

/// A day, in days since 1970-01-01.
public enum DayForm: FieldForm {
  public static func write(_ value: Int32, to writer: inout ByteWriter) { writer.signed(Int64(value)) }

  public static func read(from reader: inout ByteReader) throws(CodingError) -> Int32 {
    guard let day = Int32(exactly: try reader.signed()) else { throw reader.failure("a day out of range") }
    return day
  }
}

/// A number that uses all its bits, such as a hash.
public enum HashForm: FieldForm {
  public static func write(_ value: UInt32, to writer: inout ByteWriter) { writer.fixed32(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> UInt32 { try reader.fixed32() }
}

/// A byte of flags.
public enum ByteForm: FieldForm {
  public static func write(_ value: UInt8, to writer: inout ByteWriter) { writer.byte(value) }
  public static func read(from reader: inout ByteReader) throws(CodingError) -> UInt8 { try reader.byte() }
}
