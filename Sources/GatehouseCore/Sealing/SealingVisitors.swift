/// A visitor that encodes fields in two parts: what says something of a person, to be sealed, and the rest.
///
/// What tells them apart is the form of a field (`FieldForm.split`): texts and secrets are hidden; ids, times, flags and
/// whether there is a text at all stay readable, so that a record whose keys were destroyed keeps its structure.
public struct SealingWriter: ~Copyable, FieldVisitor {
  public typealias Failure = Never

  var clear = ByteWriter()
  var hidden = ByteWriter()

  @inline(__always)
  public mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    Form.split(value, clear: &clear, hidden: &hidden)
  }

  public mutating func later() {}

  public mutating func setting<Form: SettingForm>(
    _ field: inout Form.Value, old: inout String, new: inout String, as form: Form.Type
  ) {
    Form.write(field, to: &clear)
    if Form.tellsOfPerson(field) {
      value(&old, as: TextForm.self)
      value(&new, as: TextForm.self)
    } else {
      clear.text(old)
      clear.text(new)
    }
  }
}

/// A visitor that decodes what `SealingWriter` wrote. If the keys were destroyed, each hidden text reads as
/// `ClearedPeople.mark`.
public struct OpeningReader: FieldVisitor {
  public typealias Failure = CodingError

  var clear: ByteReader
  /// nil if the keys were destroyed.
  var hidden: ByteReader?
  private var isLater = false

  init(clear: ByteReader, hidden: ByteReader?) {
    self.clear = clear
    self.hidden = hidden
  }

  @inline(__always)
  public mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) throws(CodingError) {
    // Each field has at least a byte in the clear part.
    if isLater, clear.isAtEnd { return }
    value = try Form.join(clear: &clear, hidden: &hidden)
  }

  public mutating func later() { isLater = true }

  public mutating func setting<Form: SettingForm>(
    _ field: inout Form.Value, old: inout String, new: inout String, as form: Form.Type
  ) throws(CodingError) {
    field = try Form.read(from: &clear)
    if Form.tellsOfPerson(field) {
      try value(&old, as: TextForm.self)
      try value(&new, as: TextForm.self)
    } else {
      old = try clear.text()
      new = try clear.text()
    }
  }
}

extension FieldForm {
  /// Encodes what says something of a person into `hidden`, and the rest, at least one byte, into `clear`.
  public static func split(_ value: Value, clear: inout ByteWriter, hidden: inout ByteWriter) {
    write(value, to: &clear)
  }

  /// Decodes what `split` wrote.
  ///
  /// - Parameter hidden: nil if the keys were destroyed. The value then says nothing of the person.
  public static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> Value {
    try read(from: &clear)
  }
}

/// A form of which nothing is readable without the keys, except that there is a text.
public protocol HiddenTextForm: FieldForm where Value == String {}

extension HiddenTextForm {
  public static func split(_ value: String, clear: inout ByteWriter, hidden: inout ByteWriter) {
    clear.flag(!value.isEmpty)
    if !value.isEmpty { hidden.text(value) }
  }

  public static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> String {
    guard try clear.flag() else { return "" }
    return try hidden?.text() ?? ClearedPeople.mark
  }
}

extension TextForm: HiddenTextForm {}
extension FilledTextForm: HiddenTextForm {}
extension UsernameForm: HiddenTextForm {}

extension OptionalForm {
  public static func split(_ value: Form.Value?, clear: inout ByteWriter, hidden: inout ByteWriter) {
    clear.flag(value != nil)
    if let value { Form.split(value, clear: &clear, hidden: &hidden) }
  }

  public static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> Form.Value? {
    try clear.flag() ? try Form.join(clear: &clear, hidden: &hidden) : nil
  }
}

extension ListForm {
  public static func split(_ values: [Form.Value], clear: inout ByteWriter, hidden: inout ByteWriter) {
    clear.varint(values.count)
    for value in values { Form.split(value, clear: &clear, hidden: &hidden) }
  }

  public static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> [Form.Value] {
    let count = try clear.count()
    var values: [Form.Value] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try Form.join(clear: &clear, hidden: &hidden)) }
    return values
  }
}

extension FieldTextsForm {
  public static func split(_ texts: [FieldText<Field>], clear: inout ByteWriter, hidden: inout ByteWriter) {
    clear.varint(texts.count)
    for text in texts {
      clear.byte(text.field.rawValue)
      if text.field.tellsOfPerson {
        TextForm.split(text.text, clear: &clear, hidden: &hidden)
      } else {
        clear.text(text.text)
      }
    }
  }

  public static func join(
    clear: inout ByteReader, hidden: inout ByteReader?
  ) throws(CodingError) -> [FieldText<Field>] {
    let count = try clear.count()
    var texts: [FieldText<Field>] = []
    texts.reserveCapacity(count)
    for _ in 0..<count {
      let field: Field = try clear.choice()
      let text = field.tellsOfPerson ? try TextForm.join(clear: &clear, hidden: &hidden) : try clear.text()
      texts.append(FieldText(field, text))
    }
    return texts
  }
}

extension ReplyForm {
  static func split(_ value: Reply, clear: inout ByteWriter, hidden: inout ByteWriter) {
    clear.byte(1)
    write(value, to: &hidden)
  }

  static func join(clear: inout ByteReader, hidden: inout ByteReader?) throws(CodingError) -> Reply {
    _ = try clear.byte()
    guard var rest = hidden else { return Reply.forgotten }
    defer { hidden = rest }
    return try read(from: &rest)
  }
}

extension Reply {
  /// Stands for an answer whose key was destroyed, which happens only after it has expired.
  static var forgotten: Reply {
    var reply = Reply()
    reply.null()
    return reply
  }
}
