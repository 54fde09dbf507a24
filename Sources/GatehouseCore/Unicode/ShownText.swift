/// Texts from outside, made safe to show: on one line, and nothing but themselves.
///
/// A line break could forge a line, a control character redraw a terminal, and a format character reverse the reading
/// direction or hide. Each is escaped by number, and a backslash is doubled, so that escapes are unambiguous.
public enum ShownText {
  /// Whether a character must be escaped.
  public static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool { UnicodeTables.isUnprintable(scalar) }

  /// `line one\nline two`, `\u{202e}`, `C:\\temp`.
  /// - Parameter isOwn: whether the program itself wrote it, so that backslashes are escapes already.
  public static func line(_ text: String, isOwn: Bool = false) -> String {
    escaped(text, doublesBackslash: !isOwn) { _ in false }
  }

  /// Several lines, for texts of the program: line ends and tabs are kept.
  public static func lines(_ text: String) -> String {
    // A lone carriage return would overwrite the line.
    escaped(text, doublesBackslash: false) { rest in
      rest.first == "\n" || rest.first == "\t" || rest.starts(with: "\r\n".unicodeScalars)
    }
  }

  private static func escaped(
    _ text: String, doublesBackslash: Bool, keeps: (Substring.UnicodeScalarView) -> Bool
  ) -> String {
    guard text.unicodeScalars.contains(where: { $0 == "\\" || isUnprintable($0) }) else { return text }
    var shown = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.first {
      if keeps(rest) || scalar == "\\" && !doublesBackslash {
        shown.append(scalar)
      } else {
        append(scalar, to: &shown)
      }
      rest = rest.dropFirst()
    }
    return String(shown)
  }

  /// The beginning of a text, in whole characters of at most so many bytes.
  public static func prefix(_ text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    var end = text.utf8.index(text.startIndex, offsetBy: bytes)
    while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
    return String(text.unicodeScalars[..<end])
  }

  /// A value within a line; quoted if it could be taken for several, or for none.
  public static func value(_ text: String) -> String {
    let isPlain =
      !text.hasPrefix(" ") && !text.hasSuffix(" ") && !text.contains("  ")
      && !text.unicodeScalars.contains { "\\\",→".unicodeScalars.contains($0) || isUnprintable($0) }
    return isPlain ? text : quoted(text)
  }

  /// `"Lovelace, \"Ada\""`.
  public static func quoted(_ text: String) -> String {
    var shown = String.UnicodeScalarView("\"".unicodeScalars)
    for scalar in text.unicodeScalars {
      if scalar == "\"" { shown.append("\\") }
      append(scalar, to: &shown)
    }
    shown.append("\"")
    return String(shown)
  }

  private static func append(_ scalar: Unicode.Scalar, to shown: inout String.UnicodeScalarView) {
    switch scalar {
    case "\\": shown.append(contentsOf: "\\\\".unicodeScalars)
    case "\n": shown.append(contentsOf: "\\n".unicodeScalars)
    case "\r": shown.append(contentsOf: "\\r".unicodeScalars)
    case "\t": shown.append(contentsOf: "\\t".unicodeScalars)
    case _ where isUnprintable(scalar):
      shown.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
    default: shown.append(scalar)
    }
  }
}
