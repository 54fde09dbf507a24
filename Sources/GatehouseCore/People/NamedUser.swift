/// A user that a list filters by, compared without a look-up, because the name may belong to another partition.
struct NamedUser {
  private let id: UserID?
  private let folded: String

  init(_ text: String) {
    var text = text
    id = text.hasPrefix("#") ? text.withUTF8 { Turn.identifier(.init($0)) }.map { UserID(raw: $0) } : nil
    folded = FoldedName(text).text
  }

  func matches(_ user: UserID, _ name: String) -> Bool {
    if let id { return id == user }
    return FoldedName(name).text == folded
  }

  /// Whether it is one of these users, of whom those of a partition are known by name.
  func isAny(of users: [UserID], in cell: HeldPartition) -> Bool {
    users.contains { user in
      guard cell.state.isMine(user), let serial = cell.state.serial(of: user) else { return matches(user, "") }
      return matches(user, cell.state.people.username(serial))
    }
  }
}
