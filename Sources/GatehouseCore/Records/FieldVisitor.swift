/// What is shown the fields of a change or a row, one after the other.
///
/// How a value is coded and shown is its form's business (`FieldForm`); a visitor says what is done with it. Only
/// `value` and `later` must be written: to a visitor that does not tell them apart, every field is a value.
public protocol FieldVisitor: ~Copyable {
  associatedtype Failure: Error

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) throws(Failure)

  /// What follows came with a later version of the format, and may be absent.
  mutating func later() throws(Failure)

  /// What the change is about, and whose owner it mutates.
  mutating func subject<Form: SubjectForm>(_ value: inout Form.Value, as form: Form.Type) throws(Failure)

  /// What the change is about, where that is no one thing.
  mutating func about(_ what: String)

  /// The change mutates all partitions.
  mutating func everywhere()

  /// The name that a change gives to its subject.
  mutating func given(_ name: inout String) throws(Failure)

  /// A field that is new.
  mutating func field<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure)

  /// A field that goes.
  mutating func removed<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure)

  /// A field that was something else before.
  mutating func change<Form: FieldForm>(
    _ name: String, old: inout Form.Value, new: inout Form.Value, as form: Form.Type
  ) throws(Failure)

  /// One of several fields with a name each, and its texts.
  mutating func setting<Form: SettingForm>(
    _ field: inout Form.Value, old: inout String, new: inout String, as form: Form.Type
  ) throws(Failure)

  /// A value that nobody reads in the trail: a digest of a token, a kept answer, the text of a mail.
  mutating func secret<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) throws(Failure)
}

extension FieldVisitor where Self: ~Copyable {
  public mutating func subject<Form: SubjectForm>(
    _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure) { try self.value(&value, as: form) }

  public mutating func about(_ what: String) {}

  public mutating func everywhere() {}

  public mutating func given(_ name: inout String) throws(Failure) { try value(&name, as: TextForm.self) }

  public mutating func field<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure) { try self.value(&value, as: form) }

  public mutating func removed<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure) { try self.value(&value, as: form) }

  public mutating func change<Form: FieldForm>(
    _ name: String, old: inout Form.Value, new: inout Form.Value, as form: Form.Type
  ) throws(Failure) {
    try value(&old, as: form)
    try value(&new, as: form)
  }

  public mutating func setting<Form: SettingForm>(
    _ field: inout Form.Value, old: inout String, new: inout String, as form: Form.Type
  ) throws(Failure) {
    try value(&field, as: form)
    try value(&old, as: TextForm.self)
    try value(&new, as: TextForm.self)
  }

  public mutating func secret<Form: FieldForm>(
    _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure) { try self.value(&value, as: form) }
}
