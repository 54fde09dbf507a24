import GatehouseWire

/// Prepares a server for loading or measuring.
struct SetUp {
  let address: ServerAddress

  /// Sends requests one after the other over a connection of its own, and throws at the first error.
  ///
  /// - Parameter tolerating: the error code that means "exists already".
  private func send(_ requests: [[String]], tolerating: String? = nil) throws {
    let client = try BlockingClient(host: address.host, port: address.port, tls: address.tls)
    defer { client.close() }
    for request in requests {
      guard let error = try client.command(request).errorText else { continue }
      if let tolerating, error.hasPrefix(tolerating) { continue }
      throw BenchError("\(request[0]): \(error)")
    }
  }

  func makeProducts() throws {
    try send(Population.products.map { ["PRODUCT.CREATE", $0] }, tolerating: "CONFLICT")
  }

  func loadFunction() throws {
    try send([["FUNCTION", "LOAD", "REPLACE", RedisFunction.library]])
  }

  /// Creates sessions in Gatehouse and returns their tokens.
  func makeSessions(_ count: Int, users: Int, fleet: Fleet, connections: Int) throws -> [String] {
    let sources = (0..<connections).map {
      SessionSource(sessions: count, users: users, connection: $0, of: connections)
    }
    let result = try fleet.run(sources)
    if result.measurement.errors > 0 {
      throw BenchError("making sessions: \(result.measurement.firstError ?? "")")
    }
    let tokens = result.sources.flatMap(\.tokens)
    guard tokens.count == count else {
      throw BenchError("\(count) sessions were made, but \(tokens.count) answers had a token")
    }
    return tokens
  }
}
