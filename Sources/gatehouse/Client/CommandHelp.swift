/// What `COMMAND DOCS` says about one command.
struct CommandHelp: Equatable, Sendable {
  var name: String
  var summary = ""
  var arguments: [ArgumentHelpNode] = []
  var subcommands: [CommandHelp] = []
}

/// One argument of a command, or a group of them, as `COMMAND DOCS` describes it.
struct ArgumentHelpNode: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    case value
    /// The token alone, without a value.
    case token
    /// One of the children.
    case oneOf
    /// All of the children.
    case block
  }

  var name: String
  var kind = Kind.value
  /// The word before the argument: `REASON` in `REASON text`.
  var token: String?
  var isOptional = false
  var isMultiple = false
  /// Whether the token is repeated with each value.
  var repeatsToken = false
  var children: [ArgumentHelpNode] = []

  /// Whether it is identified by its position alone.
  var isPositional: Bool { token == nil && kind == .value }

  /// All tokens in it.
  var tokens: [String] { (token.map { [$0] } ?? []) + children.flatMap(\.tokens) }

  /// `user`, `[REASON text]`, `[PRODUCT p ...]`, `ADMIN|REGULAR`.
  var usage: String {
    let value: String? =
      switch kind {
      case .value: name
      case .token: nil
      case .oneOf: children.map(\.usage).joined(separator: "|")
      case .block: children.map(\.usage).joined(separator: " ")
      }
    var text = [token, value].compactMap(\.self).joined(separator: " ")
    if isMultiple {
      text += repeatsToken || token == nil ? " [\(text) ...]" : " [\(value ?? "") ...]"
    }
    return isOptional ? "[\(text)]" : text
  }
}

extension CommandHelp {
  /// Name and arguments on one line.
  var usage: String { ([name] + arguments.map(\.usage)).joined(separator: " ") }

  /// What may still follow after `words`: positional arguments that are not given yet, and options whose token is not
  /// there yet.
  func remainingUsage(after words: [String]) -> String {
    let given = Set(words.map { $0.uppercased() })
    var places = words.count
    var left: [String] = []
    for argument in arguments {
      if argument.isPositional, places > 0, !argument.isMultiple {
        places -= 1
        continue
      }
      let isGiven = argument.tokens.contains { given.contains($0.uppercased()) }
      if !isGiven || argument.isMultiple { left.append(argument.usage) }
    }
    return left.joined(separator: " ")
  }
}
