import ArgumentParser
import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// The program's exit codes; the larger ones are numbered as in `sysexits.h`.
enum ExitStatus {
  /// Problems were found, or a server answered with an error.
  static let problems: Int32 = 1
  /// The data cannot be read: damaged, of a newer version, not Gatehouse's, or missing.
  static let dataUnreadable: Int32 = 66
  static let noServer: Int32 = 69
  /// A bug in the program itself.
  static let software: Int32 = 70
  /// The target exists already, or must not be created there.
  static let cannotCreate: Int32 = 73
  static let io: Int32 = 74
  /// Another process holds the data folder.
  static let inUse: Int32 = 75

  static let help = """
    EXIT CODES:
      0 done                        69 no server answers
      1 problems were found, or     73 the target already exists
        the server refused          74 reading or writing failed
     64 wrong command line          75 a server uses the folder
     66 the data cannot be read   130 stopped by SIGINT or SIGTERM
    """

  static func of(_ error: any Error) -> Int32 {
    switch error {
    case let exit as ExitCode: exit.rawValue
    case let error as FolderError: of(error)
    case CopyError.notEmpty, CopyError.inside, CopyError.unfinished, CopyError.mounted: cannotCreate
    case CopyError.noRoom: io
    case is CopyError, is RecoveryError, is TableError, is EncryptionError: dataUnreadable
    case let error as LogError: error.code == .disk ? io : dataUnreadable
    case BlockFileError.failed, SnapshotError.file(.failed): io
    case is BlockFileError, is SnapshotError: dataUnreadable
    case is DiskError, is OfflineCommand.NotLogged: io
    case is OutputFailure: io
    case is OfflineCompaction.ClockConflict, is HeaderFault, is FileChanged, is ServerRefusal, is ServerTrouble,
      is RemoteBackup.Refusal:
      problems
    case is ClientError: noServer
    case is Interruption: Interruption.exitStatus
    default: software
    }
  }

  private static func of(_ error: FolderError) -> Int32 {
    switch error {
    case .locked: inUse
    case .failed, .full, .readOnly, .notPermitted: io
    case .shared: problems
    case .missing, .notADirectory, .foreign, .newer, .unreadable, .keys, .encryption: dataUnreadable
    }
  }
}

/// A subcommand that reports a failure in one line and by the exit code.
protocol OperatorCommand: ParsableCommand {
  func perform() throws
}

extension OperatorCommand {
  func run() throws {
    // A command that must clean up calls `Interruption.watch` instead.
    Interruption.endAtOnce()
    // Before anything copies the environment.
    EnvironmentKey.take()
    do {
      try perform()
    } catch let error as ValidationError {
      throw error
    } catch let exit as ExitCode {
      throw exit
    } catch {
      Console.message("gatehousectl: \(error)")
      throw ExitCode(ExitStatus.of(error))
    }
  }
}
