/// Splits a command's words into positional words and options.
extension Turn {
  /// The words that are neither the command's name nor part of an option, in order. Options may stand between words
  /// that repeat.
  public var positional: [Int] {
    var words = Array(1..<arguments.count)
    for option in chosen {
      let first = option.word - (spec.options[option.option].isCounted ? 2 : 1)
      words.removeAll { (first..<option.word + option.count).contains($0) }
    }
    return words
  }

  /// The words after the first, which are names and values in turn.
  /// - Parameter what: what a name is called.
  func pairs(of what: String) throws(Halt) -> [(name: Int, value: Int)] {
    let words = Array(positional.dropFirst())
    guard words.count.isMultiple(of: 2) else {
      throw .refused(.syntax("every \(what) needs a value: \(what) value [\(what) value …]"))
    }
    return stride(from: 0, to: words.count, by: 2).map { (words[$0], words[$0 + 1]) }
  }

  func readOptions() throws(Halt) {
    // Server commands with free words, such as values of settings, must not swallow it.
    if spec.group == .server, Self.isToken("DRYRUN", arguments[arguments.count - 1]) {
      throw .refused(Self.nothingToTry(spec))
    }
    let given = arguments.count - 1
    guard given >= spec.required else { throw .refused(Self.wrongArity(spec)) }
    var word = 1 + spec.fixed
    var positional = spec.fixed
    while word < arguments.count {
      if let option = spec.options.firstIndex(where: { Self.isToken($0.token, arguments[word]) }) {
        word = try readOption(option, at: word)
      } else if positional < spec.positionalMost {
        guard chosen.isEmpty || spec.isVariadic else {
          throw .refused(.syntax("'\(arguments.string(word))' must stand before the options"))
        }
        // The value of a pair is not looked at: it may be spelled like an option.
        let count = min(spec.wordsOfRepetition, arguments.count - word)
        positional += count
        word += count
      } else {
        throw .refused(unknownOption(word))
      }
    }
    guard positional >= spec.required else { throw .refused(Self.wrongArity(spec)) }
    for option in spec.mandatory where !chosen.contains(where: { $0.option == option }) {
      throw .refused(.syntax("\(spec.options[option].token ?? "") is missing; usage: \(spec.usage)"))
    }
  }

  private func unknownOption(_ word: Int) -> Refusal {
    if Self.isToken("DRYRUN", arguments[word]), spec.effect == .read { return Self.nothingToTry(spec) }
    if spec.options.isEmpty { return Self.wrongArity(spec) }
    if spec.hasTypedSecrets, !Argument.everyWrite.contains(where: { Self.isToken($0.token, arguments[word]) }) {
      // It may be the rest of a password.
      return .syntax(
        "unknown option for '\(spec.name.lowercased())'; a password with spaces is one word, in quotes; usage: \(spec.usage)"
      )
    }
    let shown = String(arguments.string(word).prefix(64))
    return .syntax("unknown option '\(shown)' for '\(spec.name.lowercased())'; usage: \(spec.usage)")
  }

  private func readOption(_ option: Int, at word: Int) throws(Halt) -> Int {
    let definition = spec.options[option]
    let token = definition.token ?? ""
    if !definition.repeats, chosen.contains(where: { $0.option == option }) {
      throw .refused(.syntax("\(token) is given twice"))
    }
    var first = word + 1
    var count = definition.valueCount
    if definition.isCounted {
      guard first < arguments.count else { throw .refused(.syntax("\(token) needs a number and that many values")) }
      count = try Self.integer(arguments.string(first), token, in: 1...1_000_000)
      first += 1
    }
    guard first + count <= arguments.count else {
      throw .refused(.syntax("\(token) needs a value: \(definition.usage)"))
    }
    chosen.append(ChosenOption(option: option, word: first, count: count))
    return first + count
  }

  private static func isToken(_ token: String?, _ word: UnsafeRawBufferPointer) -> Bool {
    guard let token, token.utf8.count == word.count else { return false }
    for (index, byte) in token.utf8.enumerated() {
      let given = word[index]
      guard byte == (given &- 0x61 < 26 ? given & 0xdf : given) else { return false }
    }
    return true
  }
}
