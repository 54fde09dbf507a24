/// A visitor of the fields of a change or a row, one after another.
///
/// The form of a field (`FieldForm`) knows how its value is coded and shown; a visitor decides what to do with it. Only
/// `value` and `later` are required: a visitor that makes no distinctions sees every field as a value.
public protocol FieldVisitor: ~Copyable {
  associatedtype Failure: Error

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) throws(Failure)

  /// The following fields came with a later version of the format, and may be absent.
  mutating func later() throws(Failure)

  /// The subject of the change, whose owner it modifies.
  mutating func subject<Form: SubjectForm>(_ value: inout Form.Value, as form: Form.Type) throws(Failure)

  /// What the change is about, if that is not one entity.
  mutating func about(_ what: String)

  /// The change modifies all partitions.
  mutating func everywhere()

  /// The name that the change gives to its subject.
  mutating func given(_ name: inout String) throws(Failure)

  /// A field with a new value.
  mutating func field<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure)

  /// A field that is removed.
  mutating func removed<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure)

  /// What something was that is removed as a whole. The trail tells it; the removal itself does not depend on it.
  mutating func former<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure)

  /// A field that changes.
  mutating func change<Form: FieldForm>(
    _ name: String, old: inout Form.Value, new: inout Form.Value, as form: Form.Type
  ) throws(Failure)

  /// A field that changes, whose old value came with a later version of the format, behind all other fields. It is
  /// absent where there was none.
  mutating func change<Form: FieldForm>(
    _ name: String, new: inout Form.Value, laterOld old: inout Form.Value?, as form: Form.Type
  ) throws(Failure)

  /// One of several named fields, with its old and new texts.
  mutating func setting<Form: SettingForm>(
    _ field: inout Form.Value, old: inout String, new: inout String, as form: Form.Type
  ) throws(Failure)

  /// A value that the trail does not show: the digest of a token, a kept answer, the text of a mail.
  mutating func secret<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) throws(Failure)
}

// Always inlined, because otherwise every field of every change costs a call.
extension FieldVisitor where Self: ~Copyable {
  @inline(__always)
  public mutating func subject<Form: SubjectForm>(
    _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure) { try self.value(&value, as: form) }

  @inline(__always)
  public mutating func about(_ what: String) {}

  @inline(__always)
  public mutating func everywhere() {}

  @inline(__always)
  public mutating func given(_ name: inout String) throws(Failure) { try value(&name, as: TextForm.self) }

  @inline(__always)
  public mutating func field<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure) { try self.value(&value, as: form) }

  @inline(__always)
  public mutating func removed<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure) { try self.value(&value, as: form) }

  @inline(__always)
  public mutating func former<Form: FieldForm>(
    _ name: String, _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure) { try removed(name, &value, as: form) }

  @inline(__always)
  public mutating func change<Form: FieldForm>(
    _ name: String, old: inout Form.Value, new: inout Form.Value, as form: Form.Type
  ) throws(Failure) {
    try value(&old, as: form)
    try value(&new, as: form)
  }

  @inline(__always)
  public mutating func change<Form: FieldForm>(
    _ name: String, new: inout Form.Value, laterOld old: inout Form.Value?, as form: Form.Type
  ) throws(Failure) {
    try field(name, &new, as: form)
    try later()
    try value(&old, as: LastForm<Form>.self)
  }

  @inline(__always)
  public mutating func setting<Form: SettingForm>(
    _ field: inout Form.Value, old: inout String, new: inout String, as form: Form.Type
  ) throws(Failure) {
    try value(&field, as: form)
    try value(&old, as: TextForm.self)
    try value(&new, as: TextForm.self)
  }

  @inline(__always)
  public mutating func secret<Form: FieldForm>(
    _ value: inout Form.Value, as form: Form.Type
  ) throws(Failure) { try self.value(&value, as: form) }
}
