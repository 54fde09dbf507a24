import GatehouseCore

/// The arguments of a request as `MONITOR` and `SLOWLOG` may show them: secrets redacted, long ones cut.
func shownWords(_ request: Arguments, wordLimit: Int = 128, countLimit: Int = 32) -> [String] {
  let redacted = "(redacted)"
  let secrets = secretWords(in: request)
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

/// The indexes of the arguments that are or may be secret.
private func secretWords(in request: Arguments) -> Set<Int> {
  // A command whose name has a typing error may be one with a password.
  guard let commandIndex = CommandTable.index.find(request[0]) else { return words(of: request, from: 1) }
  let spec = CommandTable.all[commandIndex]
  guard request.count > 2, spec.isBeforeCommand(request) else { return spec.secretWords(in: request) }
  return spec.secretWords(in: request).union(secretWords(in: request.dropping(2)).map { $0 + 2 })
}

private func words(of request: Arguments, from first: Int) -> Set<Int> {
  Set(min(first, request.count)..<request.count)
}

extension CommandSpec {
  /// Whether another command begins at the third word, as after `AS token` and `COMMAND GETKEYS`.
  fileprivate func isBeforeCommand(_ request: Arguments) -> Bool {
    isPrefix || name == "COMMAND" && ["GETKEYS", "GETKEYSANDFLAGS"].contains(request.string(1).uppercased())
  }
}
