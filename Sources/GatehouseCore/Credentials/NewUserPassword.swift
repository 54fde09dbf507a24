/// The password with which a user is created: one that an administrator has chosen (P7), or the one that the user has in
/// another system, of which only the hash is known.
public enum NewUserPassword {
  case chosen(SecretWord)
  case hashed(String)

  /// The names of the columns of a file of people and of rows.
  public static let column = "password"
  public static let hashColumn = "password-hash"
  /// The columns of rows that are secret. A password in clear is hidden wherever somebody may have put one.
  static let secretColumns: Set<String> = [column, hashColumn]

  /// The options of `USER.CREATE`.
  static let options: [Argument] = [
    .secretOption("PASSWORD", "password"), .secretOption("PASSWORD-HASH", "hash"),
  ]

  /// The one of the options; nil if there is none.
  init?(_ turn: Turn) throws(Halt) {
    let (chosen, hash) = (turn.optionWord("PASSWORD"), turn.optionWord("PASSWORD-HASH"))
    guard chosen == nil || hash == nil else {
      throw .refused(.syntax("PASSWORD-HASH is that of a password nobody here knows; give it or PASSWORD"))
    }
    if let chosen {
      self = .chosen(try turn.newPassword(chosen))
    } else if let hash {
      self = .hashed(try turn.importedHash(hash))
    } else {
      return nil
    }
  }

  func authorise(_ turn: Turn, in workspace: Workspace) throws(Halt) {
    try turn.requireOwnLogin(toChange: .password)
    try turn.require(.credentialSet, over: .workspace(workspace.id))
    if case .hashed = self { try turn.requireService(toImport: "a hash") }
  }

  /// Sets the password of the user, who has none yet.
  ///
  /// - Parameter related: what somebody who knows the person would guess first.
  func emit(_ turn: Turn, of user: UserID, related: [String], in workspace: Workspace) throws(Halt) {
    switch self {
    case .chosen(let password):
      let hash = try turn.hash(password, turn.strength(related: related, in: workspace))
      turn.emit(PasswordSet(user, hash: hash, isTemporary: !workspace.policies.adminSetsFinal, .administrator))
    case .hashed(let hash):
      turn.emit(PasswordSet(user, hash: hash, isTemporary: false, .imported))
    }
  }
}

extension Turn {
  /// Refuses users. A hash that is imported is final, so whoever may import one knows a password that nobody must change.
  func requireService(toImport what: String) throws(Halt) {
    guard asUser == nil else {
      throw .refused(.noPermission("a service's own authority, to import \(what)"))
    }
  }
}
