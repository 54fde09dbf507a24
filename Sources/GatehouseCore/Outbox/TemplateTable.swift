/// The templates that workspaces have written, by workspace, kind and language.
struct TemplateTable: Sendable {
  struct Key: Hashable, Sendable {
    let workspace: WorkspaceID
    let kind: Mail.Kind
    let language: String
  }

  private(set) var rows = ShardedTable<Key, MailTemplate>()
  /// The keys of each workspace that has any, in the order in which it wrote them.
  private(set) var keys: [WorkspaceID: [Key]] = [:]

  mutating func set(_ key: Key, _ template: MailTemplate?) {
    if rows[key] == nil, template != nil { keys[key.workspace, default: []].append(key) }
    rows[key] = template
    guard template == nil else { return }
    keys[key.workspace]?.removeAll { $0 == key }
    if keys[key.workspace]?.isEmpty ?? false { keys[key.workspace] = nil }
  }
}

extension TemplateTable: DirectoryTable {
  static let sections: [StoredSection<StoredDirectory>] = [
    .list(30) { directory in
      directory.tables.templates.rows.keys.sorted {
        ($0.workspace, $0.kind.rawValue, $0.language) < ($1.workspace, $1.kind.rawValue, $1.language)
      }.map { (key: $0, template: directory.tables.templates.rows[$0] ?? MailTemplate(subject: "", body: "")) }
    } write: { writer, row in
      writer.varint(row.key.workspace)
      writer.byte(row.key.kind.rawValue)
      writer.text(row.key.language)
      writer.text(row.template.subject)
      writer.text(row.template.body)
    } read: { (directory, reader, _) throws(CodingError) in
      let key = Key(workspace: try reader.number(), kind: try reader.choice(), language: try reader.text())
      directory.tables.templates.set(key, MailTemplate(subject: try reader.text(), body: try reader.text()))
    }
  ]

  static func check(_ directory: Directory, _ checker: InvariantChecker) {
    for key in directory.tables.templates.rows.keys {
      checker.expect(checker.isWorkspace(key.workspace), "a template of \(key.kind.name) is of no workspace")
    }
  }
}

extension Directory {
  /// The template that a workspace has written for exactly this language.
  func ownTemplate(_ kind: Mail.Kind, of workspace: WorkspaceID, in language: String) -> MailTemplate? {
    tables.templates.rows[TemplateTable.Key(workspace: workspace, kind: kind, language: language)]
  }

  /// What a workspace has written templates for.
  func ownTemplates(of workspace: WorkspaceID) -> [TemplateTable.Key] { tables.templates.keys[workspace] ?? [] }

  var templateCount: Int { tables.templates.rows.count }

  /// The template for a mail: the first that there is, of the person's language, of the workspace's, and in English. In each
  /// language the workspace's own goes before the standard one.
  func template(
    _ kind: Mail.Kind, of workspace: WorkspaceID, in language: String
  ) -> (template: MailTemplate, language: String, isOwn: Bool) {
    for language in Language.chain(language) + Language.chain(self.workspace(workspace).policies.language) {
      if let own = ownTemplate(kind, of: workspace, in: language) { return (own, language, true) }
      if let standard = MailTemplate.standard(kind, in: language) { return (standard, language, false) }
    }
    let own = ownTemplate(kind, of: workspace, in: Language.standard)
    return (own ?? .english(kind), Language.standard, own != nil)
  }
}

/// A workspace has its own text for a kind of mail in a language, or the standard one again.
public struct MailTemplateSet: DirectoryChange {
  public static var code: UInt8 { 94 }
  public static var name: String { "mail-template-set" }

  public var workspace: WorkspaceID = 0
  public var kind = Mail.Kind.invitation
  public var language = ""
  public var old: MailTemplate?
  public var new: MailTemplate?

  public init() {}

  public init(
    _ workspace: WorkspaceID, _ kind: Mail.Kind, _ language: String, old: MailTemplate?, new: MailTemplate?
  ) {
    self.workspace = workspace
    self.kind = kind
    self.language = language
    self.old = old
    self.new = new
  }

  public mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
    try visitor.subject(&workspace, as: WorkspaceForm.self)
    try visitor.field("kind", &kind, as: ChoiceForm<Mail.Kind>.self)
    try visitor.field("language", &language, as: TextForm.self)
    try visitor.change("template", old: &old, new: &new, as: TemplateForm.self)
  }

  public var concern: Concern { .nobody }

  public func apply(to directory: inout DirectoryTables, lsn: LSN, time: Milliseconds) {
    directory.templates.set(TemplateTable.Key(workspace: workspace, kind: kind, language: language), new)
  }
}

private enum TemplateForm: FieldForm {
  static func write(_ value: MailTemplate?, to writer: inout ByteWriter) {
    writer.optional(value) {
      $0.text($1.subject)
      $0.text($1.body)
    }
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> MailTemplate? {
    try reader.optional { (reader) throws(CodingError) in
      MailTemplate(subject: try reader.text(), body: try reader.text())
    }
  }

  static func shown(
    _ name: String, old: MailTemplate??, new: MailTemplate??, in directory: Directory?
  ) -> [ChangeText.Field] {
    let (old, new) = (old ?? nil, new ?? nil)
    return [("subject", old?.subject, new?.subject), ("text", old?.body, new?.body)]
      .filter { $0.1 != $0.2 }.map { ChangeText.Field(name: $0.0, old: $0.1, new: $0.2) }
  }
}
