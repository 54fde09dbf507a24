import Glibc

/// Emphasis on a terminal; none if colours are off (`NO_COLOR`, a pipe).
struct TextStyle {
  let usesColour: Bool

  func heading(_ text: String) -> String { wrapped(text, "1") }
  func faint(_ text: String) -> String { wrapped(text, "2") }
  func good(_ text: String) -> String { wrapped(text, "32") }
  func bad(_ text: String) -> String { wrapped(text, "1;31") }

  private func wrapped(_ text: String, _ code: String) -> String {
    usesColour && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

/// How many columns a text takes on a terminal.
enum TextWidth {
  static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

  /// A letter with accents is as wide as its base; Chinese, Japanese and Korean letters take two columns.
  private static func of(_ character: Character) -> Int {
    guard let base = character.unicodeScalars.first, !base.isASCII else { return 1 }
    return wide.contains { $0.contains(base.value) } ? 2 : 1
  }

  /// The blocks with East Asian Width `W` or `F`, and emoji.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
    0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
    0x20000...0x3fffd,
  ]

  /// The text cut to at most this many columns, with `…` if something was cut off.
  static func cut(_ text: String, to columns: Int) -> String {
    guard of(text) > columns else { return text }
    var cut = ""
    var used = 1
    for character in text {
      used += of(character)
      if used > columns { break }
      cut.append(character)
    }
    return cut + "…"
  }

  static func padded(_ text: String, to columns: Int) -> String {
    text + String(repeating: " ", count: max(0, columns - of(text)))
  }
}

enum TerminalWidth {
  /// Columns of the terminal; 80 if unknown.
  static var current: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
