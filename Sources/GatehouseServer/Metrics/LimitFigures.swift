import Synchronization

/// Every limit of a client whose excess is answered or ends a connection. One list: the names are those of the settings,
/// of the errors and, with underscores, of the figures in `INFO`.
enum ClientLimit: Int, CaseIterable, Sendable {
  case maxConnections, addressConnections, serviceConnections
  case connectionCommands, connectionBytes
  /// Of a service, set with `SERVICE.SET`.
  case serviceCommands, serviceBytes
  case wrongSecrets, handshakeTimeout, authenticationTimeout, idleTimeout
  /// What waits for one client, and for all of them.
  case clientOutput, totalOutput
  case passwordQueue

  var name: String {
    switch self {
    case .maxConnections: "max-connections"
    case .addressConnections: "address-connections"
    case .serviceConnections: "service-connections"
    case .connectionCommands: "connection-commands"
    case .connectionBytes: "connection-bytes"
    case .serviceCommands: "service-commands"
    case .serviceBytes: "service-bytes"
    case .wrongSecrets: "guesses-per-address"
    case .handshakeTimeout: "handshake-timeout"
    case .authenticationTimeout: "auth-timeout"
    case .idleTimeout: "idle-timeout"
    case .clientOutput: "client-output-limit"
    case .totalOutput: "total-output-limit"
    case .passwordQueue: "password-queue"
    }
  }
}

/// How often each limit was exceeded.
final class LimitFigures: Sendable {
  private let counts = Mutex<[Int]>(Array(repeating: 0, count: ClientLimit.allCases.count))

  init() {}

  func add(_ limit: ClientLimit, _ times: Int = 1) { counts.withLock { $0[limit.rawValue] += times } }

  subscript(limit: ClientLimit) -> Int { counts.withLock { $0[limit.rawValue] } }

  func reset() { counts.withLock { $0 = $0.map { _ in 0 } } }
}
