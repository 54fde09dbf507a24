import GatehouseCore

/// The arguments of a request as `MONITOR` and `SLOWLOG` may show them: secrets redacted, long ones cut.
///
/// - Parameter areTyped: whether somebody typed them, who may have put a password where a name belongs. Then of a command
///   that takes a password nothing but its name is shown.
func shownWords(
  _ request: Arguments, wordLimit: Int = 128, countLimit: Int = 32, areTyped: Bool = true
) -> [String] {
  let redacted = "(redacted)"
  let secrets = secretWords(in: request, areTyped)
  var words: [String] = []
  for index in 0..<min(request.count, countLimit) {
    if secrets.contains(index) {
      words.append(redacted)
      continue
    }
    let word = request[index]
    // A token or a service's secret is redacted wherever it stands.
    if SecretText.isLike(word) {
      words.append(redacted)
    } else if let address = SecretAddress.shown(String(decoding: word, as: UTF8.self)) {
      words.append(String(address.prefix(wordLimit)))
    } else if word.count > wordLimit {
      words.append(
        String(decoding: word.prefix(wordLimit), as: UTF8.self) + "... (\(word.count - wordLimit) more bytes)")
    } else {
      words.append(String(decoding: word, as: UTF8.self))
    }
  }
  if request.count > countLimit { words.append("... (\(request.count - countLimit) more arguments)") }
  return words
}

/// The indexes of the arguments that are or may be secret. Of a request that no command takes as it is, nothing but the
/// command's name is shown: what is misplaced may be a password, and so may be what stands where a name should.
private func secretWords(in request: Arguments, _ areTyped: Bool) -> Set<Int> {
  guard let commandIndex = CommandTable.index.find(request[0]) else { return words(of: request, from: 0) }
  var spec = CommandTable.entries[commandIndex]
  if spec.isPrefix { return behind(spec, in: request, areTyped) }
  if !spec.subcommands.isEmpty, request.count > 1 {
    guard let subcommand = CommandTable.index.find(request[1], of: commandIndex) else {
      return words(of: request, from: 1)
    }
    spec = CommandTable.entries[subcommand]
    if spec.isBeforeCommand { return behind(spec, in: request, areTyped) }
  }
  guard spec.takes(request), !areTyped || !spec.hasTypedSecrets else { return words(of: request, from: spec.nameWords) }
  let known = spec.secretWords(in: request)
  return known.union(wordsOfSecret(in: request, besides: known))
}

/// … where another command begins at the third word, as after `AS token` and `COMMAND GETKEYS`.
private func behind(_ spec: CommandSpec, in request: Arguments, _ areTyped: Bool) -> Set<Int> {
  guard request.count > 2 else { return words(of: request, from: spec.nameWords) }
  return spec.secretWords(in: request).union(secretWords(in: request.dropping(2), areTyped).map { $0 + 2 })
}

/// All words from one on that looks like an option with a secret written as in other programs, `PASSWORD=…`, and all behind
/// a word such as `password`.
private func wordsOfSecret(in request: Arguments, besides known: Set<Int>) -> Set<Int> {
  for index in 1..<max(1, request.count) where !known.contains(index) {
    let word = String(decoding: request[index].prefix(64), as: UTF8.self)
    if CommandSpec.nameBeforeSecret(in: word) != nil { return words(of: request, from: index) }
    if CommandSpec.isBeforeSecret(word) { return words(of: request, from: index + 1) }
  }
  return []
}

private func words(of request: Arguments, from first: Int) -> Set<Int> {
  Set(min(first, request.count)..<request.count)
}

extension CommandSpec {
  /// How many words its name has.
  fileprivate var nameWords: Int { name.contains("|") ? 2 : 1 }
}
