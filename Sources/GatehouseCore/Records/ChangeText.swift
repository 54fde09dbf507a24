/// A change as the audit trail shows it: its kind, its entity, and the old and new values of its fields.
///
/// Secrets have no text: digests of tokens and secrets, kept answers and the messages of mails are left out.
public struct ChangeText: Sendable, Equatable {
  public struct Field: Sendable, Equatable {
    public let name: String
    /// nil if there was no value, or if the change does not store it.
    public let old: String?
    public let new: String?

    /// The field with the number of a subject that gets a name.
    fileprivate static let numberName = "id"
    fileprivate var isNumber: Bool { name == Self.numberName }
  }

  /// `status-set`.
  public let kind: String
  /// `user #12`.
  public let entity: String
  public let fields: [Field]

  /// - Parameter directory: the names of products and workspaces; without it, their numbers are shown.
  public init(_ change: AnyChange, in directory: Directory? = nil) {
    switch change {
    case .unknown(let change): self.init(kind: change.name, entity: "a newer version", fields: [])
    default: self = change.known?.text(in: directory) ?? Self(kind: "", entity: "", fields: [])
    }
  }

  init(kind: String, entity: String, fields: [Field]) {
    self.kind = kind
    self.entity = entity
    self.fields = fields
  }
}

extension ChangeText {
  /// The same where the subject has no number yet.
  var withoutNumber: ChangeText {
    ChangeText(
      kind: kind, entity: entity,
      fields: fields.map { $0.isNumber ? Field(name: $0.name, old: nil, new: Self.new) : $0 })
  }

  /// Stands for the id of something that has none yet.
  static let new = "new"
}

extension ChangeText: CustomStringConvertible {
  /// `status-set user #12, status: active → locked`, always on one line.
  public var description: String {
    ([("\(kind) \(entity)")] + fields.map(\.description)).joined(separator: ", ")
  }
}

extension ChangeText.Field: CustomStringConvertible {
  public var description: String {
    switch (old, new) {
    case (nil, let new?): "\(name): \(ShownText.value(new))"
    // What it is of, as the one of several roles whose other fields change.
    case (let old?, let new) where old == new: "\(name): \(ShownText.value(old))"
    case (let old?, let new): "\(name): \(ShownText.value(old)) → \(ShownText.value(new ?? ""))"
    case (nil, nil): name
    }
  }
}

extension RecordPart {
  public func changeTexts(in directory: Directory? = nil) -> [ChangeText] {
    changes.map { ChangeText($0, in: directory) }
  }
}

extension Change {
  public func text(in directory: Directory?) -> ChangeText {
    var change = self
    var reader = TextFinder(directory: directory)
    change.visit(&reader)
    return ChangeText(kind: Self.name, entity: reader.entity, fields: reader.fields)
  }
}

/// A visitor that collects the texts of the fields.
private struct TextFinder: FieldVisitor {
  typealias Failure = Never

  let directory: Directory?
  var entity = ""
  var fields: [ChangeText.Field] = []

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {}

  mutating func later() {}

  mutating func subject<Form: SubjectForm>(_ value: inout Form.Value, as form: Form.Type) {
    entity = Form.entity(value, in: directory)
    number = Form.text(value, in: nil)
  }

  mutating func about(_ what: String) { entity = what }

  /// The subject's number, shown beside the name that the change gives it.
  private var number: String?

  mutating func given(_ name: inout String) {
    // With its workspace, if the directory knows it.
    if !entity.hasSuffix("/\(name)") { entity = "\(entity.prefix { $0 != " " }) \(name)" }
    fields.insert(ChangeText.Field(name: ChangeText.Field.numberName, old: nil, new: number), at: 0)
  }

  mutating func field<Form: FieldForm>(_ name: String, _ value: inout Form.Value, as form: Form.Type) {
    fields += Form.shown(name, old: nil, new: value, in: directory)
  }

  mutating func removed<Form: FieldForm>(_ name: String, _ value: inout Form.Value, as form: Form.Type) {
    fields += Form.shown(name, old: value, new: nil, in: directory)
  }

  mutating func change<Form: FieldForm>(
    _ name: String, old: inout Form.Value, new: inout Form.Value, as form: Form.Type
  ) {
    fields += Form.shown(name, old: old, new: new, in: directory)
  }

  mutating func change<Form: FieldForm>(
    _ name: String, new: inout Form.Value, laterOld old: inout Form.Value?, as form: Form.Type
  ) {
    fields += Form.shown(name, old: old, new: new, in: directory)
  }

  mutating func setting<Form: SettingForm>(
    _ field: inout Form.Value, old: inout String, new: inout String, as form: Form.Type
  ) {
    fields.append(ChangeText.Field(name: Form.name(field), old: old, new: new))
  }

  mutating func secret<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {}

  init(directory: Directory?) { self.directory = directory }
}
