import GatehouseCore
import Logging
import NIOCore
import Synchronization

/// What the server is and counts, beside its commands.
final class ServerFacts: Sendable {
  enum Phase: Int, Sendable, AtomicRepresentable {
    case loading
    case ready
    case stopping
  }

  /// Where the server is in its life. Read by every lane before each read's commands.
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
  /// Clients that were disconnected because more waited for them than may for one.
  let outputLimitDisconnections = Atomic<Int>(0)
  /// Clients that were disconnected because more waited for all clients together than may.
  let evictedClients = Atomic<Int>(0)
  let deniedAuthentications = Atomic<Int>(0)
  let port = Atomic<Int>(0)
  let rate = Rate()
  /// Stops the server, as a signal would; set by the server.
  private let stopper = Mutex<(@Sendable () -> Void)?>(nil)
  // The settings that every command meets, where reading them takes no lock.
  let slowlogThreshold: Atomic<Int>
  let clientOutputLimit: Atomic<Int>
  let totalOutputLimit: Atomic<Int>
  /// Milliseconds; 0 for none.
  let idleTimeout: Atomic<Int>
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
    answersHealthChecks = Atomic(configuration.pingBeforeAuthentication == .yes)
    self.configuration = Mutex(configuration)
  }

  /// Whole seconds since the start, which no setting of the clock changes.
  var uptime: Int64 { Int64(Clock.nanoseconds(since: startedAt) / 1_000_000_000) }

  func onStop(_ stop: @escaping @Sendable () -> Void) { stopper.withLock { $0 = stop } }

  func stop() { stopper.withLock { $0 }?() }

  /// The configuration as it is now.
  var current: ServerConfiguration { configuration.withLock { $0 } }

  /// Takes a changed configuration over, the quick settings too.
  func adopt(_ changed: ServerConfiguration) {
    configuration.withLock { $0 = changed }
    slowlogThreshold.store(changed.slowlogThreshold, ordering: .relaxed)
    clientOutputLimit.store(changed.clientOutputLimit, ordering: .relaxed)
    totalOutputLimit.store(changed.totalOutputLimit, ordering: .relaxed)
    idleTimeout.store(Int(changed.idleTimeout.milliseconds), ordering: .relaxed)
    answersHealthChecks.store(changed.pingBeforeAuthentication == .yes, ordering: .relaxed)
  }
}
