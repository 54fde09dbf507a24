import GatehouseCore

/// The connections that `CLIENT KILL` closes: those that match all filters.
struct ClientFilter: Sendable {
  private var id: UInt64?
  private var address: String?
  private var localAddress: String?
  private var user: String?
  /// Minimum seconds since it connected.
  private var leastAge: Int64?
  private var isOfOtherKind = false
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
    case "type": isOfOtherKind = try !Self.isNormal(type: value)
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

  /// Whether a client type is that of all connections here. The other types are Redis', and no connection here has
  /// them.
  static func isNormal(type: String) throws(Refusal) -> Bool {
    switch type.lowercased() {
    case "normal": return true
    case "master", "replica", "slave", "pubsub": return false
    default: throw .syntax("Unknown client type '\(type.prefix(128))'")
    }
  }

  func includes(_ client: ClientFacts, at now: Milliseconds) -> Bool {
    !isOfOtherKind && (id == nil || id == client.id) && (address == nil || address == client.address)
      && (localAddress == nil || localAddress == client.localAddress) && (user == nil || user == client.userName)
      && (leastAge.map { (now - client.connected) / 1000 >= $0 } ?? true)
  }
}
