/// A blocking client for one thread.
///
///     let client = try BlockingClient(host: "127.0.0.1", port: 6380)
///     let reply = try client.command("LOGIN.CHECK", "ana", "payroll")
///
/// Requests sent without waiting for replies form a pipeline; replies come in the same order.
public final class BlockingClient {
  /// The timeout of each wait for the server; nil waits for ever.
  public var timeout: Duration?

  private let socket: any ClientTransport
  private let isSealed: Bool
  /// Whether the server has sent anything.
  private var hasAnswer = false
  /// Whether the client itself has closed the connection.
  private var isClosed = false
  private var parser = ReplyParser()
  private var output: [UInt8] = []

  /// - Parameters:
  ///   - host: a name or an address.
  ///   - port: a TCP port.
  ///   - timeout: how long to wait for the connection, and then for each reply.
  public init(host: String, port: Int, timeout: Duration? = .seconds(5)) throws(ClientError) {
    self.timeout = timeout
    isSealed = false
    socket = try ClientSocket(host: host, port: port, deadline: Self.deadline(timeout))
  }

  /// A client over TLS or, if `tls` is nil, without.
  package init(
    host: String, port: Int, tls: TLSConnector?, timeout: Duration? = .seconds(5)
  ) throws(ClientError) {
    self.timeout = timeout
    isSealed = tls != nil
    let deadline = Self.deadline(timeout)
    let socket = try ClientSocket(host: host, port: port, deadline: deadline)
    if let tls {
      self.socket = try TLSClientSocket(socket, tls.session(to: host, room: TLSRoom()), deadline: deadline)
    } else {
      self.socket = socket
    }
  }

  // MARK: One command at a time

  /// Sends a request and waits for its reply. Push messages are dropped.
  public func command(_ words: [String]) throws(ClientError) -> RESPValue {
    send(words)
    return try reply()
  }

  public func command(_ words: String...) throws(ClientError) -> RESPValue { try command(words) }

  // MARK: Pipelines

  /// Queues a request, to be sent with the next flush.
  public func send(_ words: [String]) { RequestEncoder.append(words, to: &output) }

  /// Queues a request whose arguments are arbitrary bytes.
  public func send(bytes words: [[UInt8]]) { RequestEncoder.append(words, to: &output) }

  /// Queues raw bytes.
  public func send(raw bytes: some Sequence<UInt8>) { output.append(contentsOf: bytes) }

  /// Sends all requests, then waits for all replies.
  public func pipeline(_ requests: [[String]]) throws(ClientError) -> [RESPValue] {
    for request in requests { send(request) }
    var replies: [RESPValue] = []
    replies.reserveCapacity(requests.count)
    for _ in requests { replies.append(try reply()) }
    return replies
  }

  /// Sends everything queued. Replies that arrive meanwhile are read; otherwise both sides could block with full
  /// buffers (deadlock).
  public func flush() throws(ClientError) {
    var sent = 0
    defer { output.removeSubrange(..<sent) }
    while sent < output.count {
      let ready = try socket.wait([.readable, .writable], until: Self.deadline(timeout))
      if ready.contains(.readable) { try read() }
      if ready.contains(.writable) { sent += try socket.write(output[sent...]) }
    }
  }

  /// The next reply. Push messages are dropped.
  public func reply() throws(ClientError) -> RESPValue {
    while true {
      let value = try receive()
      if case .push = value { continue }
      return value
    }
  }

  /// The next reply or push message, after sending everything queued.
  public func receive() throws(ClientError) -> RESPValue {
    let reply = try receiveEncoded()
    do { return try reply.decoded() } catch { throw .malformedReply(error) }
  }

  /// The next reply as it was sent, after sending everything queued. Push messages are dropped.
  public func encodedReply() throws(ClientError) -> EncodedReply {
    while true {
      let reply = try receiveEncoded()
      if !reply.isPush { return reply }
    }
  }

  /// The next reply, after sending everything queued. While it waits, `goesOn` is asked several times a second, and stops
  /// it by throwing.
  package func reply(while goesOn: () throws -> Void) throws -> RESPValue {
    try flush()
    let deadline = Self.deadline(timeout)
    while true {
      while let reply = try parsed() {
        if reply.isPush { continue }
        do { return try reply.decoded() } catch { throw ClientError.malformedReply(error) }
      }
      do throws(ClientError) {
        let look = ContinuousClock.now + Self.lookPause
        _ = try socket.wait([.readable], until: deadline.map { min($0, look) } ?? look)
      } catch {
        guard error == .timedOut, deadline.map({ ContinuousClock.now < $0 }) ?? true else { throw error }
        try goesOn()
        continue
      }
      try read()
    }
  }

  private static let lookPause = Duration.milliseconds(200)

  private func receiveEncoded() throws(ClientError) -> EncodedReply {
    try flush()
    while true {
      if let value = try parsed() { return value }
      _ = try socket.wait([.readable], until: Self.deadline(timeout))
      try read()
    }
  }

  /// Everything the server sends until it closes the connection, undecoded.
  public func readToEnd() throws(ClientError) -> [UInt8] {
    try flush()
    var bytes = parser.takeRest()
    while true {
      _ = try socket.wait([.readable], until: Self.deadline(timeout))
      guard let more = try socket.read() else { return bytes }
      bytes += more
    }
  }

  /// Closes the connection; it is also closed when the client is released.
  public func close() {
    isClosed = true
    socket.close()
  }

  // MARK: Parts

  private func parsed() throws(ClientError) -> EncodedReply? {
    do { return try parser.nextEncoded() } catch { throw .malformedReply(error) }
  }

  private func read() throws(ClientError) {
    guard let bytes = try socket.read() else { throw hasAnswer || isSealed || isClosed ? .closed : .closedUnanswered }
    hasAnswer = true
    parser.append(bytes)
  }

  private static func deadline(_ timeout: Duration?) -> ContinuousClock.Instant? {
    timeout.map { ContinuousClock.now + $0 }
  }
}
