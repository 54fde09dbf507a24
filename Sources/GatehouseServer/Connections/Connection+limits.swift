import GatehouseCore
import GatehouseWire
import Logging
import Synchronization

/// What a client may use, and how long it may take. Each limit has a name (`ClientLimit`), is counted in `INFO`, and is
/// told to the client where it can still be told anything.
extension Connection {
  func refusal(_ limit: ClientLimit, _ text: String) -> Refusal {
    serverFacts.limits.add(limit)
    return .limit("\(limit.name): \(text)")
  }

  // MARK: Rates

  /// Reads what may be sent now; once a read, because a setting or the service may have changed.
  @inline(__always)
  func noteRates() {
    mostOfConnection = RequestRate.Most(
      commands: serverFacts.connectionCommands.load(ordering: .relaxed),
      bytes: serverFacts.connectionBytes.load(ordering: .relaxed))
    isScreened = mostOfConnection != .none || mostOfService != .none || isConfined
  }

  /// Refuses a request that may not be sent now.
  ///
  /// - Returns: whether it was refused.
  func screens(_ request: Arguments) -> Bool { refusesByRate(request) || refusesBesideSubscriptions(request) }

  /// Refuses a request if it is one too many in this second.
  ///
  /// - Returns: whether it was refused.
  private func refusesByRate(_ request: Arguments) -> Bool {
    let size = request.extent.count
    let excess: (ClientLimit, Int)? =
      switch rate.take(size, of: mostOfConnection, at: lane.monotonic) {
      case .commands: (.connectionCommands, mostOfConnection.commands)
      case .bytes: (.connectionBytes, mostOfConnection.bytes)
      case nil:
        switch mostOfService == .none ? nil : use?.take(size, of: mostOfService, at: lane.monotonic) {
        case .commands: (.serviceCommands, mostOfService.commands)
        case .bytes: (.serviceBytes, mostOfService.bytes)
        case nil: nil
        }
      }
    guard let (limit, most) = excess else { return false }
    transaction.abort()
    let refusal = refusal(limit, "at most \(most) a second; try again in the next one")
    lane.metrics.reject(nil, refusal.code.rawValue)
    answer { $0.error(refusal.text) }
    return true
  }

  // MARK: Services

  /// Counts the connection as one of the service's.
  ///
  /// - Parameter isCounted: whether a refusal is counted as an excess. A client with a certificate asks for its service
  ///   with each command, and is one excess.
  /// - Returns: why it may not be one; nil if it is.
  func join(_ service: ServiceIdentity, isCounted: Bool = true) -> Refusal? {
    let limits = service.limits
    if facts.service != service.id || use == nil {
      let own = Int(limits.connections)
      let most = own > 0 ? own : serverFacts.current.serviceConnections
      let use = lane.services.serviceUses[service.id]
      guard use.join(most: most) else {
        let text = "\(service.name) has \(most) connections, as many as it may; close one first"
        return isCounted
          ? refusal(.serviceConnections, text) : .limit("\(ClientLimit.serviceConnections.name): \(text)")
      }
      leaveService()
      self.use = use
    }
    mostOfService = RequestRate.Most(commands: Int(limits.commands), bytes: Int(limits.bytes))
    return nil
  }

  func leaveService() {
    use?.leave()
    use = nil
    mostOfService = .none
  }

  // MARK: Times

  /// Closes the connection if it has taken too long for what it does.
  ///
  /// - Parameter now: milliseconds of the monotonic clock.
  func endIfOverdue(_ now: Milliseconds, _ times: ConnectionTimes) {
    let age = now - client.connected
    if !transport.isEstablished {
      if times.handshake > 0, age > times.handshake { endUntold(.handshakeTimeout) }
      return
    }
    if isUnknownTooLong(now, times) {
      return end(.authenticationTimeout, "a connection must authenticate within \(times.authentication) ms")
    }
    // Monitors, subscribers and connections that wait for a reply are not idle.
    if times.idle > 0, !isMonitor, subscriptions.isEmpty, queue.isEmpty, now - client.lastCommand > times.idle {
      endUntold(.idleTimeout)
    }
  }

  /// Whether it has had no service for too long. The time runs from when it had to authenticate, which may be long after
  /// it has connected: once the data is loaded, once there is a service, after `RESET`.
  private func isUnknownTooLong(_ now: Milliseconds, _ times: ConnectionTimes) -> Bool {
    if flow.isEnding { return false }
    // A client with a certificate need not ask anything to be its service.
    if facts.service == nil, lane.isReady, !isOpenToAll { authenticateByCertificate() }
    guard facts.service == nil, lane.isReady, !isOpenToAll else {
      unknownSince = nil
      return false
    }
    let since = unknownSince ?? now
    unknownSince = since
    return times.authentication > 0 && now - since > times.authentication
  }

  /// Closes where the client cannot be told why, and logs it instead.
  ///
  /// Before the handshake nothing can be said in a form that it understands. Whoever is idle has asked nothing, so its
  /// library would take an error for the answer to the next command, or fail. At the mere end of the connection it opens
  /// another and asks again. Redis does the same.
  private func endUntold(_ limit: ClientLimit) {
    serverFacts.limits.add(limit)
    lane.services?.logger.debug(
      "a client was disconnected: it took longer than a setting allows",
      metadata: ["setting": "\(limit.name)", "id": "\(client.id)", "address": "\(client.address)"])
    close()
  }

  /// Tells the client why, and closes.
  private func end(_ limit: ClientLimit, _ text: String) {
    // While an answer is computed elsewhere, it would stand in front of this one.
    guard queue.isEmpty else { return close() }
    let refusal = refusal(limit, text)
    answer { $0.error(refusal.text) }
    finish()
    settle()
  }
}

/// How long clients may take, in milliseconds; 0 for as long as they like.
struct ConnectionTimes {
  let handshake: Milliseconds
  let authentication: Milliseconds
  let idle: Milliseconds

  init(_ facts: ServerFacts) {
    handshake = Milliseconds(facts.handshakeTimeout.load(ordering: .relaxed))
    authentication = Milliseconds(facts.authenticationTimeout.load(ordering: .relaxed))
    idle = Milliseconds(facts.idleTimeout.load(ordering: .relaxed))
  }
}
