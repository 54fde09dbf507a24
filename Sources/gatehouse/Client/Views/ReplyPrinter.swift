import GatehouseWire

/// Prints replies for a person, for a program that reads lines, or for one that reads JSON.
struct ReplyPrinter {
  enum Form {
    /// For a person at a terminal: tables, aligned pairs, local time.
    case readable
    /// Numbered and quoted, as redis-cli shows replies on a terminal.
    case formatted
    /// Only the values, each on one line, with line ends escaped.
    case raw
    case json
  }

  let form: Form
  let style: TextStyle

  /// - Parameter names: names of the users whose ids are in the reply, for the readable form.
  func text(_ reply: RESPValue, names: UserNames = UserNames()) -> [UInt8] {
    switch form {
    case .json: return Array((reply.json() + "\n").utf8)
    case .raw: return reply.plain() + Array("\n".utf8)
    case .readable:
      let view = ReplyView(style: style, width: TerminalWidth.current, names: names)
      return Array((view.lines(of: reply).joined(separator: "\n") + "\n").utf8)
    case .formatted:
      let text = reply.formatted()
      guard reply.errorText != nil else { return Array(text.utf8) }
      return Array((style.bad(String(text.dropLast())) + "\n").utf8)
    }
  }

  func show(_ reply: RESPValue, names: UserNames = UserNames()) {
    StandardStream.output(bytes: text(reply, names: names))
  }

  /// Prints an error reply as a message of the program.
  func tell(_ error: String) {
    guard form == .readable else { return StandardStream.message(error) }
    StandardStream.error(ReplyView(style: style, width: 0).lines(of: .error(error)).joined() + "\n")
  }
}
