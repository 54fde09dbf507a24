import GatehouseWire

/// Shows replies to whoever reads them: a person, a program that reads lines, or one that reads JSON.
struct ReplyPrinter {
  enum Form {
    /// Numbered and quoted, as redis-cli shows replies on a terminal.
    case formatted
    /// Only the values, one a line whatever they hold.
    case plain
    case json
  }

  let form: Form
  let usesColour: Bool

  func text(_ reply: RESPValue) -> [UInt8] {
    switch form {
    case .json: return Array((reply.json() + "\n").utf8)
    case .plain: return reply.plain() + Array("\n".utf8)
    case .formatted:
      let text = reply.formatted()
      guard usesColour, reply.errorText != nil else { return Array(text.utf8) }
      return Array("\u{1B}[31m\(text.dropLast())\u{1B}[0m\n".utf8)
    }
  }

  func show(_ reply: RESPValue) { StandardStream.output(bytes: text(reply)) }
}
