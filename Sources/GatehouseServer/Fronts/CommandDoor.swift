package import GatehouseCore
import GatehouseStorage
package import GatehouseWire
package import Logging
package import NIOCore
import Synchronization

/// How a front outside this target identifies who asks, and has commands carried out. Callable from any thread.
package final class CommandDoor: Sendable {
  let facts: ServerFacts
  package let logger: Logger
  private let identity: TLSIdentity?
  private let context = Mutex<ServerContext?>(nil)
  let feedTickets = FeedTickets()

  init(_ facts: ServerFacts, _ identity: TLSIdentity?, logger: Logger) {
    self.facts = facts
    self.identity = identity
    self.logger = logger
  }

  /// Commands are carried out from here on.
  func begin(_ context: ServerContext) {
    self.context.withLock { $0 = context }
    facts.directoryWatch.notify()
    keepFeedReaders()
  }

  // MARK: The server

  /// What the server is doing.
  package enum Condition: Sendable, Equatable {
    /// The data is not loaded yet.
    case loading
    case ready
    /// Reads are answered, but the log takes no changes.
    case readOnly(why: String)
    /// The node follows another, which takes the changes, and has news enough to answer reads.
    case following
    case stopping
  }

  package var condition: Condition {
    switch facts.phase.load(ordering: .acquiring) {
    case .loading: return .loading
    case .stopping: return .stopping
    case .ready:
      guard let services else { return .loading }
      if facts.node.isFollowing, !services.isLogStuck {
        return facts.node.staleRefusal.map { .readOnly(why: $0.text) } ?? .following
      }
      if services.isLogStuck {
        return .readOnly(why: (services.hasLogFailed ? Refusal.neverDurable : .notDurableYet(services.log)).text)
      }
      // It refuses changes, though all that it has taken is written.
      if services.log.state == .full { return .readOnly(why: Refusal(logRefusal: .full, services).text) }
      return .ready
    }
  }

  /// Why reads are not answered now; nil if they are.
  package var obstacleToReads: String? {
    switch condition {
    case .loading: "loading: the data is not read yet"
    case .stopping: "stopping"
    case .ready, .following, .readOnly:
      facts.node.isFollowing
        ? facts.node.staleRefusal?.text : mayAnswer ? nil : "this node cannot tell whether another one leads by now"
    }
  }

  /// Whether answers may leave now. If not, another node may lead by now, and the client's connection is closed.
  package var mayAnswer: Bool { facts.node.mayAnswer }

  /// The server's time, which never goes back.
  package var now: Milliseconds { facts.clock.milliseconds }

  /// The current settings.
  package var configuration: ServerConfiguration { facts.current }

  // The settings that every request asks for, without a lock and without a copy of all others.
  /// Milliseconds that a client may take to send a request; 0 for as long as it likes (`auth-timeout`).
  package var patience: Int { facts.authenticationTimeout.load(ordering: .relaxed) }
  /// Milliseconds between two requests; 0 for any (`idle-timeout`).
  package var idleTime: Int { facts.idleTimeout.load(ordering: .relaxed) }

  /// What new TLS connections are made with; nil without TLS.
  package var tlsContext: TLSContext? { identity?.current }

  /// nil until the data is loaded.
  var services: ServerContext? { context.withLock { $0 } }

  // MARK: Who asks

  /// Whom a client is taken for without a secret: the service that its certificate stands for, or `local` on this
  /// machine while there is no service; else nobody.
  package func anonymous(_ connection: DoorConnection) -> Caller? {
    guard let directory = services?.gate.directory else { return nil }
    if let service = directory.service(ofCertificate: connection.peerNames) { return caller(service, connection) }
    guard !directory.hasServices, connection.address?.isLoopback ?? true else { return nil }
    return server(connection)
  }

  /// The service that has this secret, as with `AUTH`. Wrong ones are answered in the turn of their address.
  ///
  /// - Parameters:
  ///   - name: the service's name; nil if it is not given.
  ///   - client: whose turn it is, where a proxy has told; nil for the connection's address.
  package func caller(
    name: String? = nil, secret: String, _ connection: DoorConnection, from client: NetworkAddress? = nil
  ) async -> Result<Caller, Refusal> {
    guard let directory = services?.gate.directory else { return .failure(.notServing(isStopping: false)) }
    let given = Array(secret.utf8).withUnsafeBytes { sha256($0) }
    let now = facts.clock.milliseconds
    guard let service = directory.service(name ?? ClientFacts.defaultUser, secret: given, at: now) else {
      return .failure(await wrongSecret(client.map { AddressKey(network: $0.network) } ?? connection.key))
    }
    if let excess = excess(of: service, connection) { return .failure(excess) }
    return .success(caller(service, connection))
  }

  /// The same without a secret, as `anonymous`; nil if there is nobody.
  package func callerWithoutSecret(_ connection: DoorConnection) -> Result<Caller, Refusal>? {
    let bearers = services?.gate.directory.services(ofCertificate: connection.peerNames) ?? []
    if bearers.count > 1 { return .failure(.ambiguousCertificate(bearers)) }
    if let service = bearers.first, let excess = excess(of: service, connection) { return .failure(excess) }
    return anonymous(connection).map { .success($0) }
  }

  private func caller(_ service: ServiceIdentity, _ connection: DoorConnection) -> Caller {
    let facts = ConnectionFacts(
      id: connection.id, service: service.id, rights: service.rights.effective, isBound: service.workspaces != nil)
    return Caller(facts, service: service.name)
  }

  /// The server itself, for what a front does on the authority of a user's session: `Caller.acting(as:)`.
  package func server(_ connection: DoorConnection) -> Caller {
    Caller(ConnectionFacts(id: connection.id, service: 0, rights: .all, isServer: true), service: "")
  }

  /// On whose authority somebody asks who shows nothing but the token of a session, and in which session.
  ///
  /// Where Gatehouse has opened it itself, that is the person's alone. Else it rests on a service's word, and that service
  /// stands beside the person as if it asked itself, with the rights that it has now.
  ///
  /// - Returns: what `SESSION.CHECK` says, too; nil if the session is not good.
  package func caller(
    ofSession token: String, _ connection: DoorConnection
  ) async -> (caller: Caller, session: RESPValue)? {
    let session = await execute(["SESSION.CHECK", token], for: server(connection))
    guard session["user"] != nil, let directory = services?.gate.directory else { return nil }
    if session["signed-in"] != nil { return (server(connection).acting(as: token), session) }
    if let service = session["service"]?.string.flatMap(directory.service(named:)) {
      return (caller(service, connection).acting(as: token), session)
    }
    // It was opened by `local`, or by a service that is not known any more.
    return anonymous(connection).map { ($0.acting(as: token), session) }
  }

  private func wrongSecret(_ address: AddressKey?) async -> Refusal {
    facts.deniedAuthentications.add(1, ordering: .relaxed)
    let wait = facts.guesses.waitOfWrongSecret(from: address, at: facts.clock.milliseconds)
    guard wait != 0 else { return .wrongSecret }
    facts.limits.add(.wrongSecrets)
    guard let wait else {
      return .limit(
        "\(ClientLimit.wrongSecrets.name): too many wrong secrets from this address; try again later")
    }
    try? await Task.sleep(for: .milliseconds(wait))
    return .wrongSecret
  }

  // MARK: Commands

  /// The record that last changed workspaces, policies, fields, roles, accounts, groups or services. What a front knows
  /// of them holds as long as it is the same.
  package var directoryLSN: LSN { services?.gate.directory.lsn ?? 0 }

  /// Whether a text is the name of a time zone, as it is stored.
  package func isZone(_ name: String) -> Bool { services?.gate.directory.zones.zone(name)?.name == name }

  /// Carries out a command, and waits until everything its reply shows is durable.
  ///
  /// - Parameter words: the command's name and arguments.
  package func execute(_ words: [String], for caller: Caller) async -> RESPValue {
    switch await answer(words, for: caller) {
    case .success(let reply): reply
    case .failure(let refused): .error(refused.text)
    }
  }

  /// The same, for those who show what a refusal is about.
  package func answer(_ words: [String], for caller: Caller) async -> Result<RESPValue, RefusedCommand> {
    let phase = facts.phase.load(ordering: .acquiring)
    guard let services, phase == .ready else {
      return .failure(RefusedCommand(text: Refusal.notServing(isStopping: phase == .stopping).text))
    }
    let reply = await services.execute(OwnedArguments(caller.words(words)), for: caller.facts)
    let value = RESPValue(reply)
    guard let text = value.errorText else { return .success(value) }
    return .failure(RefusedCommand(text: text, field: reply.errorField))
  }

  /// Carries out commands as one, all or none, in one record, and waits until it is durable. Each is decided on the
  /// results of those before it.
  package func execute(together commands: [[String]], for caller: Caller) async -> Result<[RESPValue], RefusedGroup> {
    let phase = facts.phase.load(ordering: .acquiring)
    guard let services, phase == .ready else {
      return .failure(RefusedGroup(index: 0, text: Refusal.notServing(isStopping: phase == .stopping).text))
    }
    let requests = commands.map { OwnedArguments(caller.words($0)) }
    return await services.execute(together: requests, for: caller.facts).map { $0.map { RESPValue($0) } }
  }
}

extension CommandDoor {
  /// A command as it may be shown to whoever sent it: its secrets are redacted.
  package func shown(_ words: [String]) -> [String] {
    OwnedArguments(words).withView { shownWords($0, wordLimit: .max, countLimit: .max, areTyped: false) }
  }

  /// Whether there is any service; until then every program on this machine may ask everything.
  package var hasServices: Bool { services?.gate.directory.hasServices ?? true }
}

extension Directory {
  /// The service with this name and secret. A secret identifies its service by itself, so the name may be Redis'
  /// default user, which libraries send if they are given only a password; a service of that name, which folders of
  /// earlier versions may have, is one of all.
  func service(_ name: String, secret: Digest, at now: Milliseconds) -> ServiceIdentity? {
    if name == ClientFacts.defaultUser { return services.first { $0.accepts(secret, at: now) } }
    return service(named: name).flatMap { $0.accepts(secret, at: now) ? $0 : nil }
  }
}

extension Refusal {
  /// The answer before the data is loaded, and after the server was told to stop.
  static func notServing(isStopping: Bool) -> Refusal {
    Refusal(.loading, isStopping ? "the server is stopping" : "Gatehouse is loading the data")
  }

  static let wrongSecret = Refusal(.wrongPassword, "invalid username-password pair or user is disabled.")
}

// MARK: Listening

extension CommandDoor {
  /// - Throws: `StartFailure` if other machines could connect to the address without encryption.
  package func allowPlain(_ host: String) throws(StartFailure) {
    guard let address = try? SocketAddress.makeAddressResolvingHost(host, port: 0), !address.isLoopback else { return }
    throw .configuration(
      "cannot serve HTTP on \(host): other machines could connect to it without encryption; leave --http-host on "
        + "127.0.0.1, and let them connect with TLS: --https-host, --https-port, --tls-cert-file, --tls-key-file")
  }

  /// A front listens.
  package func listens(at address: SocketAddress, isSealed: Bool) {
    if isSealed, !address.isLoopback { facts.isExposed.store(true, ordering: .relaxed) }
    logger.info("listening", metadata: ["address": "\(address)", "protocol": isSealed ? "https" : "http"])
  }
}
