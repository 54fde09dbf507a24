import GatehouseCore

/// The arguments of a request as `MONITOR` and `SLOWLOG` may show them: secrets redacted, long ones cut.
func shownWords(_ request: Arguments, wordLimit: Int = 128, countLimit: Int = 32) -> [String] {
  let redacted = "(redacted)"
  var secrets: Set<Int> = []
  if let commandIndex = CommandTable.index.find(request[0]) {
    let spec = CommandTable.all[commandIndex]
    secrets = spec.secrets(in: request)
    if case .prefix = spec.body, request.count > 2, let inner = CommandTable.index.find(request[2]) {
      secrets.formUnion(CommandTable.all[inner].secrets(in: request.dropping(2)).map { $0 + 2 })
    }
  }
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

extension CommandSpec {
  /// The indexes of the arguments that are secret.
  fileprivate func secrets(in request: Arguments) -> Set<Int> {
    guard case .server(.hello) = body else { return secrets }
    // The options of HELLO come in any order; each AUTH is followed by a name and a secret.
    let auth = (1..<max(1, request.count)).filter {
      request[$0].count == 4 && request.string($0).uppercased() == "AUTH"
    }
    return Set(auth.flatMap { [$0 + 1, $0 + 2] })
  }
}
