import ArgumentParser
import GatehouseServer

/// The program's exit codes, numbered as in `sysexits.h`, so that a supervisor knows whether a restart can help.
enum ExitStatus {
  static let success: Int32 = 0
  /// A command was answered with an error.
  static let errorReply: Int32 = 1
  /// The client could not reach the server, or lost it.
  static let noConnection: Int32 = 2
  /// The command line is wrong.
  static let usage: Int32 = 64
  /// The data folder cannot be read: damaged, of a newer version, or not Gatehouse's. A restart does not help.
  static let dataUnreadable: Int32 = 66
  /// A bug in the program itself.
  static let software: Int32 = 70
  /// Reading, writing or syncing failed.
  static let io: Int32 = 74
  /// Another process holds the data folder; a restart later may help.
  static let locked: Int32 = 75
  /// The configuration is wrong, or does not work here (such as a port in use). A restart does not help.
  static let configuration: Int32 = 78

  static let help = """
    EXIT CODES:
      0 stopped when asked to      66 data cannot be read
     64 wrong command line         74 input or output failed
     75 data folder in use         78 wrong configuration
    """

  static func of(_ error: any Error) -> Int32 {
    switch error {
    case let failure as StartFailure:
      switch failure {
      case .locked: locked
      case .dataUnreadable: dataUnreadable
      case .io: io
      case .configuration: configuration
      }
    case is SettingError, is ConfigurationFileError: configuration
    case let exit as ExitCode: exit.rawValue
    default: software
    }
  }
}
