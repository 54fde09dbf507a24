import GatehouseCore
import GatehouseWire

/// What is known about a client besides its requests and replies.
struct ClientFacts: Sendable {
  let id: UInt64
  let address: String
  let localAddress: String
  let isLoopback: Bool
  /// Where it comes from, as far as limits are concerned.
  let peer: AddressKey?
  /// Milliseconds of the monotonic clock, like `lastCommand`: setting the wall clock must not make a client look idle.
  let connected: Milliseconds
  var lastCommand: Milliseconds
  var name = ""
  var libraryName = ""
  var libraryVersion = ""
  /// The index of the last command in the command table; -1 before the first.
  var lastCommandIndex = -1
  /// The service's name; empty if the connection has not authenticated or uses the `local` service.
  var service = ""
  var version = ProtocolVersion.resp2
  var commands: UInt64 = 0
  var inputBytes = 0
  var outputBytes = 0
  /// `CLIENT NO-EVICT` and `CLIENT NO-TOUCH`: shown in the client's flags, with no other effect.
  var isNotEvicted = false
  var isNotTouching = false

  init(
    id: UInt64, address: String, localAddress: String, isLoopback: Bool, peer: AddressKey? = nil,
    connected: Milliseconds
  ) {
    self.id = id
    self.address = address
    self.localAddress = localAddress
    self.isLoopback = isLoopback
    self.peer = peer
    self.connected = connected
    lastCommand = connected
  }

  /// The user name that `CLIENT LIST` shows.
  var userName: String { service.isEmpty ? ClientFacts.defaultUser : service }

  /// Redis' name for an unauthenticated client. Libraries that are given only a password authenticate with it.
  static let defaultUser = ServiceIdentity.defaultName
}
