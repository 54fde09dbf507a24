import GatehouseWire
import Glibc
import Logging
import Synchronization

/// The server's certificate, key and trusted authorities, and their renewal while it runs.
///
/// New connections get what was read last; those that are there go on with what they began with.
final class TLSIdentity: Sendable {
  private let configuration: ServerConfiguration
  private let figures: TLSFigures
  private let state: Mutex<State>

  private struct State: Sendable {
    var context: TLSContext
    /// The files as they were when they were last looked at, whether they could be used or not.
    var stamps: [FileStamp?]
    var warning = ExpiryWarning()
  }

  /// How often the files are looked at.
  static let watchInterval: Duration = .seconds(2)

  /// - Throws: `TLSError`, which says what is wrong with which file.
  init(_ configuration: ServerConfiguration, _ figures: TLSFigures) throws(TLSError) {
    self.configuration = configuration
    self.figures = figures
    // Before the files are read: if they change meanwhile, they are read again.
    let stamps = Self.stamps(configuration)
    state = Mutex(State(context: try Self.read(configuration), stamps: stamps))
    figures.note(current)
  }

  /// What new connections are made with.
  var current: TLSContext { state.withLock { $0.context } }

  private static func read(_ configuration: ServerConfiguration) throws(TLSError) -> TLSContext {
    let clients: TLSContext.ClientCertificates =
      switch configuration.tlsAuthClients {
      case .no: .ignored
      case .optional: .optional
      case .yes: .required
      }
    return try TLSContext(
      certificate: configuration.tlsCertFile ?? "", key: configuration.tlsKeyFile ?? "",
      authorities: configuration.tlsCACertFile, clients: clients, now: Clock.wallMicroseconds() / 1_000_000)
  }

  // MARK: Renewal

  /// Reads the files again. What is wrong with them is logged, and the server goes on with what it had.
  func reload(_ logger: Logger) {
    let stamps = Self.stamps(configuration)
    do throws(TLSError) {
      let context = try Self.read(configuration)
      state.withLock { $0 = State(context: context, stamps: stamps) }
      figures.note(context)
      figures.reloads.add(1, ordering: .relaxed)
      logger.notice("the TLS certificate was read again; new connections get it")
      warnOfEnd(logger)
    } catch {
      state.withLock { $0.stamps = stamps }
      figures.failedReloads.add(1, ordering: .relaxed)
      logger.error("the TLS files cannot be used, so the server goes on with those it had: \(error)")
    }
  }

  /// Reads the files again if any of them has changed since they were last looked at.
  func reloadIfChanged(_ logger: Logger) {
    let stamps = Self.stamps(configuration)
    guard state.withLock({ $0.stamps != stamps }) else { return }
    reload(logger)
  }

  /// Warns of a certificate that ends soon, as often as `ExpiryWarning` says. A server may run for years, and where the
  /// renewal of its certificate fails, nothing else would say so in time.
  func warnOfEnd(_ logger: Logger) {
    let now = Clock.wallMicroseconds() / 1_000_000
    let days = state.withLock { state in
      let expires = state.context.expires
      return state.warning.days(until: expires, at: now)
    }
    guard let days else { return }
    logger.warning(
      days < 0 ? "the TLS certificate has expired; renew it" : "the TLS certificate expires soon; renew it",
      metadata: ["days": "\(days)"])
  }

  /// What changes when a file is written or replaced, also behind a symbolic link.
  private struct FileStamp: Equatable, Sendable {
    let device: UInt
    let file: UInt
    let size: Int
    let changed: [UInt8]

    init?(_ path: String) {
      var facts = stat()
      guard stat(path, &facts) == 0 else { return nil }
      device = UInt(facts.st_dev)
      file = UInt(facts.st_ino)
      size = Int(facts.st_size)
      changed = withUnsafeBytes(of: facts.st_ctim) { Array($0) }
    }
  }

  private static func stamps(_ configuration: ServerConfiguration) -> [FileStamp?] {
    [configuration.tlsCertFile, configuration.tlsKeyFile, configuration.tlsCACertFile].map {
      $0.flatMap(FileStamp.init)
    }
  }
}

/// When the log warns of a certificate that ends: once a day, from two weeks before.
struct ExpiryWarning: Sendable {
  private static let day: Int64 = 86_400
  private static let ahead = 14 * day

  /// When it warned last, in unix seconds.
  private var last: Int64?

  init() {}

  /// - Parameters:
  ///   - expires: when the certificate ends, in unix seconds.
  ///   - now: unix seconds.
  /// - Returns: how many whole days are left, -1 once it has ended; nil if there is nothing to say now.
  mutating func days(until expires: Int64?, at now: Int64) -> Int64? {
    guard let expires, expires - now < Self.ahead else { return nil }
    // A clock that was set back must not silence it.
    if let last, (0..<Self.day).contains(now - last) { return nil }
    last = now
    return expires > now ? (expires - now) / Self.day : -1
  }
}

/// Figures of the TLS listener, shown in `INFO`.
final class TLSFigures: Sendable {
  let handshakes = Atomic<Int>(0)
  let failedHandshakes = Atomic<Int>(0)
  let reloads = Atomic<Int>(0)
  let failedReloads = Atomic<Int>(0)
  /// When the certificate ends, in unix seconds; 0 if there is none.
  let expires = Atomic<Int64>(0)
  /// Why a handshake failed last.
  private let failure = Mutex("")

  init() {}

  func note(_ context: TLSContext) { expires.store(context.expires ?? 0, ordering: .relaxed) }

  func failed(_ reason: String) {
    failedHandshakes.add(1, ordering: .relaxed)
    failure.withLock { $0 = reason }
  }

  var lastFailure: String { failure.withLock { $0 } }
}
