/// Texts from elsewhere as people read them: in one line that says what is in it and nothing else.
///
/// A line break forges a line, a control character redraws a terminal, and a format character turns the reading
/// direction or hides. Each is written out by its number, and a backslash twice, so that what is shown can be told
/// from what was written that way.
public enum ShownText {
  /// Whether a character must be written out.
  public static func isUnprintable(_ scalar: Unicode.Scalar) -> Bool { UnicodeTables.isUnprintable(scalar) }

  /// `line one\nline two`, `\u{202e}`, `C:\\temp`.
  /// - Parameter isOwn: whether it is what the program itself wrote, whose backslashes are escapes already.
  public static func line(_ text: String, isOwn: Bool = false) -> String {
    escaped(text, doublesBackslash: !isOwn) { _ in false }
  }

  /// Several lines: what the program itself wrote as more than one keeps its line ends and tabs.
  public static func lines(_ text: String) -> String {
    // A carriage return alone would have the line written over.
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

  /// A value among others of a line: in quotes where it could be taken for more than one, or for none.
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
