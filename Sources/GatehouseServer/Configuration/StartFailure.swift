import GatehouseCore
import GatehouseStorage
import GatehouseWire
import Glibc
import NIOCore

/// Why a server could not start or had to stop. The program gives each case an exit code of its own, so that a
/// supervisor can tell a wrong configuration from a failing disk.
package enum StartFailure: Error, Equatable, CustomStringConvertible {
  /// Another process holds the data folder.
  case locked(String)
  /// The data cannot be read: damaged, of a newer version, or not Gatehouse's.
  case dataUnreadable(String)
  /// Reading, writing or syncing failed.
  case io(String)
  /// The settings do not work on this machine, such as a port in use.
  case configuration(String)

  package var description: String {
    switch self {
    case .locked(let text), .dataUnreadable(let text), .io(let text), .configuration(let text): text
    }
  }
}

extension StartFailure {
  /// The log failed, while the server ran or while it was closing.
  init(logFailure why: String, _ log: LogWriter) {
    let synced = log.syncedLSN
    let loss =
      synced < log.durableLSN
      ? "what was acknowledged after record \(synced) may be lost" : "what was acknowledged before is safe"
    let remedy = log.remedy ?? DiskTrouble.failed.remedy
    self = .io("the log failed and took no more changes: \(why); \(loss); \(remedy)")
  }

  /// The server cannot listen on a configured address.
  ///
  /// - Parameter prefix: of the settings that name it: empty, `tls-`, `http-` or `https-`.
  package init(_ error: any Error, listeningOn host: String, _ port: Int, prefix: String) {
    switch error {
    case let error as Listener.Unwanted:
      self = .configuration("cannot listen on \(host): \(error.reason)")
    case let error as IOError:
      let reason = String(cString: strerror(error.errnoCode))
      let remedy =
        switch error.errnoCode {
        case EADDRINUSE: "stop what listens there, or choose another --\(prefix)port"
        case EACCES, EPERM: "ports below 1024 are for root; choose another --\(prefix)port"
        default: "choose another --\(prefix)host or --\(prefix)port"
        }
      self = .configuration("cannot listen on \(host), port \(port): \(reason); \(remedy)")
    case is SocketAddressError, is SocketAddressError.UnknownHost:
      self = .configuration(
        "cannot listen on \(host): this machine knows no address of that name; choose another "
          + "--\(prefix)host, such as 127.0.0.1")
    default:
      self = .configuration(
        "cannot listen on \(host), port \(port): \(error); choose another --\(prefix)host or --\(prefix)port")
    }
  }

  /// Maps an error of the layers below to what it means for whoever starts the server.
  init(_ error: any Error) {
    switch error {
    case let failure as StartFailure: self = failure
    case let error as FolderError:
      switch error {
      case .locked: self = .locked("\(error)")
      case .failed, .full, .readOnly, .notPermitted: self = .io("\(error)")
      case .shared, .encryption(_, .keyNeeded), .encryption(_, .wrongKey): self = .configuration("\(error)")
      case .missing, .notADirectory, .foreign, .newer, .unreadable, .keys, .encryption:
        self = .dataUnreadable("\(error)")
      }
    case let error as DiskError: self = .io("\(error); \(error.trouble.remedy)")
    case BlockFileError.failed(let error), SnapshotError.file(.failed(let error)): self.init(error)
    case let error as LogError where error.code == .disk: self = .io("\(error)")
    case let error as LogError: self = .dataUnreadable("\(error)")
    case is RecoveryError, is BlockFileError, is CodingError, is Rejoining.Refusal: self = .dataUnreadable("\(error)")
    case is ZoneDatabase.Missing, is ClockConflict, is TLSError, is EncryptionError: self = .configuration("\(error)")
    default: self = .io("\(error)")
    }
  }
}
