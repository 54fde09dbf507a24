/// Which words of a request are secret.
extension CommandSpec {
  /// The indexes of the words that are not shown. The request may be malformed: a secret that was typed and has spaces goes
  /// on in the words behind it, so these are hidden too, and so is all that follows a word like the name of an option that
  /// takes a secret.
  public func secretWords(in request: Arguments) -> Set<Int> {
    var found = secrets
    if hasTypedSecrets, let first = secrets.min() { found = Set(min(first, request.count)..<request.count) }
    // The options of HELLO come in any order. AUTH is followed by a name and a secret.
    if case .server(.hello) = body { hideWords(after: "AUTH", in: request, &found) }
    for option in options where option.isSecret(in: request) {
      hideWords(after: option.token ?? "", in: request, &found)
    }
    return found
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
