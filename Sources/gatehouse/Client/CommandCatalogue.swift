import GatehouseCore

/// The commands of the connected server, from which completion, hints and the filter of the history are derived.
struct CommandCatalogue: Sendable {
  private let commands: [String: CommandHelp]
  let names: [String]

  init(_ commands: [CommandHelp]) {
    self.commands = Dictionary(commands.map { ($0.name.uppercased(), $0) }, uniquingKeysWith: { first, _ in first })
    self.names = self.commands.keys.sorted()
  }

  /// The command at the start of `words`, and the words after its name.
  ///
  /// `AS token COMMAND …` and the like yield the command inside, and `CLIENT LIST` the subcommand.
  func command(of words: [String]) -> (help: CommandHelp, arguments: [String])? {
    let words = Array(words.dropFirst(CommandTable.wordsBeforeCommand(words)))
    guard let first = words.first else { return nil }
    guard let help = commands[first.uppercased()] else { return nil }
    if words.count >= 2,
      let sub = help.subcommands.first(where: { Self.lastPart($0.name) == words[1].uppercased() })
    {
      return (sub, Array(words.dropFirst(2)))
    }
    return (help, Array(words.dropFirst()))
  }

  /// What may follow the complete words of a line, as in the reference; nil for unknown commands.
  func hint(after words: [String]) -> String? {
    guard let (help, arguments) = command(of: words) else { return nil }
    if help.arguments.isEmpty, arguments.isEmpty, !help.subcommands.isEmpty {
      return help.subcommands.map { Self.lastPart($0.name) }.joined(separator: "|")
    }
    let rest = help.remainingUsage(after: arguments)
    return rest.isEmpty ? nil : rest
  }

  /// The words that may complete `prefix`, after the complete words `before`.
  func completions(of prefix: String, after before: [String]) -> [String] {
    let wanted = prefix.uppercased()
    return candidates(after: before).filter { $0.hasPrefix(wanted) }
  }

  private func candidates(after before: [String]) -> [String] {
    if before.isEmpty { return names }
    let first = before[0].uppercased()
    if before.count == 1, first == "HELP" { return names }
    if CommandTable.wordsBeforeCommand(before + [""]) == before.count { return names }
    guard let (help, arguments) = command(of: before) else { return [] }
    if arguments.isEmpty, !help.subcommands.isEmpty { return help.subcommands.map { Self.lastPart($0.name) }.sorted() }
    let given = Set(arguments.map { $0.uppercased() })
    return help.arguments
      .filter { $0.isMultiple || !$0.tokens.contains { given.contains($0.uppercased()) } }
      .flatMap(\.tokens).map { $0.uppercased() }.sorted()
  }

  /// Subcommands are named `client|list`.
  private static func lastPart(_ name: String) -> String {
    String(name.split(separator: "|").last ?? "").uppercased()
  }
}
