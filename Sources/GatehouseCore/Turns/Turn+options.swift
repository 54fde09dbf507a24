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

  func readOptions() throws(Halt) { try spec.readOptions(of: arguments, into: &chosen) }
}

extension CommandSpec {
  /// Whether a request has as many words as the command takes, and only options that it has. What they say is not looked
  /// at.
  public func takes(_ request: Arguments) -> Bool {
    if request.count - 1 == required, mandatory.isEmpty { return true }
    var chosen: ContiguousArray<Turn.ChosenOption> = []
    do throws(Halt) { try readOptions(of: request, into: &chosen) } catch { return false }
    return true
  }

  /// Finds the options among a request's words.
  ///
  /// - Throws: why it is none of the command.
  fileprivate func readOptions(
    of arguments: Arguments, into chosen: inout ContiguousArray<Turn.ChosenOption>
  ) throws(Halt) {
    // Server commands with free words, such as values of settings, must not swallow it.
    if group == .server, Self.isToken("DRYRUN", arguments[arguments.count - 1]) {
      throw .refused(Turn.nothingToTry(self))
    }
    let given = arguments.count - 1
    guard given >= required else { throw .refused(Turn.wrongArity(self)) }
    var word = 1 + fixed
    var positional = fixed
    while word < arguments.count {
      if let option = tokens.firstIndex(where: { Self.isToken($0, arguments[word]) }) {
        word = try readOption(option, at: word, of: arguments, into: &chosen)
      } else if effect == .write, Self.isToken("IFVERSION", arguments[word]) {
        throw .refused(.syntax("IFVERSION has no meaning here: \(name) is not about one thing with a version"))
      } else if positional < positionalMost {
        guard chosen.isEmpty || isVariadic else {
          guard !isSecret(word, of: arguments) else { throw .refused(unknownOption(arguments, word)) }
          throw .refused(.syntax("'\(arguments.string(word))' must stand before the options"))
        }
        // The value of a pair is not looked at: it may be spelled like an option.
        let count = min(wordsOfRepetition, arguments.count - word)
        positional += count
        word += count
      } else {
        throw .refused(unknownOption(arguments, word))
      }
    }
    guard positional >= required else { throw .refused(Turn.wrongArity(self)) }
    for option in mandatory where !chosen.contains(where: { $0.option == option }) {
      let token = options[option].token ?? ""
      throw .refused(.syntax("\(token) is missing; usage: \(usage)", of: token))
    }
  }

  private func unknownOption(_ arguments: Arguments, _ word: Int) -> Refusal {
    if Self.isToken("DRYRUN", arguments[word]), effect == .read { return Turn.nothingToTry(self) }
    if options.isEmpty { return Turn.wrongArity(self) }
    if isSecret(word, of: arguments), !Argument.everyWrite.contains(where: { Self.isToken($0.token, arguments[word]) })
    {
      // It may be the rest of a password.
      return .syntax(
        "unknown option for '\(name.lowercased())'; a password with spaces is one word, in quotes; usage: \(usage)"
      )
    }
    let given = arguments.string(word)
    let shown = CommandSpec.nameBeforeSecret(in: given) ?? String(given.prefix(64))
    return .syntax("unknown option '\(shown)' for '\(name.lowercased())'; usage: \(usage)")
  }

  /// Whether a word may be a secret or a part of one, which no error repeats.
  private func isSecret(_ word: Int, of arguments: Arguments) -> Bool {
    secretWords(in: arguments).contains(word)
  }

  private func readOption(
    _ option: Int, at word: Int, of arguments: Arguments, into chosen: inout ContiguousArray<Turn.ChosenOption>
  ) throws(Halt) -> Int {
    let definition = options[option]
    let token = definition.token ?? ""
    if !definition.repeats, chosen.contains(where: { $0.option == option }) {
      throw .refused(.syntax("\(token) is given twice", of: token))
    }
    var first = word + 1
    var count = definition.valueCount
    if definition.isCounted {
      guard first < arguments.count, !isSecret(first, of: arguments) || Self.isNumber(arguments[first]) else {
        throw .refused(.syntax("\(token) needs a number and that many values", of: token))
      }
      count = try Turn.integer(arguments.string(first), token, in: 1...1_000_000)
      first += 1
    }
    guard first + count <= arguments.count else {
      throw .refused(.syntax("\(token) needs a value: \(definition.usage)", of: token))
    }
    chosen.append(Turn.ChosenOption(option: option, word: first, count: count))
    return first + count
  }

  private static func isNumber(_ word: UnsafeRawBufferPointer) -> Bool {
    !word.isEmpty && word.allSatisfy { $0 &- 0x30 < 10 }
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
