import GatehouseCore
import GatehouseWire

/// What is known of a client beside its requests and replies.
struct ClientFacts: Sendable {
  let id: UInt64
  let address: String
  let localAddress: String
  let isLoopback: Bool
  /// Milliseconds of the monotonic clock, as is `lastCommand`: no setting of the clock makes a client look idle.
  let connected: Milliseconds
  var lastCommand: Milliseconds
  var name = ""
  var libraryName = ""
  var libraryVersion = ""
  /// The last command's place in the table; -1 before the first.
  var lastPlace = -1
  /// The service's name; empty where the connection is nobody's, or `local`.
  var service = ""
  var version = ProtocolVersion.resp2
  var commands: UInt64 = 0
  var inputBytes = 0
  var outputBytes = 0
  /// `CLIENT NO-EVICT` and `NO-TOUCH`: they are shown and have no other effect.
  var isNotEvicted = false
  var isNotTouching = false

  init(id: UInt64, address: String, localAddress: String, isLoopback: Bool, connected: Milliseconds) {
    self.id = id
    self.address = address
    self.localAddress = localAddress
    self.isLoopback = isLoopback
    self.connected = connected
    lastCommand = connected
  }

  /// The name under which clients know who has authenticated.
  var userName: String { service.isEmpty ? ClientFacts.defaultUser : service }

  /// Redis' name for whoever has not said who it is. Libraries that are given a secret alone authenticate with it.
  static let defaultUser = "default"
}
