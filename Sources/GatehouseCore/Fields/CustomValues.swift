/// The stored values of a workspace's fields, and which field a name means.
extension Turn {
  /// The value of a field in its stored form; empty clears it.
  func value(_ text: String, of field: FieldDefinition) throws(Halt) -> String {
    if text.isEmpty { return text }
    guard text.utf8.count <= Limits.fieldBytes else {
      throw .refused(.syntax("\(field.name) is longer than \(Limits.fieldBytes) bytes; shorten it", of: field.name))
    }
    switch field.kind {
    case .text:
      guard !EntityNames.isBlank(text) else {
        throw .refused(.syntax("\(field.name) has no visible character; an empty text clears it", of: field.name))
      }
      return text
    case .number:
      guard let number = Int64(text) else {
        throw .refused(.syntax("\(field.name) is not a whole number, such as 40", of: field.name))
      }
      return String(number)
    case .day:
      guard let day = TimeText.dayNumber(text) else {
        throw .refused(.syntax("\(field.name) is not a day, such as 2026-03-01", of: field.name))
      }
      return TimeText.text(ofDay: day)
    case .flag:
      guard let flag = Self.flag(text) else {
        throw .refused(.syntax("\(field.name) must be 1 or 0", of: field.name))
      }
      return flag ? "1" : "0"
    case .choice:
      guard let choice = field.choices.first(where: { $0.folded == text.folded }) else {
        throw .refused(
          .syntax("\(field.name) must be one of \(field.choices.joined(separator: ", "))", of: field.name))
      }
      return choice
    }
  }

  /// The field with this name in a workspace.
  func field(named name: String, in workspace: Workspace) throws(Halt) -> FieldDefinition {
    read(directory.lsn)
    guard let field = directory.fields(of: workspace.id).first(where: { $0.name == name.folded }) else {
      throw .refused(.notFound("field \(name) of \(workspace.name); FIELD.LIST names them"))
    }
    return field
  }

  /// The field that a name means for a person: `workspace/name`, or the name alone if it is the home's, or if only one
  /// of the person's workspaces that the caller sees has such a field.
  /// - Parameter workspaces: the person's workspaces, home first.
  func field(named name: String, among workspaces: [WorkspaceID]) throws(Halt) -> FieldDefinition? {
    read(directory.lsn)
    let known = isLimited ? knownWorkspaces : .all
    let parts = name.split(separator: "/", maxSplits: 1)
    if parts.count == 2 {
      guard let id = directory.workspaceID(String(parts[0])), workspaces.contains(id), known.contains(id) else {
        return nil
      }
      return directory.fields(of: id).first { $0.name == parts[1].lowercased() }
    }
    let found = workspaces.filter(known.contains).compactMap { id in
      directory.fields(of: id).first { $0.name == name.folded }
    }
    guard let first = found.first, found.count > 1, first.workspace != workspaces.first else { return found.first }
    let names = found.map { "\(directory.workspace($0.workspace).name)/\($0.name)" }
    throw .refused(.syntax("several workspaces have a field \(name); name one: \(names.joined(separator: ", "))"))
  }

  /// The name of a field for a person of a home; fields of other workspaces include the workspace.
  func fieldName(_ field: FieldDefinition, home: WorkspaceID?) -> String {
    field.workspace == home ? field.name : "\(directory.workspace(field.workspace).name)/\(field.name)"
  }
}

extension ContactReference {
  /// The workspaces whose fields the person has: the login's, else the one that governs the contact.
  var workspaces: [WorkspaceID] { newestLogin?.memberships ?? home.map { [$0] } ?? [] }
}

/// The values of `FIELD name value` in the workspace of a new person.
struct GivenFields {
  private(set) var values: [(field: FieldDefinition, text: String)] = []

  static let option = Argument.option("FIELD", parts: ["name", "value"], repeats: true)

  init(_ turn: Turn, in workspace: Workspace) throws(Halt) {
    for words in try turn.options("FIELD") {
      let field = try turn.field(named: words[0], in: workspace)
      guard !values.contains(where: { $0.field.id == field.id }) else {
        throw .refused(.syntax("FIELD \(field.name) is given twice"))
      }
      values.append((field, try turn.value(words[1], of: field)))
    }
  }

  /// L2: the mandatory fields of a workspace that would have no value.
  func missing(in workspace: Workspace, of person: ContactReference?, _ turn: Turn) -> [String] {
    turn.directory.mandatoryFields(of: workspace.id).filter { field in
      if let given = values.first(where: { $0.field.id == field.id }) { return given.text.isEmpty }
      return person?.cell.state.people.custom(field.id, of: person?.serial ?? 0).isEmpty ?? true
    }.map(\.name)
  }

  /// The workspaces of those that differ from what a contact has.
  func workspaces(changing person: ContactReference) -> Set<WorkspaceID> {
    Set(
      values.filter { $0.text != person.cell.state.people.custom($0.field.id, of: person.serial) }
        .map(\.field.workspace))
  }

  /// Sets them for a contact.
  /// - Parameter person: the contact as it is now; nil for a new one.
  func emit(over contact: ContactID, _ person: ContactReference?, _ turn: Turn) {
    for (field, new) in values {
      let old = person.map { $0.cell.state.people.custom(field.id, of: $0.serial) } ?? ""
      if old != new { turn.emit(CustomFieldSet(contact, field, old: old, new: new)) }
    }
  }
}
