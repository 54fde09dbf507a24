/// L2: a choice keeps the words that people have. Taking one away would leave people with a value that nobody may give.
extension FieldDefinition {
  /// Whether a value that somebody had may still be given; an empty one is none.
  func allows(_ value: String) -> Bool {
    kind != .choice || value.isEmpty || choices.contains { $0.folded == value.folded }
  }
}

extension Turn {
  /// Refuses to take away words of a choice that people of the workspace have, and names some of them. Who has left the
  /// workspace does not count: nobody there sees the value or could change it.
  func requireUnused(wordsOf old: FieldDefinition, missingIn new: FieldDefinition) throws(Halt) {
    let gone = old.choices.filter { !new.allows($0) }
    guard !gone.isEmpty else { return }
    // Compared folded, because a word may have been respelled since somebody got it.
    var holders = Referring()
    var words: Set<String> = []
    for id in try found(.values(of: old.id, among: gone.map(\.folded))) {
      guard let contact = try contact(ContactID(raw: id)), contact.workspaces.contains(old.workspace) else { continue }
      words.insert(contact.cell.state.people.custom(old.id, of: contact.serial).folded)
      holders.note {
        guard let user = contact.user else { return knows(contact) ? "contact #\(contact.id.raw)" : nil }
        return mayName(user) ? user.username : nil
      }
    }
    guard holders.count > 0 else { return }
    let missed = gone.filter { words.contains($0.folded) }.joined(separator: ", ")
    throw .refused(
      .rule(
        "field", "\(holders) \(holders.count == 1 ? "has" : "have") \(missed) as \(old.name)",
        instead: "keep the words in CHOICES, or give these people another value first with USER.BULK or CONTACT.SET"))
  }
}

extension People {
  /// Whether a contact has one of these values of a field, folded, and is not a double that leads to another contact.
  func hasValue(of field: FieldID, among values: [String], contact: Int) -> Bool {
    let value = custom(field, of: contact)
    return !value.isEmpty && values.contains(value.folded) && successor(ofContact: contact) == nil
  }
}
