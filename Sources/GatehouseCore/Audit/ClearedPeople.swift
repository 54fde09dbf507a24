/// The people of some records who were anonymised since (L6). The log still has what those records said of them, so the
/// trail and the feed show that something was set, and not what.
struct ClearedPeople: Sendable {
  fileprivate var users: Set<UserID> = []
  fileprivate var contacts: Set<ContactID> = []

  /// What is shown in place of personal data that was cleared.
  static let mark = "(anonymised)"

  /// Fields that say nothing of who somebody is.
  private static let kept: Set<String> = [
    "contact", "user", "status", "workspace", "workspaces", "kind", "field", "authority", "restrict-bookings",
  ]

  /// The text of a change without what was cleared.
  func text(_ text: ChangeText, of change: AnyChange) -> ChangeText {
    guard !users.isEmpty || !contacts.isEmpty, let subject = change.known?.person else { return text }
    switch subject {
    case .user(let id): guard users.contains(id) else { return text }
    case .contact(let id): guard contacts.contains(id) else { return text }
    }
    let fields = text.fields.map { field in
      Self.kept.contains(field.name)
        ? field
        : ChangeText.Field(
          name: field.name, old: field.old.map { _ in Self.mark }, new: field.new.map { _ in Self.mark })
    }
    return ChangeText(kind: text.kind, entity: text.entity, fields: fields)
  }
}

/// Whose personal data a change holds.
public enum PersonSubject: Sendable {
  case user(UserID)
  case contact(ContactID)
}

extension Turn {
  /// Those of whom changes hold personal data that was cleared since.
  func cleared(in changes: [AnyChange]) throws(Halt) -> ClearedPeople {
    var users: Set<UserID> = []
    var contacts: Set<ContactID> = []
    for change in changes {
      switch change.known?.person {
      case .user(let id)?: users.insert(id)
      case .contact(let id)?: contacts.insert(id)
      case nil: break
      }
    }
    try hold(users.map { partitioning.partition(of: $0) } + contacts.map { partitioning.partition(of: $0) })
    var cleared = ClearedPeople()
    for id in users {
      let cell = try cell(partitioning.partition(of: id))
      let contact = cell.state.serial(of: id).map { Int(cell.state.people.users[$0].contact) }
      // Who was purged is known no longer, and what was said of them goes, too.
      if contact.map({ cell.state.people.isAnonymised(contact: $0) }) ?? true { cleared.users.insert(id) }
    }
    for id in contacts {
      let cell = try cell(partitioning.partition(of: id))
      if cell.state.serial(of: id).map({ cell.state.people.isAnonymised(contact: $0) }) ?? false {
        cleared.contacts.insert(id)
      }
    }
    return cleared
  }
}
