import GatehouseCore
import GatehouseStorage
import Glibc
import NIOCore

/// Why a server could not start or had to stop, as far as the one who started it can act on it. The program turns
/// each case into an exit code of its own, so that a supervisor can tell a mistake in the configuration from a disk
/// that fails.
package enum StartFailure: Error, Equatable, CustomStringConvertible {
  /// Another process holds the data folder.
  case locked(String)
  /// The data cannot be read: damaged, of a newer version, or not Gatehouse's.
  case dataUnreadable(String)
  /// Reading, writing or syncing failed.
  case io(String)
  /// The settings cannot be carried out on this machine.
  case configuration(String)

  package var description: String {
    switch self {
    case .locked(let text), .dataUnreadable(let text), .io(let text), .configuration(let text): text
    }
  }
}

extension StartFailure {
  /// The log failed while the server ran, or when it was closed.
  init(logFailure why: String, _ log: LogWriter) {
    let synced = log.syncedLSN
    let loss =
      synced < log.durableLSN
      ? "what was acknowledged after record \(synced) may be lost" : "what was acknowledged before is safe"
    self = .io("the log failed and took no more changes: \(why); \(loss); see to the disk and start again")
  }

  /// What a failure of the layers below means to the one who starts the server.
  init(_ error: any Error) {
    switch error {
    case let failure as StartFailure: self = failure
    case let error as FolderError:
      switch error {
      case .locked: self = .locked("\(error)")
      default: self = .dataUnreadable("\(error)")
      }
    case let error as DiskError: self = .io("\(error)")
    case let error as LogError where error.code == .disk: self = .io("\(error)")
    case let error as LogError: self = .dataUnreadable("\(error)")
    case is RecoveryError, is BlockFileError, is CodingError: self = .dataUnreadable("\(error)")
    case let error as IOError where [EADDRINUSE, EADDRNOTAVAIL, EACCES].contains(error.errnoCode):
      let reason = String(cString: strerror(error.errnoCode))
      self = .configuration("cannot listen there (\(reason)); choose another --host or --port")
    case is SocketAddressError, is SocketAddressError.UnknownHost:
      self = .configuration("there is no address to listen on (\(error)); choose another --host")
    default: self = .io("\(error)")
    }
  }
}
