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

  /// One command. Its error is a message of the program and goes to standard error, except where a program reads
  /// replies as JSON and can tell.
  func runOnce(_ words: [String]) throws {
    let request = words.map { Array($0.utf8) }
    let reply = Self.asText(try session.pipeline([request])[0], to: request)
    if let error = reply.errorText, printer.form != .json {
      sawError = true
      printer.tell(error)
      return
    }
    show(reply, to: request)
    if Self.startsStream(request, reply) { try showStream() }
  }

  /// One command that was typed.
  func run(_ request: [[UInt8]]) throws {
    let reply = Self.asText(try session.pipeline([request])[0], to: request)
    show(reply, to: request)
    if Self.startsStream(request, reply) { try showStream() }
  }

  /// Every line is a command. Those that are there together are sent together, so that a long file is not held up by
  /// one round trip a line.
  func runLines(of input: InputLines) throws {
    var number = 0
    while let lines = input.next() {
      var requests: [[[UInt8]]] = []
      for line in lines {
        number += 1
        guard let words = RequestLine.words(of: line) else {
          try showReplies(to: requests)
          requests = []
          StandardStream.error("gatehouse: line \(number): a quote is not closed\n")
          sawError = true
          continue
        }
        if !words.isEmpty { requests.append(words) }
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
    if reply.errorText != nil { sawError = true }
    printer.show(reply, names: names(in: reply, to: request))
  }

  /// The names beside the ids of an audit trail, for people.
  private func names(in reply: RESPValue, to request: [[UInt8]]) -> UserNames {
    guard printer.form == .readable else { return UserNames() }
    let isOnAuthority = request.first.map { String(decoding: $0, as: UTF8.self).uppercased() } == "AS"
    return UserNames(of: reply, asking: session, as: isOnAuthority ? Array(request.prefix(2)) : [])
  }

  /// RESP2 has no form of its own for a text of several lines, which is shown as such. Only what the server itself
  /// writes is taken for one: in a value of a user's, a line end is no end of a line.
  private static func asText(_ reply: RESPValue, to request: [[UInt8]]) -> RESPValue {
    guard case .bulk(let bytes) = reply else { return reply }
    let words = request.prefix(2).map { String(decoding: $0, as: UTF8.self).uppercased() }
    let isText = words.first == "INFO" || texts.contains(words)
    return isText ? .verbatim(format: "txt", bytes) : reply
  }

  private static let texts = [["CLIENT", "LIST"], ["CLIENT", "INFO"], ["MEMORY", "DOCTOR"], ["LATENCY", "DOCTOR"]]

  /// `MONITOR` is answered without end.
  private static func startsStream(_ request: [[UInt8]], _ reply: RESPValue) -> Bool {
    reply.errorText == nil && request.first.map { String(decoding: $0, as: UTF8.self).uppercased() } == "MONITOR"
  }

  private func showStream() throws {
    while true { printer.show(try session.receive()) }
  }
}
