import GatehouseCore
import GatehouseWire

/// Sends commands and shows their replies.
final class CommandRunner {
  private let session: ServerSession
  private let printer: ReplyPrinter
  private(set) var sawError = false

  init(session: ServerSession, printer: ReplyPrinter) {
    self.session = session
    self.printer = printer
  }

  /// Runs one command from the command line. An error reply goes to standard error, except with `--json`, where a
  /// program can tell it from other replies.
  func runOnce(_ words: [String]) throws {
    let request = words.map { Array($0.utf8) }
    if Self.asksForMessages(request) { return try showMessages(request) }
    let reply = Self.asText(try session.pipeline([request])[0], to: request)
    if let error = reply.errorText, printer.form != .json {
      sawError = true
      printer.tell(error)
      tellUsage(after: error, to: request)
      return
    }
    show(reply, to: request)
    if Self.startsStream(request, reply) { try showStream() }
  }

  /// Runs one command typed at the prompt.
  func run(_ request: [[UInt8]]) throws {
    if Self.asksForMessages(request) { return try showMessages(request) }
    let reply = Self.asText(try session.pipeline([request])[0], to: request)
    show(reply, to: request)
    if Self.startsStream(request, reply) { try showStream() }
  }

  /// Runs each line as a command. Lines that arrive together are sent as a pipeline, so that a long file does not cost
  /// a round trip per line.
  func runLines(of input: InputLines) throws {
    var number = 0
    while let lines = input.next() {
      var requests: [[[UInt8]]] = []
      for line in lines {
        number += 1
        guard let words = RequestLine.words(of: line) else {
          try showReplies(to: requests)
          requests = []
          StandardStream.error("gatehouse: line \(number): \(RequestLine.openQuote)\n")
          sawError = true
          continue
        }
        if Self.asksForMessages(words) {
          try showReplies(to: requests)
          requests = []
          try showMessages(words)
        } else if !words.isEmpty {
          requests.append(words)
        }
      }
      try showReplies(to: requests)
    }
  }

  private func showReplies(to requests: [[[UInt8]]]) throws {
    guard !requests.isEmpty else { return }
    for (reply, request) in zip(try session.pipeline(requests), requests) {
      show(Self.asText(reply, to: request), to: request)
    }
  }

  private func show(_ reply: RESPValue, to request: [[UInt8]]) {
    printer.show(reply, names: names(in: reply, to: request))
    guard let error = reply.errorText else { return }
    sawError = true
    tellUsage(after: error, to: request)
  }

  /// Says what a command takes, to who has given it too few or too many words.
  private func tellUsage(after error: String, to request: [[UInt8]]) {
    guard printer.form != .json, error.hasPrefix("ERR wrong number of arguments") else { return }
    let words = request.map { String(decoding: $0, as: UTF8.self) }
    let command = Array(words.dropFirst(CommandTable.wordsBeforeCommand(words)))
    guard let name = command.first, let docs = try? session.command(["COMMAND", "DOCS", name]),
      let (help, _) = CommandCatalogue(docs: docs).command(of: command)
    else { return }
    StandardStream.error("usage: \(help.usage)\n")
  }

  /// The names to show beside the ids of an audit trail, for the readable form.
  private func names(in reply: RESPValue, to request: [[UInt8]]) -> UserNames {
    guard printer.form == .readable else { return UserNames() }
    let isOnAuthority = request.first.map { String(decoding: $0, as: UTF8.self).uppercased() } == "AS"
    return UserNames(of: reply, asking: session, as: isOnAuthority ? Array(request.prefix(2)) : [])
  }

  /// RESP2 has no type for a text of several lines, so this marks such replies to be shown with their line ends. Only
  /// texts that the server itself writes are marked; a line end in a user's value is escaped.
  private static func asText(_ reply: RESPValue, to request: [[UInt8]]) -> RESPValue {
    guard case .bulk(let bytes) = reply else { return reply }
    let words = request.prefix(2).map { String(decoding: $0, as: UTF8.self).uppercased() }
    let isText = words.first == "INFO" || texts.contains(words)
    return isText ? .verbatim(format: "txt", bytes) : reply
  }

  private static let texts = [["CLIENT", "LIST"], ["CLIENT", "INFO"], ["MEMORY", "DOCTOR"], ["LATENCY", "DOCTOR"]]

  /// `MONITOR` sends replies without end.
  private static func startsStream(_ request: [[UInt8]], _ reply: RESPValue) -> Bool {
    reply.errorText == nil && request.first.map { String(decoding: $0, as: UTF8.self).uppercased() } == "MONITOR"
  }

  private func showStream() throws {
    while true { printer.show(try session.receive()) }
  }

  /// Whether the replies to a request are messages, one for each name, and others may follow.
  private static func asksForMessages(_ request: [[UInt8]]) -> Bool {
    let word = request.first.map { String(decoding: $0, as: UTF8.self).uppercased() } ?? ""
    return ["SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE"].contains(word)
  }

  /// Shows the messages that follow a request: all if it begins a subscription, else one for each name.
  private func showMessages(_ request: [[UInt8]]) throws {
    try session.send(request)
    let reply = try session.receive()
    if let error = reply.errorText, printer.form != .json {
      sawError = true
      return printer.tell(error)
    }
    show(reply, to: request)
    if reply.errorText != nil { return }
    let begins = reply.elements?.first?.string?.hasSuffix("unsubscribe") == false
    if begins { try showStream() }
    for _ in request.dropFirst(2) { printer.show(try session.receive()) }
  }
}
