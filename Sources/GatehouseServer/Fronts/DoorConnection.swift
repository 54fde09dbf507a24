package import GatehouseCore
package import NIOCore
import Synchronization

/// A client's connection to a front. The front tells when it closes.
package final class DoorConnection: Sendable {
  package let id: UInt64
  package let address: SocketAddress?
  /// Whether it is over TLS.
  package let isSealed: Bool
  let key: AddressKey?
  /// Whether it is that of a proxy in front of many clients (`http-proxies`).
  package let isOfProxy: Bool
  /// The names in the client's verified certificate, known after the handshake.
  private let names = Mutex<[String]>([])
  /// Bytes that have arrived since the last request began, and those of the request at hand.
  private let received = Atomic<Int>(0)
  private let requestBytes = Atomic<Int>(0)
  private let rate = Mutex(RequestRate())
  /// The service that has authenticated on it last, and counts it as its own.
  private let service = Mutex<(id: ServiceID, use: ServiceUse)?>(nil)

  init(id: UInt64, address: SocketAddress?, isSealed: Bool, key: AddressKey?, isOfProxy: Bool) {
    self.id = id
    self.address = address
    self.isSealed = isSealed
    self.key = key
    self.isOfProxy = isOfProxy
  }

  package var peerNames: [String] {
    get { names.withLock { $0 } }
    set { names.withLock { $0 = newValue } }
  }

  /// Bytes of requests have arrived.
  package func received(_ count: Int) { received.add(count, ordering: .relaxed) }
}

// MARK: Rates

extension DoorConnection {
  /// The bytes of the request at hand.
  fileprivate func measure() -> Int {
    let size = received.exchange(0, ordering: .relaxed)
    requestBytes.store(size, ordering: .relaxed)
    return size
  }

  /// Counts a request, unless it would exceed the connection's limits.
  fileprivate func take(_ size: Int, of most: RequestRate.Most, at now: Milliseconds) -> RequestRate.Excess? {
    most == .none ? nil : rate.withLock { $0.take(size, of: most, at: now) }
  }

  /// Counts the request at hand, and the connection, as a service's.
  ///
  /// - Parameter connections: how many a service may have that has no limit of its own.
  /// - Returns: the limit that this would exceed.
  fileprivate func take(
    _ service: ServiceIdentity, _ uses: ServiceUses, connections: @autoclosure () -> Int, at now: Milliseconds
  ) -> (limit: ClientLimit, most: Int)? {
    let limits = service.limits
    let use = uses[service.id]
    let isOther = self.service.withLock { $0?.id != service.id }
    if isOther {
      let most = limits.connections > 0 ? Int(limits.connections) : connections()
      guard use.join(most: most) else { return (.serviceConnections, most) }
      leave()
      self.service.withLock { $0 = (service.id, use) }
    }
    let most = RequestRate.Most(commands: Int(limits.commands), bytes: Int(limits.bytes))
    let size = requestBytes.load(ordering: .relaxed)
    return switch most == .none ? nil : use.take(size, of: most, at: now) {
    case .commands: (.serviceCommands, most.commands)
    case .bytes: (.serviceBytes, most.bytes)
    case nil: nil
    }
  }

  fileprivate func leave() {
    self.service.withLock { service in
      service?.use.leave()
      service = nil
    }
  }
}

/// A request that is counted while it is answered.
package struct CountedRequest: Sendable {
  /// The client behind a proxy as whose it counts; nil for that of the connection.
  fileprivate let client: AddressKey?
}

extension CommandDoor {
  /// Counts a request: for its connection, and on that of a proxy for the client behind it, since what many send through one
  /// connection is not one's. Of such a client, requests that are answered at once count as connections would.
  ///
  /// - Parameter client: from whom a request through a proxy is; nil if the proxy does not tell.
  /// - Returns: the request, for `ended`; or why it is one too many.
  package func began(
    _ connection: DoorConnection, client: () -> NetworkAddress?
  ) -> Result<CountedRequest, Refusal> {
    let size = connection.measure()
    let most = RequestRate.Most(
      commands: facts.connectionCommands.load(ordering: .relaxed),
      bytes: facts.connectionBytes.load(ordering: .relaxed))
    let atOnce = facts.addressConnections.load(ordering: .relaxed)
    let now = Clock.monotonicMilliseconds()
    guard connection.isOfProxy, most != .none || atOnce > 0, let client = client() else {
      return refusal(connection.take(size, of: most, at: now), most).map { .failure($0) }
        ?? .success(CountedRequest(client: nil))
    }
    let key = AddressKey(network: client.network)
    if let refusal = refusal(facts.clientRates.take(size, from: key, of: most, at: now), most) {
      return .failure(refusal)
    }
    guard facts.addresses.join(key, most: atOnce) else {
      facts.limits.add(.addressConnections)
      return .failure(
        .limit(
          "\(ClientLimit.addressConnections.name): at most \(atOnce) requests of \(client.text) at once; try again when one"
            + " of them is answered"))
    }
    return .success(CountedRequest(client: key))
  }

  /// The request is answered.
  package func ended(_ request: CountedRequest) { facts.addresses.leave(request.client) }

  private func refusal(_ excess: RequestRate.Excess?, _ most: RequestRate.Most) -> Refusal? {
    switch excess {
    case .commands: refusal(.connectionCommands, most.commands)
    case .bytes: refusal(.connectionBytes, most.bytes)
    case nil: nil
    }
  }

  /// Counts a request of a service, whose limits all its connections share.
  ///
  /// - Returns: why it is one too many; nil if it is not.
  func excess(of service: ServiceIdentity, _ connection: DoorConnection) -> Refusal? {
    guard let services else { return nil }
    let excess = connection.take(
      service, services.serviceUses, connections: facts.current.serviceConnections, at: Clock.monotonicMilliseconds())
    guard let (limit, most) = excess else { return nil }
    guard limit == .serviceConnections else { return refusal(limit, most) }
    facts.limits.add(limit)
    return .limit("\(limit.name): \(service.name) has \(most) connections, as many as it may; close one first")
  }

  private func refusal(_ limit: ClientLimit, _ most: Int) -> Refusal {
    facts.limits.add(limit)
    return .limit("\(limit.name): at most \(most) a second; try again in the next one")
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
    // As many connections as a proxy has: their requests are counted instead.
    let isOfProxy = address?.ipAddress.map { settings.httpProxies.allows($0) } ?? false
    let exceeded: ClientLimit? =
      if count > settings.maxConnections {
        .maxConnections
      } else if !isOfProxy, !facts.addresses.join(key, most: settings.addressConnections) {
        .addressConnections
      } else {
        nil
      }
    if let exceeded {
      facts.connectedClients.subtract(1, ordering: .relaxed)
      facts.connectionsRejected.add(1, ordering: .relaxed)
      facts.limits.add(exceeded)
      return nil
    }
    return DoorConnection(
      id: facts.lastConnection.add(1, ordering: .relaxed).newValue, address: address, isSealed: isSealed, key: key,
      isOfProxy: isOfProxy)
  }

  package func closed(_ connection: DoorConnection) {
    connection.leave()
    facts.connectedClients.subtract(1, ordering: .relaxed)
    if !connection.isOfProxy { facts.addresses.leave(connection.key) }
  }

  // MARK: Slow clients

  /// A client sent no request: none yet, or no further one.
  package func noteSilentClient(isNew: Bool) { facts.limits.add(isNew ? .authenticationTimeout : .idleTimeout) }

  package func noteSlowRequest() { facts.limits.add(.authenticationTimeout) }

  package func noteSlowHandshake() { facts.limits.add(.handshakeTimeout) }

  /// A client did not read its answer.
  package func noteSlowReader() {
    facts.outputLimitDisconnections.add(1, ordering: .relaxed)
    facts.limits.add(.authenticationTimeout)
  }

  // MARK: TLS

  package func noteHandshake() { facts.tls.handshakes.add(1, ordering: .relaxed) }

  package func noteFailedHandshake(_ reason: String) { facts.tls.failed(reason) }
}
