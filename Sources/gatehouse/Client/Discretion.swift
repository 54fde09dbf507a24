import GatehouseCore

/// Decides which lines hold a secret and so are kept in no history: passwords, tokens, keys and one-time codes.
struct Discretion: Sendable {
  let catalogue: CommandCatalogue

  func mayKeep(_ words: [String]) -> Bool {
    guard let first = words.first?.uppercased() else { return false }
    if Self.secretCommands.contains(first) { return false }
    // A token and a service's secret are secret wherever they stand.
    if words.contains(where: { Array($0.utf8).withUnsafeBytes { SecretText.isLike($0) } }) { return false }
    // Whatever the command: a word that announces a secret is followed by one.
    if words.dropFirst().contains(where: { Self.secretTokens.contains($0.uppercased()) }) { return false }
    guard let (help, arguments) = catalogue.command(of: words) else {
      // Without the server's documentation nobody knows what the words are; the fixed lists must do.
      return true
    }
    let places = help.arguments.filter(\.isPositional)
    return !zip(places, arguments).contains { argument, _ in Self.isSecret(argument.name) }
  }

  /// Commands that take a secret as an argument: kept here although the documentation names most, since the client
  /// must be discreet before it has read any.
  private static let secretCommands: Set = [
    "AS", "AUTH", "APIKEY.CHECK", "IMPERSONATE.START", "LOGIN.PASSWORD", "LOGIN.TOTP", "PASSWORD.CHANGE",
    "PASSWORD.REDEEM", "PASSWORD.SET", "SESSION.CHECK", "TOTP.CONFIRM",
  ]

  private static let secretTokens: Set = ["AUTH", "PASSWORD", "SECRET", "TOTP"]

  private static func isSecret(_ argument: String) -> Bool {
    let name = argument.lowercased()
    return ["password", "secret", "token", "code", "key"].contains { name.hasSuffix($0) }
  }
}
