import GatehouseCore

/// The connections that `CLIENT KILL` closes: those that match all filters.
struct ClientFilter: Sendable {
  private var id: UInt64?
  private var address: String?
  private var localAddress: String?
  private var user: String?
  /// Minimum seconds since it connected.
  private var leastAge: Int64?
  private var kind: Kind?
  private(set) var sparesCaller = true

  /// The form of `CLIENT KILL` without filters: the connection with this address.
  init(address: String) {
    self.address = address
    sparesCaller = false
  }

  /// Filters and their values in turn, from the third argument on.
  init(_ request: Arguments, _ directory: Directory) throws(Refusal) {
    for index in stride(from: 2, to: request.count, by: 2) {
      guard index + 1 < request.count else { throw .syntax("syntax error") }
      try read(request.string(index).lowercased(), request.string(index + 1), directory)
    }
  }

  private mutating func read(_ name: String, _ value: String, _ directory: Directory) throws(Refusal) {
    switch name {
    case "id":
      guard let number = UInt64(value), number > 0 else { throw .syntax("client-id should be greater than 0") }
      id = number
    case "addr": address = value
    case "laddr": localAddress = value
    case "type": kind = try Kind(value)
    case "user":
      guard value == ClientFacts.defaultUser || directory.service(named: value) != nil else {
        throw .syntax("No such user '\(value.prefix(128))'")
      }
      user = value
    case "maxage":
      guard let age = Int64(value) else { throw .syntax("maxage is not an integer or out of range") }
      guard age > 0 else { throw .syntax("maxage should be greater than 0") }
      leastAge = age
    case "skipme":
      switch value.lowercased() {
      case "yes": sparesCaller = true
      case "no": sparesCaller = false
      default: throw .syntax("syntax error")
      }
    default: throw .syntax("syntax error")
    }
  }

  /// A client type of Redis.
  enum Kind {
    case normal
    case subscriber
    /// One that no connection here has.
    case ofOtherServers

    init(_ word: String) throws(Refusal) {
      switch word.lowercased() {
      case "normal": self = .normal
      case "pubsub": self = .subscriber
      case "master", "replica", "slave": self = .ofOtherServers
      default: throw .syntax("Unknown client type '\(word.prefix(128))'")
      }
    }

    func includes(_ connection: Connection) -> Bool {
      switch self {
      case .normal: connection.subscriptions.isEmpty
      case .subscriber: !connection.subscriptions.isEmpty
      case .ofOtherServers: false
      }
    }
  }

  func includes(_ connection: Connection, at now: Milliseconds) -> Bool {
    let client = connection.client
    return (kind?.includes(connection) ?? true) && (id == nil || id == client.id)
      && (address == nil || address == client.address)
      && (localAddress == nil || localAddress == client.localAddress) && (user == nil || user == client.userName)
      && (leastAge.map { (now - client.connected) / 1000 >= $0 } ?? true)
  }
}
