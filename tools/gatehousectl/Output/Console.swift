import Foundation
import GatehouseCore
import Glibc

/// The standard streams: results on one, everything else on the other.
enum Console {
  /// A line of what was asked for.
  static func result(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

  /// Several lines in one call: much output is not a system call a line.
  static func result(lines: String) { write(lines, to: STDOUT_FILENO) }

  /// A line for whoever watches, one line whatever it quotes.
  static func message(_ line: String) { write(ShownText.line(line) + "\n", to: STDERR_FILENO) }

  /// Part of a line for whoever watches.
  static func show(_ text: String) { write(text, to: STDERR_FILENO) }

  /// Whether somebody watches who can see a line being drawn over.
  static var messagesAreWatched: Bool { isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb" }

  /// Whether results are shown in colour: on a terminal, unless `NO_COLOR` is set.
  static var usesColour: Bool {
    isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb" && environment["NO_COLOR", default: ""].isEmpty
  }

  static var environment: [String: String] { ProcessInfo.processInfo.environment }

  /// A stream that is gone ends the program: there is nobody left to work for.
  private static func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { exit(ExitStatus.io) }
      sent += count
    }
  }
}

/// Words in colour, where that is wanted.
struct Palette {
  let isOn: Bool

  func good(_ text: String) -> String { isOn ? "\u{1B}[32m\(text)\u{1B}[0m" : text }
  func bad(_ text: String) -> String { isOn ? "\u{1B}[31m\(text)\u{1B}[0m" : text }
  func faint(_ text: String) -> String { isOn ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
}
