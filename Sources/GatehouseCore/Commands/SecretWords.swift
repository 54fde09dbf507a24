/// Which words of a request are secret.
extension CommandSpec {
  /// The indexes of the words that are not shown. The request may be malformed: a secret that was typed and has spaces goes
  /// on in the words behind it, so these are hidden too, and so is all that follows a word like the name of an option that
  /// takes a secret.
  public func secretWords(in request: Arguments) -> Set<Int> {
    var found = secrets
    if hasTypedSecrets, let first = secrets.min() { found = Set(min(first, request.count)..<request.count) }
    if case .server(.hello) = body { hideGreeting(request, &found) }
    for option in options where option.isSecret(in: request) {
      hideWords(after: option.token ?? "", in: request, &found)
    }
    return found
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
    "APIKEY", "OTP", "PASS", "PASSWD", "PASSWORT", "PIN", "PWD", "SECRET", "TOKEN",
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
