package import GatehouseWire

/// A connection of a test to the server, with the requests that scenarios need.
///
/// A command is one line as a person would type it, `ok("USER.CREATE ana FIRST 'Ana Maria'")`, or a list of words, if a
/// word contains something that a line cannot: `ok("ECHO", binary)`.
package final class Client {
  private let connection: BlockingClient
  private let prefix: [String]

  package init(_ connection: BlockingClient, prefix: [String] = []) {
    self.connection = connection
    self.prefix = prefix
  }

  /// The same connection, with each command run for a session.
  package func acting(as token: String) -> Client {
    Client(connection, prefix: ["AS", token])
  }

  package func close() { connection.close() }

  /// The reply, errors included.
  package func reply(_ command: String...) throws -> RESPValue { try send(command) }

  /// The reply, which must not be an error.
  @discardableResult
  package func ok(_ command: String..., file: StaticString = #fileID, line: UInt = #line) throws -> RESPValue {
    try succeed(command, file, line)
  }

  /// The reply as text, nil for null.
  package func text(_ command: String..., file: StaticString = #fileID, line: UInt = #line) throws -> String? {
    let value = try succeed(command, file, line)
    if value.isNull { return nil }
    guard let text = value.scalarText else { throw unexpected(command, "a text", value, file, line) }
    return text
  }

  /// The whole reply as a person would read it.
  package func shown(_ command: String..., file: StaticString = #fileID, line: UInt = #line) throws -> String {
    try succeed(command, file, line).formatted()
  }

  /// Whether the reply is null; an error is none.
  package func isNull(_ command: String..., file: StaticString = #fileID, line: UInt = #line) throws -> Bool {
    try succeed(command, file, line).isNull
  }

  /// The reply as a whole number.
  package func integer(_ command: String..., file: StaticString = #fileID, line: UInt = #line) throws -> Int64 {
    let value = try succeed(command, file, line)
    guard let number = value.integer else { throw unexpected(command, "an integer", value, file, line) }
    return number
  }

  /// The reply as a map.
  @discardableResult
  package func fields(_ command: String..., file: StaticString = #fileID, line: UInt = #line) throws -> Fields {
    let value = try succeed(command, file, line)
    guard let fields = Fields(value) else { throw unexpected(command, "a map", value, file, line) }
    return fields
  }

  /// The reply as a list of maps.
  package func list(_ command: String..., file: StaticString = #fileID, line: UInt = #line) throws -> [Fields] {
    let value = try succeed(command, file, line)
    guard let items = value.elements else { throw unexpected(command, "a list", value, file, line) }
    return try items.map {
      guard let fields = Fields($0) else { throw unexpected(command, "a list of maps", value, file, line) }
      return fields
    }
  }

  /// All items of a paged list, requested until the cursor is 0.
  package func pages(_ command: String..., file: StaticString = #fileID, line: UInt = #line) throws -> [Fields] {
    var all: [Fields] = []
    var cursor = "0"
    let base = command.count == 1 ? words(of: command[0]) : command
    // A cursor that never returns to 0 is a bug of the server; do not loop for ever.
    for _ in 0..<10_000 {
      let value = try succeed(cursor == "0" ? base : base + ["CURSOR", cursor], file, line)
      guard let page = value.elements, page.count == 2, let next = page[0].scalarText,
        let items = page[1].elements
      else { throw unexpected(base, "[cursor, items]", value, file, line) }
      for item in items {
        guard let fields = Fields(item) else { throw unexpected(base, "maps as items", item, file, line) }
        all.append(fields)
      }
      if next == "0" { return all }
      cursor = next
    }
    throw TestFailure("\(base.joined(separator: " ")): the cursor never came back to 0", file: file, line: line)
  }

  /// The text of the error with which the command must be answered; it must start with `start`.
  @discardableResult
  package func refused(
    _ command: String..., with start: String, file: StaticString = #fileID, line: UInt = #line
  ) throws -> String {
    let value = try send(command)
    guard let text = value.errorText else { throw unexpected(command, "the error \(start)", value, file, line) }
    guard text.hasPrefix(start) else {
      throw TestFailure(
        "\(joined(command)): expected an error that starts with “\(start)”, got “\(text)”", file: file, line: line)
    }
    return text
  }

  /// Sends all commands at once and returns their replies in order.
  package func pipeline(_ commands: [[String]]) throws -> [RESPValue] {
    try connection.pipeline(commands.map { prefix + $0 })
  }

  // MARK: -

  private func send(_ command: [String]) throws -> RESPValue {
    try connection.command(prefix + (command.count == 1 ? words(of: command[0]) : command))
  }

  private func succeed(_ command: [String], _ file: StaticString, _ line: UInt) throws -> RESPValue {
    let value = try send(command)
    if let error = value.errorText {
      throw TestFailure("\(joined(command)) was answered with the error “\(error)”", file: file, line: line)
    }
    return value
  }

  private func unexpected(
    _ command: [String], _ expected: String, _ value: RESPValue, _ file: StaticString, _ line: UInt
  ) -> TestFailure {
    TestFailure("\(joined(command)): expected \(expected), got \(value.formatted())", file: file, line: line)
  }

  private func joined(_ command: [String]) -> String { (prefix + command).joined(separator: " ") }
}
