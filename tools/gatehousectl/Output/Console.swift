import Foundation
import GatehouseCore
import Glibc

/// The standard streams: results on standard output, everything else on standard error.
enum Console {
  /// A line of the result.
  static func result(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

  /// Several lines in one system call.
  static func result(lines: String) { write(lines, to: STDOUT_FILENO) }

  /// A message, always on one line.
  static func message(_ line: String) { write(ShownText.line(line) + "\n", to: STDERR_FILENO) }

  /// A part of a line, such as a progress bar.
  static func show(_ text: String) { write(text, to: STDERR_FILENO) }

  /// Whether standard error is a terminal on which a line can be redrawn.
  static var messagesAreWatched: Bool { isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb" }

  /// Whether results are shown in colour: on a terminal, unless `NO_COLOR` is set.
  static var usesColour: Bool {
    isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb" && environment["NO_COLOR", default: ""].isEmpty
  }

  static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// Bytes of the result.
  static func result(bytes: [UInt8]) { if !write(bytes, to: STDOUT_FILENO) { exit(ExitStatus.io) } }

  /// If a stream is gone, the program ends: there is nobody left to work for.
  private static func write(_ text: String, to descriptor: Int32) {
    if !write(Array(text.utf8), to: descriptor) { exit(ExitStatus.io) }
  }

  /// Writes all bytes; false if that failed, for the reason in `errno`.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }
}

/// Coloured words, if colours are on.
struct Palette {
  let isOn: Bool

  func good(_ text: String) -> String { isOn ? "\u{1B}[32m\(text)\u{1B}[0m" : text }
  func bad(_ text: String) -> String { isOn ? "\u{1B}[31m\(text)\u{1B}[0m" : text }
  func faint(_ text: String) -> String { isOn ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
}
