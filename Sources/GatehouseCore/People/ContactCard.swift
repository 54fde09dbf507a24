/// The checked fields of a person in the options of `USER.CREATE` and `CONTACT.CREATE`.
struct ContactCard {
  private(set) var texts: [ContactText] = []
  private let workspace: Workspace

  /// The options for the fields. `NAME` is split into parts in the order that the workspace chooses (S3).
  static let options: [Argument] = [
    .option("NAME", "full-name"), .option("FIRST", "first"), .option("MIDDLE", "middle"), .option("LAST", "last"),
    .option("EMAIL", "email"), .option("PHONE", "phone"), .option("DEPARTMENT", "department"),
    .option("TIMEZONE", "zone"), .option("SCHEDULE", "text"), .option("LEAVE", "text"), .option("HIRED", "day"),
    .option("RELEASED", "day"), .option("LANGUAGE", "language"),
  ]

  private static let tokens = ContactField.allCases.map { ($0, $0.name.uppercased()) }

  init(_ turn: Turn, in workspace: Workspace) throws(Halt) {
    self.workspace = workspace
    let name = try turn.option("NAME", limit: Limits.fieldBytes).map {
      PersonName(typed: $0, format: workspace.policies.nameFormat)
    }
    for (field, token) in Self.tokens {
      var text = try turn.option(token)
      switch field {
      case .first: text = text ?? name?.first
      case .middle: text = text ?? name?.middle
      case .last: text = text ?? name?.last
      default: break
      }
      guard let text else { continue }
      let value = try turn.value(text, of: field)
      if !value.isEmpty { texts.append(ContactText(field, value)) }
    }
  }

  /// The given value of a field; empty if there is none.
  subscript(field: ContactField) -> String { texts.first { $0.field == field }?.text ?? "" }

  /// The value that a field will have: the given one, else the person's.
  func value(_ field: ContactField, over person: ContactReference?) -> String {
    texts.first { $0.field == field }?.text ?? person?.text(field) ?? ""
  }

  /// P6: uses the username as e-mail if it is one and none was given.
  mutating func suggest(email username: String) {
    guard self[.email].isEmpty, EntityNames.isEmail(username) else { return }
    texts.append(ContactText(.email, username))
  }

  /// Turns points in time into days in the person's zone, and checks their order.
  /// - Parameter person: the contact whose fields will be set; nil for a new one.
  mutating func settle(_ turn: Turn, over person: ContactReference? = nil) throws(Halt) {
    if texts.contains(where: { $0.field.isDay }) {
      let zone = turn.zone(named: value(.timezone, over: person), elseOf: workspace)
      texts = texts.map { $0.field.isDay ? ContactText($0.field, Turn.day($0.text, in: zone)) : $0 }
    }
    try Turn.checkEmployment(hired: value(.hired, over: person), released: value(.released, over: person))
  }
}

extension Turn {
  /// Creates the contact of a card in the card's workspace.
  func emitContact(_ card: ContactCard, in cell: HeldPartition) -> ContactID {
    let id = newContact(in: cell)
    emit(ContactCreated(id, fields: card.texts, workspace: card.home))
    return id
  }
}

extension ContactCard {
  fileprivate var home: WorkspaceID { workspace.id }
}
