/// The people of some records who were anonymised since (L6). The log still has what those records said of them, so the
/// trail and the feed show that something was set, and not what.
struct ClearedPeople: Sendable {
  fileprivate var users: Set<UserID> = []
  fileprivate var contacts: Set<ContactID> = []

  /// What is shown in place of personal data that was cleared.
  static let mark = "(anonymised)"
  /// The same where nobody knows whom it is about.
  private static let newMark = "(not shown)"

  /// Fields that say nothing of who somebody is, and reasons, which stay as those of records do.
  private static let kept: Set<String> = [
    "contact", "user", "status", "workspace", "workspaces", "kind", "field", "authority", "restrict-bookings", "actor",
    "permission", "reason",
  ]

  /// The text of a change without what was cleared.
  func text(_ text: ChangeText, of change: AnyChange) -> ChangeText {
    guard let subject = change.known?.person else { return text }
    var mark = Self.mark
    switch subject {
    case .user(let id): guard users.contains(id) else { return text }
    case .contact(let id): guard contacts.contains(id) else { return text }
    case .people(_, _, isAboutNew: true): mark = Self.newMark
    case .people(let others, let othersContacts, isAboutNew: false):
      guard others.contains(where: users.contains) || othersContacts.contains(where: contacts.contains)
      else { return text }
    }
    let fields = text.fields.map { field in
      Self.kept.contains(field.name)
        ? field
        : ChangeText.Field(
          name: field.name, old: field.old.map { _ in mark }, new: field.new.map { _ in mark })
    }
    return ChangeText(kind: text.kind, entity: text.entity, fields: fields)
  }
}

/// Whose personal data a change holds.
public enum PersonSubject: Sendable {
  case user(UserID)
  case contact(ContactID)
  /// The words of a command about several, and perhaps about somebody who is yet to be created. Nobody knows later who that
  /// became, so such words are never shown.
  case people([UserID], [ContactID], isAboutNew: Bool)

  /// Users of all of whom it says something; nobody stands for none.
  static func users(_ users: [UserID]) -> PersonSubject {
    let users = distinct(users)
    return users.count == 1 ? .user(users[0]) : .people(users, [], isAboutNew: false)
  }

  /// The users without those named twice, and without nobody.
  static func distinct(_ users: [UserID]) -> [UserID] {
    users.reduce(into: []) { if $1 != .none, !$0.contains($1) { $0.append($1) } }
  }
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
      case .people(let others, let othersContacts, _)?:
        users.formUnion(others)
        contacts.formUnion(othersContacts)
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
