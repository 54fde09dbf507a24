import GatehouseCore
import GatehouseStorage
import GatehouseWire
import NIOCore
import Synchronization

/// Who a connection is (`AUTH`, `HELLO`, `RESET`), and what it may ask before that is known.
extension Connection {
  func authenticate(as service: ServiceID, _ rights: ServiceRights, name: String, isBound: Bool = false) {
    facts.service = service
    facts.rights = rights.effective
    facts.isBound = isBound
    client.service = name
    // A service that may not start `MONITOR` may not continue it either.
    if !rights.contains(.admin) || isBound { endMonitor() }
    // A subscriber that would be told nothing any more without a word waits in vain. So it comes back, and is told why.
    if !facts.rights.contains(.read), !subscriptions.isEmpty {
      endSubscriptions()
      finish()
    }
  }

  /// - Returns: why the service may have no further connection; nil if this is one of its now.
  @discardableResult
  private func authenticate(as service: ServiceIdentity, by proof: Proof, isCounted: Bool = true) -> Refusal? {
    if let refusal = join(service, isCounted: isCounted) { return refusal }
    certificateRefusal = nil
    authenticate(as: service.id, service.rights, name: service.name, isBound: service.workspaces != nil)
    self.proof = proof
    return nil
  }

  /// How a connection has shown which service it is.
  enum Proof {
    case secret
    case certificate
  }

  /// The service that the client's certificate stands for, if it has shown one. `AUTH` takes precedence.
  func authenticateByCertificate() {
    guard lane.isReady, !transport.peerNames.isEmpty else { return }
    let services = lane.directory.services(ofCertificate: transport.peerNames)
    switch services.count {
    case 0: certificateRefusal = nil
    case 1:
      let isCounted = certificateRefusal == nil
      certificateRefusal = authenticate(as: services[0], by: .certificate, isCounted: isCounted)
    default: certificateRefusal = .ambiguousCertificate(services)
    }
  }

  /// Answers a command of a client without a service, whose certificate would give it one but for something that it
  /// should know.
  ///
  /// - Returns: whether it was answered.
  func answersWhyUnknown(_ turn: Turn, _ commandIndex: Int?) -> Bool {
    guard facts.service == nil, let certificateRefusal,
      turn.reply.errorCode == Refusal.Code.noAuthentication.rawValue
    else { return false }
    lane.metrics.reject(commandIndex, certificateRefusal.code.rawValue)
    answer { $0.error(certificateRefusal.text) }
    return true
  }

  /// The connection's service has changed: what it may do holds from the next command on.
  func follow(_ service: ServiceIdentity?) {
    guard let service, !service.isDeleted else { return dismiss() }
    if proof == .certificate, lane.directory.service(ofCertificate: transport.peerNames)?.id != service.id {
      return dismiss()
    }
    authenticate(as: service, by: proof)
  }

  func forgetService() {
    leaveService()
    facts.service = nil
    facts.rights = []
    facts.isBound = false
    client.service = ""
    unknownSince = nil
    endMonitor()
    endSubscriptions()
  }

  /// The first service was created. The connection that created it becomes that service's, and goes on; every other must
  /// authenticate. A monitor sends no more requests, and a subscriber may send none for that, so they could not; they are
  /// closed.
  func endBeingLocal(_ directory: Directory) {
    let before = subscriptions
    let isWatching = isMonitor || !before.isEmpty
    forgetService()
    if lane.services.isFounder(client.id), let first = directory.services.first(where: { !$0.isDeleted }) {
      setSubscriptions(before)
      authenticate(as: first, by: .secret)
    } else if isWatching {
      close()
    }
  }

  /// Whether a refused request is the `PING` of a health check. Proxies such as HAProxy cannot authenticate first, and
  /// the answer reveals only that the server runs.
  func isHealthCheck(_ request: Arguments, _ commandIndex: Int?) -> Bool {
    guard facts.service == nil, let commandIndex, case .server(.ping) = CommandTable.entries[commandIndex].body else {
      return false
    }
    return request.count == 1 && serverFacts.answersHealthChecks.load(ordering: .relaxed)
  }

  // MARK: AUTH

  func authenticate(_ request: Arguments) {
    guard request.count <= 3 else { return refuse(.syntax("syntax error")) }
    if request.count == 2, !lane.directory.hasServices {
      return refuse(
        .syntax(
          "AUTH <password> called without any password configured for the default user. "
            + "Are you sure your configuration is correct?"))
    }
    let name = request.count == 3 ? request.string(1) : ClientFacts.defaultUser
    guard let service = service(name, secret: request[request.count - 1]) else { return refuseWrongSecret() }
    if let refusal = authenticate(as: service, by: .secret) { return refuse(refusal) }
    answer { $0.ok() }
  }

  private func service(_ name: String, secret: UnsafeRawBufferPointer) -> ServiceIdentity? {
    lane.directory.service(name, secret: sha256(secret), at: lane.now)
  }

  /// Refuses, in the turn of the client's address.
  private func refuseWrongSecret() {
    serverFacts.deniedAuthentications.add(1, ordering: .relaxed)
    let refusal = Refusal.wrongSecret
    let wait = serverFacts.guesses.waitOfWrongSecret(from: client.peer, at: serverFacts.clock.milliseconds)
    guard wait != 0 else { return refuse(refusal) }
    guard let wait else {
      refuse(self.refusal(.wrongSecrets, "too many wrong secrets from this address; try again later"))
      return finish()
    }
    serverFacts.limits.add(.wrongSecrets)
    later { context in
      let end = Clock.deadline(milliseconds: UInt64(wait))
      while Clock.nanoseconds() < end, !context.isStopping { try? await Task.sleep(for: Self.waitStep) }
      var reply = Reply()
      reply.error(refusal.text)
      return (reply, 0)
    }
  }

  /// How soon a client that waits notices that the server stops.
  private static var waitStep: Duration { .milliseconds(50) }

  // MARK: HELLO

  /// `HELLO [version [AUTH name secret] [SETNAME name]]`, parsed completely before any of it takes effect.
  private struct Greeting {
    var version: ProtocolVersion?
    /// The index of the service's name; the secret follows it.
    var name: Int?
    var clientName: String?

    init(_ request: Arguments) throws(Refusal) {
      var index = 1
      if request.count > 1 {
        guard let number = Int(request.string(1)) else {
          throw .syntax("Protocol version is not an integer or out of range")
        }
        guard let asked = ProtocolVersion(rawValue: number) else {
          throw Refusal(.noProtocol, "unsupported protocol version")
        }
        version = asked
        index = 2
      }
      while index < request.count {
        switch request.string(index).uppercased() {
        case "AUTH" where index + 2 < request.count:
          name = index + 1
          index += 3
        case "SETNAME" where index + 1 < request.count:
          let name = request.string(index + 1)
          try Connection.checkName(name)
          clientName = name
          index += 2
        default: throw .syntax("Syntax error in HELLO option '\(request.string(index).prefix(128))'")
        }
      }
    }
  }

  /// All of it takes effect, or nothing.
  func hello(_ request: Arguments) {
    let greeting: Greeting
    do throws(Refusal) { greeting = try Greeting(request) } catch { return refuse(error) }
    if let name = greeting.name {
      guard let service = service(request.string(name), secret: request[name + 1]) else { return refuseWrongSecret() }
      if let refusal = authenticate(as: service, by: .secret) { return refuse(refusal) }
    }
    if facts.service == nil, lane.isReady {
      return refuse(
        certificateRefusal
          ?? Refusal(
            .noAuthentication,
            "HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> "
              + "option can be used to authenticate the client and select the RESP protocol version at the same time"))
    }
    if let version = greeting.version {
      client.version = version
      noteRates()
    }
    if let name = greeting.clientName { client.name = name }
    answer { reply in
      reply.map(7)
      reply.text("server")
      reply.text("gatehouse")
      // The Redis version that `INFO` shows, because libraries choose features by it.
      reply.text("version")
      reply.text(Version.redis)
      reply.text("proto")
      reply.integer(self.client.version.rawValue)
      reply.text("id")
      reply.integer(self.client.id)
      reply.text("mode")
      reply.text("standalone")
      reply.text("role")
      reply.text(self.serverFacts.node.isFollowing ? "replica" : "master")
      reply.text("modules")
      reply.array(0)
    }
  }

  // MARK: RESET

  func reset() {
    forgetService()
    transaction.end()
    client.name = ""
    client.version = .resp2
    client.isNotEvicted = false
    client.isNotTouching = false
    answer { $0.status(.reset) }
  }
}
