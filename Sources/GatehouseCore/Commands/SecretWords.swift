/// Which words of a request are secret.
extension CommandSpec {
  /// The indexes of the words that are not shown. The request may be malformed: a secret that was typed and has spaces goes
  /// on in the words behind it, so these are hidden too, and so is all that follows a word like the name of an option that
  /// takes a secret.
  public func secretWords(in request: Arguments) -> Set<Int> {
    var found = secrets
    if takesID, request.count > 1, Turn.identifier(request[1]) != nil, !has("TOKEN", in: request) { found.remove(1) }
    if hasTypedSecrets, let first = secrets.min() { found = Set(min(first, request.count)..<request.count) }
    if case .server(.hello) = body { hideGreeting(request, &found) }
    for option in options where option.isSecret(in: request) {
      hideWords(after: option.token ?? "", in: request, &found)
    }
    return found
  }

  /// Whether word 1 may be the id of a session or key as well as its secret: an id alone opens nothing.
  private var takesID: Bool {
    guard case .permissions(_, let ground, _) = need else { return false }
    switch ground {
    case .session(1), .apiKey(1): return true
    default: return false
    }
  }

  private func has(_ token: String, in request: Arguments) -> Bool {
    (1..<max(1, request.count)).contains { request.string($0).uppercased() == token }
  }

  /// The options of HELLO come in any order, AUTH with a name and a secret. A word that is misspelled or left out moves the
  /// secret to anywhere behind the version, so of HELLO nothing is shown but the version, and the names of clients that it
  /// has as its only option.
  private func hideGreeting(_ request: Arguments, _ found: inout Set<Int>) {
    let hasVersion = request.count > 1 && request[1].count == 1 && request[1].allSatisfy { $0 &- 0x30 < 10 }
    let first = hasVersion ? 2 : 1
    if request.count == 4, hasVersion, request.string(2).uppercased() == "SETNAME" { return }
    found.formUnion(min(first, request.count)..<request.count)
  }

  /// The names of all options that take a secret.
  public static let secretOptions: Set<String> = Set(
    CommandTable.entries.flatMap(\.options).filter { $0.secrecy != .open }.compactMap(\.token))

  private func hideWords(after token: String, in request: Arguments, _ found: inout Set<Int>) {
    let index = (1..<max(1, request.count)).first {
      request[$0].count == token.utf8.count && request.string($0).uppercased() == token
    }
    if let index { found.formUnion(index + 1..<request.count) }
  }
}

extension Argument {
  /// Whether the option's values are secret in a request.
  func isSecret(in request: Arguments) -> Bool {
    switch secrecy {
    case .open: false
    case .secret: true
    case .secretBeside(let names):
      (1..<max(1, request.count)).contains { index in
        names.contains { $0.utf8.count == request[index].count && request.string(index).lowercased() == $0 }
      }
    }
  }
}

extension Turn {
  /// Whether an option of the command gives a secret, of which nothing may be kept.
  var hasSecretOption: Bool { chosen.contains { spec.options[$0.option].isSecret(in: arguments) } }
}

extension CommandSpec {
  /// Words behind which a secret stands, whatever command they are in: people write options of other programs.
  private static let beforeSecrets: Set<String> = secretOptions.union([
    "APIKEY", "OTP", "PASS", "PASSPHRASE", "PASSWD", "PASSWORT", "PIN", "PWD", "SECRET", "TOKEN",
    // A setting of ours that may say a key, and settings of Redis, which people give to CONFIG SET out of habit.
    "ENCRYPTION-KEY-COMMAND", "MASTERAUTH", "REQUIREPASS", "TLS-CLIENT-KEY-FILE-PASS", "TLS-KEY-FILE-PASS",
    "TLS-KEY-PASSPHRASE",
  ])

  /// Whether a word says that what follows it is a secret.
  public static func isBeforeSecret(_ word: String) -> Bool {
    word.utf8.count <= 32 && beforeSecrets.contains(word.uppercased())
  }

  /// The name in a word such as `PASSWORD=…`, behind which a secret stands in the word itself; nil if it is none.
  public static func nameBeforeSecret(in word: String) -> String? {
    guard let end = word.utf8.prefix(33).firstIndex(where: { [UInt8(ascii: "="), UInt8(ascii: ":")].contains($0) })
    else { return nil }
    let name = String(word[..<end])
    return isBeforeSecret(name) ? name : nil
  }
}

extension CommandSpec {
  /// Whether another command begins at the third word of a request.
  public var isBeforeCommand: Bool { isPrefix || ["COMMAND|GETKEYS", "COMMAND|GETKEYSANDFLAGS"].contains(name) }
}

extension CommandTable {
  /// How many of these words stand in front of the command that they are about in the end: those of `AS token`, `MINLSN n`
  /// and `COMMAND GETKEYS`.
  public static func wordsBeforeCommand(_ words: [String]) -> Int {
    var count = 0
    while words.count > count + 2, isBeforeCommand(words[count], words[count + 1]) { count += 2 }
    return count
  }

  private static func isBeforeCommand(_ first: String, _ second: String) -> Bool {
    let names = [first.uppercased(), "\(first)|\(second)".uppercased()]
    return entries.contains { $0.isBeforeCommand && names.contains($0.name) }
  }
}
