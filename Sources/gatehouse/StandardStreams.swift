import GatehouseCore
import Glibc

/// Unbuffered writes to the standard streams. Each line is one system call, so that lines of several threads do not
/// mix, and nothing is left in a buffer if the process is killed.
enum StandardStream {
  /// Results.
  static func output(_ text: String) { output(bytes: Array(text.utf8)) }
  static func output(bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

  /// A message of the program, always on one line.
  static func message(_ line: String) { error(ShownText.line(line) + "\n") }

  /// Progress and logs.
  static func error(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  /// If a stream is gone (a closed pipe), nothing more is written: there is nobody left to tell.
  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      sent += count
    }
  }
}
