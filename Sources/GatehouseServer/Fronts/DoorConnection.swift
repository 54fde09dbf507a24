package import NIOCore
import Synchronization

/// A client's connection to a front. The front tells when it closes.
package final class DoorConnection: Sendable {
  package let id: UInt64
  package let address: SocketAddress?
  /// Whether it is over TLS.
  package let isSealed: Bool
  let key: AddressKey?
  /// The names in the client's verified certificate, known after the handshake.
  private let names = Mutex<[String]>([])

  init(id: UInt64, address: SocketAddress?, isSealed: Bool, key: AddressKey?) {
    self.id = id
    self.address = address
    self.isSealed = isSealed
    self.key = key
  }

  package var peerNames: [String] {
    get { names.withLock { $0 } }
    set { names.withLock { $0 = newValue } }
  }
}

extension CommandDoor {
  /// Counts a connection that a front has accepted; `closed` must follow.
  ///
  /// - Returns: nil if there are too many, in all or from this address.
  package func connected(from address: SocketAddress?, isSealed: Bool) -> DoorConnection? {
    facts.connectionsReceived.add(1, ordering: .relaxed)
    let settings = facts.current
    let count = facts.connectedClients.add(1, ordering: .relaxed).newValue
    let key = AddressKey(address)
    let exceeded: ClientLimit? =
      if count > settings.maxConnections {
        .maxConnections
      } else if !facts.addresses.join(
        key, most: settings.addressConnections)
      { .addressConnections } else { nil }
    if let exceeded {
      facts.connectedClients.subtract(1, ordering: .relaxed)
      facts.connectionsRejected.add(1, ordering: .relaxed)
      facts.limits.add(exceeded)
      return nil
    }
    return DoorConnection(
      id: facts.lastConnection.add(1, ordering: .relaxed).newValue, address: address, isSealed: isSealed, key: key)
  }

  package func closed(_ connection: DoorConnection) {
    facts.connectedClients.subtract(1, ordering: .relaxed)
    facts.addresses.leave(connection.key)
  }

  // MARK: TLS

  package func noteHandshake() { facts.tls.handshakes.add(1, ordering: .relaxed) }

  package func noteFailedHandshake(_ reason: String) { facts.tls.failed(reason) }
}
