import GatehouseCore

/// Decides which lines contain a secret and are not kept in the history: passwords, tokens, keys and one-time codes.
struct HistoryFilter: Sendable {
  let catalogue: CommandCatalogue

  func mayKeep(_ line: [String]) -> Bool {
    let before = CommandTable.wordsBeforeCommand(line)
    if line.prefix(before).contains(where: { $0.uppercased() == "AS" }) { return false }
    let words = Array(line.dropFirst(before))
    guard let first = words.first?.uppercased() else { return false }
    if Self.secretCommands.contains(first) { return false }
    // A word that is misspelled makes the secret one of the others.
    if first == "HELLO" { return words.count == 1 || words.count == 2 && Int(words[1]) != nil }
    // What stands behind a name with a typing error may be a password, and so may be what is no command at all.
    if catalogue.command(of: words) == nil, !CommandTable.all.contains(where: { $0.name == first }) {
      return false
    }
    // A token or a service's secret is secret wherever it stands.
    if words.contains(where: { Array($0.utf8).withUnsafeBytes { SecretText.isLike($0) } }) { return false }
    // In any command, a word such as PASSWORD is followed by a secret.
    if words.dropFirst().contains(where: Self.namesSecret) { return false }
    guard let (help, arguments) = catalogue.command(of: words) else {
      // Without the server's documentation the arguments are unknown; only the fixed lists apply.
      return true
    }
    let positional = help.arguments.filter(\.isPositional)
    return !zip(positional, arguments).contains { argument, _ in Self.isSecret(argument.name) }
  }

  /// Commands that take a secret. The server's documentation names most of them, but the client must not record a
  /// secret before it has read that.
  private static let secretCommands: Set = [
    "AS", "AUTH", "APIKEY.CHECK", "IMPERSONATE.START", "LOGIN.PASSWORD", "LOGIN.TOTP", "PASSWORD.CHANGE",
    "PASSWORD.IMPORT", "PASSWORD.REDEEM", "PASSWORD.SET", "SESSION.CHECK", "TOTP.CONFIRM", "TOTP.DISABLE",
  ]

  /// Whether a secret follows a word, or stands in it: `PASSWORD=…`, an address with a password or a token.
  private static func namesSecret(_ word: String) -> Bool {
    word.uppercased() == "AUTH" || CommandSpec.isBeforeSecret(word) || CommandSpec.nameBeforeSecret(in: word) != nil
      || SecretAddress.shown(word) != nil
  }

  private static func isSecret(_ argument: String) -> Bool {
    let name = argument.lowercased()
    return ["password", "secret", "token", "code", "key"].contains { name.hasSuffix($0) }
  }
}
