/// The text of a kind of mail, with placeholders such as `{{name}}` for what is different in each.
public struct MailTemplate: Sendable, Equatable {
  public internal(set) var subject: String
  public internal(set) var body: String

  public init(subject: String, body: String) {
    self.subject = subject
    self.body = body
  }

  /// The names that may stand in `{{…}}`.
  public static let placeholders: [String] =
    ["name", "username", "email", "workspace", "message", "secret"] + MailFact.allCases.map(\.name)

  /// The placeholders of a text that there are not, and braces that are not closed.
  static func faults(in text: String) -> [String] {
    var faults: [String] = []
    forEachPart(of: text) { part in
      if case .placeholder(let name) = part, !placeholders.contains(name) { faults.append("{{\(name)}}") }
    }
    return faults
  }

  /// Fills in the placeholders. What they stand for is text and nothing else: it cannot add a line to the subject, and
  /// placeholders in it are not filled in again.
  func filled(_ value: (String) -> String) -> MailText {
    MailText(subject: Self.line(Self.fill(subject, value)), body: Self.lines(Self.fill(body, value)))
  }

  private static func fill(_ text: String, _ value: (String) -> String) -> String {
    var filled = ""
    forEachPart(of: text) { part in
      switch part {
      case .text(let text): filled += text
      case .placeholder(let name): filled += value(name)
      }
    }
    return filled
  }

  private enum Part {
    case text(Substring)
    case placeholder(String)
  }

  private static func forEachPart(of text: String, _ body: (Part) -> Void) {
    var rest = text[...]
    while let open = rest.firstRange(of: "{{") {
      guard let close = rest[open.upperBound...].firstRange(of: "}}") else { break }
      body(.text(rest[..<open.lowerBound]))
      let name = rest[open.upperBound..<close.lowerBound].split(separator: " ").joined(separator: " ")
      body(.placeholder(name))
      rest = rest[close.upperBound...]
    }
    body(.text(rest))
  }

  /// A text on one line. A subject is a header of the mail: a line break in it would begin another header.
  private static func line(_ text: String) -> String {
    var line = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isBreak = scalar.properties.isWhitespace || ShownText.isUnprintable(scalar)
      if !isBreak { line.append(scalar) } else if let last = line.last, last != " " { line.append(" ") }
      if line.count >= subjectCharacters { break }
    }
    while line.last == " " { line.removeLast() }
    return String(line)
  }

  private static let subjectCharacters = 200

  /// A text without control characters other than line feeds and tabs, and without blank lines at its end, such as those
  /// around a message that is not there.
  private static func lines(_ text: String) -> String {
    var lines = String.UnicodeScalarView()
    lines.append(contentsOf: text.unicodeScalars.filter { $0 == "\n" || $0 == "\t" || !isControl($0) })
    while let last = lines.last, last.properties.isWhitespace { lines.removeLast() }
    return String(lines)
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .control }
}

/// A mail as its recipient reads it.
public struct MailText: Sendable, Equatable {
  public let subject: String
  public let body: String
}

/// Languages of mails: tags such as `en`, `cs` or `pt-br` (RFC 5646), in lower case.
public enum Language {
  public static let standard = "en"

  /// The language that a text names; nil if it has not the shape of a tag.
  public static func named(_ text: String) -> String? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard let first = parts.first, (2...3).contains(first.utf8.count), text.utf8.count <= 35,
      first.utf8.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 }),
      parts.dropFirst().allSatisfy({ part in
        (1...8).contains(part.utf8.count) && part.utf8.allSatisfy { ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 }
      })
    else { return nil }
    return text.lowercased()
  }

  /// A language and those that it is a variety of: `pt-br`, `pt`.
  static func chain(_ language: String) -> [String] {
    let parts = language.split(separator: "-")
    return parts.indices.reversed().map { parts[...$0].joined(separator: "-") }
  }
}
