import GatehouseCore
import Logging
import NIOCore
import Synchronization

/// Facts and counters of the server, apart from its commands.
final class ServerFacts: Sendable {
  enum Phase: Int, Sendable, AtomicRepresentable {
    case loading
    case ready
    case stopping
  }

  /// Read by every lane before it carries out the commands of a read.
  let phase = Atomic<Phase>(.loading)
  /// 40 hexadecimal digits, new at each start.
  let runID: String
  let clock: ServerClock
  /// When the server was started, in milliseconds since 1970 and in `Clock.nanoseconds()`.
  let started: Milliseconds
  let startedAt: UInt64

  let coreCount = System.coreCount
  let configuration: Mutex<ServerConfiguration>
  let lastConnection = Atomic<UInt64>(0)
  let connectedClients = Atomic<Int>(0)
  /// Clients that wait for the log with `WAITAOF`.
  let blockedClients = Atomic<Int>(0)
  let connectionsReceived = Atomic<Int>(0)
  let connectionsRejected = Atomic<Int>(0)
  /// Calls of `accept` that failed.
  let acceptErrors = Atomic<Int>(0)
  /// Clients that were disconnected for exceeding `client-output-limit`.
  let outputLimitDisconnections = Atomic<Int>(0)
  /// Clients that were disconnected because all together exceeded `total-output-limit`.
  let evictedClients = Atomic<Int>(0)
  let deniedAuthentications = Atomic<Int>(0)
  /// Wrong guesses at passwords, by where they come from.
  let guesses: SharedGuesses
  let directoryWatch = DirectoryWatch()
  /// What the server is among the nodes of a cluster.
  let node: Node
  /// Requests of webhooks that were accepted, and those that failed.
  let webhookDeliveries = Atomic<Int>(0)
  let webhookFailures = Atomic<Int>(0)
  let port = Atomic<Int>(0)
  let tlsPort = Atomic<Int>(0)
  let tls = TLSFigures()
  /// How often clients exceeded each limit, and how many connections each address has.
  let limits = LimitFigures()
  let addresses = AddressCounts()
  /// How many requests clients behind proxies send a second.
  let clientRates = ClientRates()
  /// Whether other machines can connect, so that there must always be a service to authenticate as.
  let isExposed = Atomic<Bool>(false)
  let rate = Rate()
  /// The HTTP requests.
  let requests = RequestFigures()
  /// Stops the server as a signal would; set by the server.
  private let stopper = Mutex<(@Sendable () -> Void)?>(nil)
  // Copies of the settings that every command reads, so that reading them takes no lock.
  let slowlogThreshold: Atomic<Int>
  let clientOutputLimit: Atomic<Int>
  let totalOutputLimit: Atomic<Int>
  /// Milliseconds; 0 for none.
  let idleTimeout: Atomic<Int>
  let handshakeTimeout: Atomic<Int>
  let authenticationTimeout: Atomic<Int>
  /// A second and connection; 0 for none.
  let connectionCommands: Atomic<Int>
  let connectionBytes: Atomic<Int>
  /// Of one address at once; 0 for any number.
  let addressConnections: Atomic<Int>
  let answersHealthChecks: Atomic<Bool>

  init(configuration: ServerConfiguration, logger: Logger) {
    clock = ServerClock(logger: logger)
    started = clock.milliseconds
    startedAt = Clock.nanoseconds()
    var random = SystemRandomNumberGenerator()
    runID = (0..<40).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }.joined()
    slowlogThreshold = Atomic(configuration.slowlogThreshold)
    clientOutputLimit = Atomic(configuration.clientOutputLimit)
    totalOutputLimit = Atomic(configuration.totalOutputLimit)
    idleTimeout = Atomic(Int(configuration.idleTimeout.milliseconds))
    handshakeTimeout = Atomic(Int(configuration.handshakeTimeout.milliseconds))
    authenticationTimeout = Atomic(Int(configuration.authenticationTimeout.milliseconds))
    connectionCommands = Atomic(configuration.connectionCommands)
    connectionBytes = Atomic(configuration.connectionBytes)
    addressConnections = Atomic(configuration.addressConnections)
    answersHealthChecks = Atomic(configuration.pingBeforeAuthentication == .yes)
    guesses = SharedGuesses(configuration)
    node = Node(configuration)
    self.configuration = Mutex(configuration)
  }

  /// Whole seconds since the start, by the monotonic clock.
  var uptime: Int64 { Int64(Clock.nanoseconds(since: startedAt) / 1_000_000_000) }

  func onStop(_ stop: @escaping @Sendable () -> Void) { stopper.withLock { $0 = stop } }

  func stop() { stopper.withLock { $0 }?() }

  /// The current configuration.
  var current: ServerConfiguration { configuration.withLock { $0 } }

  /// Replaces the configuration, and updates the copies above.
  func adopt(_ changed: ServerConfiguration) {
    configuration.withLock { $0 = changed }
    guesses.adopt(changed)
    node.adopt(changed)
    slowlogThreshold.store(changed.slowlogThreshold, ordering: .relaxed)
    clientOutputLimit.store(changed.clientOutputLimit, ordering: .relaxed)
    totalOutputLimit.store(changed.totalOutputLimit, ordering: .relaxed)
    idleTimeout.store(Int(changed.idleTimeout.milliseconds), ordering: .relaxed)
    handshakeTimeout.store(Int(changed.handshakeTimeout.milliseconds), ordering: .relaxed)
    authenticationTimeout.store(Int(changed.authenticationTimeout.milliseconds), ordering: .relaxed)
    connectionCommands.store(changed.connectionCommands, ordering: .relaxed)
    connectionBytes.store(changed.connectionBytes, ordering: .relaxed)
    addressConnections.store(changed.addressConnections, ordering: .relaxed)
    answersHealthChecks.store(changed.pingBeforeAuthentication == .yes, ordering: .relaxed)
  }
}
