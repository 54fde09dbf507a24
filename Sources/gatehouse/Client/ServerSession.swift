import GatehouseWire

/// A connection that authenticates itself, and reconnects when next needed after it was lost.
final class ServerSession {
  /// The server refused the client.
  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  let host: String
  let port: Int
  private let credentials: Credentials?
  private let speaksRESP2: Bool
  private let tls: TLSConnector?
  private var client: BlockingClient?

  init(host: String, port: Int, credentials: Credentials?, speaksRESP2: Bool, tls: TLSConnector? = nil) {
    self.host = host
    self.port = port
    self.credentials = credentials
    self.speaksRESP2 = speaksRESP2
    self.tls = tls
  }

  var isConnected: Bool { client != nil }

  /// Whether the server wants `AUTH` first, and is greeted after it.
  private var isToBeGreeted = false

  func connect() throws {
    if client != nil { return }
    let client = try BlockingClient(host: host, port: port, tls: tls)
    for request in greeting {
      let reply = try client.command(request)
      if let error = reply.errorText {
        // Without credentials, a server that requires them still answers some commands, such as AUTH.
        if credentials == nil, error.hasPrefix("NOAUTH") {
          isToBeGreeted = true
          break
        }
        throw Refusal(description: error)
      }
    }
    // A command may take long (such as a feed waiting for news), so only the greeting has a timeout.
    client.timeout = nil
    self.client = client
  }

  private var greeting: [[String]] {
    let name = "gatehouse-cli"
    if speaksRESP2 {
      let authentication = credentials.map { [["AUTH", $0.name, $0.secret]] } ?? []
      return authentication + [["CLIENT", "SETNAME", name]]
    }
    let authentication = credentials.map { ["AUTH", $0.name, $0.secret] } ?? []
    return [["HELLO", "3"] + authentication + ["SETNAME", name]]
  }

  func command(_ words: [String]) throws -> RESPValue {
    try pipeline([words.map { Array($0.utf8) }])[0]
  }

  /// Sends all requests as a pipeline and waits for all replies.
  func pipeline(_ requests: [[[UInt8]]]) throws -> [RESPValue] {
    try connect()
    return try forgettingOnFailure { client in
      for request in requests { client.send(bytes: request) }
      let replies = try requests.map { _ in advised(try client.reply()) }
      if isToBeGreeted, zip(requests, replies).contains(where: Self.isAuthenticated) {
        isToBeGreeted = false
        for request in greeting { _ = try client.command(request) }
      }
      return replies
    }
  }

  /// Says where the client takes a secret from, where the server asks for one and there is none.
  private func advised(_ reply: RESPValue) -> RESPValue {
    guard credentials == nil, let error = reply.errorText, error.hasPrefix("NOAUTH") else { return reply }
    let what = error.hasSuffix(".") ? String(error.dropLast()) : error
    return .error(
      what + "; set GATEHOUSE_AUTH=name:secret, or give --user and --password-file; in a shell, AUTH name secret")
  }

  private static func isAuthenticated(_ request: [[UInt8]], _ reply: RESPValue) -> Bool {
    request.first.map { String(decoding: $0, as: UTF8.self).uppercased() == "AUTH" } ?? false && reply.errorText == nil
  }

  /// Sends a request whose replies are messages, which `receive` returns.
  func send(_ request: [[UInt8]]) throws {
    try connect()
    try forgettingOnFailure { $0.send(bytes: request) }
  }

  /// The next message of a stream.
  func receive() throws -> RESPValue {
    try connect()
    return try forgettingOnFailure { try $0.receive() }
  }

  func disconnect() {
    client?.close()
    client = nil
  }

  /// After a failure it is unknown which reply comes next, so the connection is dropped.
  private func forgettingOnFailure<Result>(_ body: (BlockingClient) throws -> Result) throws -> Result {
    guard let client else { throw ClientError.closed }
    do {
      return try body(client)
    } catch {
      disconnect()
      throw error
    }
  }
}
