import GatehouseCore

/// The words of a request as `MONITOR` and `SLOWLOG` may show them: secrets replaced, long ones cut.
func shownWords(_ request: Arguments, wordLimit: Int = 128, countLimit: Int = 32) -> [String] {
  let redacted = "(redacted)"
  var first = 0
  var secrets: Set<Int> = []
  if let place = CommandTable.index.find(request[0]) {
    var spec = CommandTable.all[place]
    secrets = spec.secrets
    if case .prefix = spec.body, request.count > 2, let inner = CommandTable.index.find(request[2]) {
      spec = CommandTable.all[inner]
      first = 2
      secrets.formUnion(spec.secrets.map { $0 + first })
    }
  }
  var words: [String] = []
  for index in 0..<min(request.count, countLimit) {
    if secrets.contains(index) {
      words.append(redacted)
      continue
    }
    let word = request[index]
    // A token is a secret wherever it stands.
    if SecretText.session(of: word) != nil {
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
