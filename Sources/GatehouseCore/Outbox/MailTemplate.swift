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
    ["name", "username", "email", "workspace", "message", secret] + MailFact.allCases.map(\.name)

  /// Stands for what only the recipient may know.
  static let secret = "secret"

  /// What is wrong with a text: placeholders that there are not, and braces that are not closed.
  static func faults(in text: String) -> [String] {
    var faults: [String] = []
    forEachPart(of: text) { part in
      switch part {
      case .text: break
      case .placeholder(let name): if !placeholders.contains(name) { faults.append("no placeholder {{\(name)}}") }
      case .open(let rest):
        faults.append("'{{' without '}}' after it, in '\(ShownText.prefix(String(rest), bytes: shownOfFault))'")
      }
    }
    return faults
  }

  /// How much of a text a refusal shows.
  private static let shownOfFault = 24

  /// Whether a placeholder is in a text.
  static func names(_ placeholder: String, in text: String) -> Bool {
    var isThere = false
    forEachPart(of: text) { if case .placeholder(let name) = $0, name == placeholder { isThere = true } }
    return isThere
  }

  static func placeholderCount(in text: String) -> Int {
    var count = 0
    forEachPart(of: text) { if case .placeholder = $0 { count += 1 } }
    return count
  }

  /// The most bytes that a text can have with everything filled in.
  static func mostBytes(of text: String) -> Int {
    var bytes = 0
    forEachPart(of: text) { part in
      switch part {
      case .text(let text), .open(let text): bytes += text.utf8.count
      case .placeholder("message"): bytes += Limits.textBytes
      // Names, addresses, times, and reasons, which are the longest.
      case .placeholder: bytes += Limits.reasonBytes
      }
    }
    return bytes
  }

  /// Fills in the placeholders. What they stand for is text and nothing else: it cannot add a line to the subject, and
  /// placeholders in it are not filled in again.
  ///
  /// A text is cut where it is longer than a mail may be. `MAIL.TEMPLATE.SET` refuses templates that could grow so much;
  /// older records may have some.
  func filled(_ value: (String) -> String) -> MailText {
    MailText(
      subject: Self.line(Self.fill(subject, Limits.mailSubjectBytes, value)),
      body: Self.lines(Self.fill(body, Limits.mailTextBytes, value)))
  }

  private static func fill(_ text: String, _ limit: Int, _ value: (String) -> String) -> String {
    var filled = ""
    forEachPart(of: text) { part in
      if filled.utf8.count >= limit { return }
      switch part {
      case .text(let text): filled += text
      case .open(let text): filled += text
      case .placeholder(let name): filled += value(name)
      }
    }
    return ShownText.prefix(filled, bytes: limit)
  }

  private enum Part {
    case text(Substring)
    case placeholder(String)
    /// Braces that are not closed, and what follows.
    case open(Substring)
  }

  /// Over bytes and not over characters: `MAIL.NEXT` fills texts while it holds the partitions.
  private static func forEachPart(of text: String, _ body: (Part) -> Void) {
    let bytes = text.utf8
    var start = bytes.startIndex
    var index = start
    while let open = pair(UInt8(ascii: "{"), in: bytes, from: index) {
      let inside = bytes.index(open, offsetBy: 2)
      let close = pair(UInt8(ascii: "}"), in: bytes, from: inside)
      // Braces that are opened again before they are closed were not closed.
      guard let close, pair(UInt8(ascii: "{"), in: bytes, from: inside).map({ $0 > close }) ?? true else {
        if start < open { body(.text(text[start..<open])) }
        let next = pair(UInt8(ascii: "{"), in: bytes, from: inside) ?? bytes.endIndex
        body(.open(text[open..<next]))
        (start, index) = (next, next)
        continue
      }
      if start < open { body(.text(text[start..<open])) }
      body(.placeholder(text[inside..<close].split(separator: " ").joined(separator: " ")))
      start = bytes.index(close, offsetBy: 2)
      index = start
    }
    if start < bytes.endIndex { body(.text(text[start...])) }
  }

  /// Where two of the same byte stand one after the other.
  private static func pair(
    _ byte: UInt8, in bytes: String.UTF8View, from first: String.Index
  ) -> String.Index? {
    var rest = bytes[first...]
    while let found = rest.firstIndex(of: byte) {
      let next = rest.index(after: found)
      if next < rest.endIndex, rest[next] == byte { return found }
      rest = rest[next...]
    }
    return nil
  }

  /// A text on one line. A subject is a header of the mail: a line break in it would begin another header.
  private static func line(_ text: String) -> String {
    var line = String.UnicodeScalarView()
    var count = 0
    for scalar in text.unicodeScalars {
      // Scripts and emoji join what stands before and after, and a joiner begins no header.
      let isJoiner = scalar.properties.isJoinControl && line.last.map { $0 != " " } ?? false
      let isBreak = !isJoiner && (scalar.properties.isWhitespace || ShownText.isUnprintable(scalar))
      if isBreak, line.last.map({ $0 == " " }) ?? true { continue }
      line.append(isBreak ? " " : scalar)
      count += 1
      if count >= subjectCharacters { break }
    }
    while line.last == " " { line.removeLast() }
    return String(line)
  }

  static let subjectCharacters = 200

  /// A text without control characters other than line feeds and tabs, and without blank lines at its end, such as those
  /// around a message that is not there.
  private static func lines(_ text: String) -> String {
    var text = withoutControls(text)
    while let last = text.unicodeScalars.last, last.properties.isWhitespace { text.unicodeScalars.removeLast() }
    return text
  }

  private static func withoutControls(_ text: String) -> String {
    var text = text
    let kept: String? = text.withUTF8 { bytes in
      guard bytes.indices.contains(where: { controlBytes(at: $0, in: bytes) > 0 }) else { return nil }
      return String(unsafeUninitializedCapacity: bytes.count) { room in
        var (from, count) = (0, 0)
        while from < bytes.count {
          let skipped = controlBytes(at: from, in: bytes)
          if skipped == 0 {
            room[count] = bytes[from]
            count += 1
          }
          from += max(1, skipped)
        }
        return count
      }
    }
    return kept ?? text
  }

  /// How many bytes the control character has that begins there; 0 if none does.
  private static func controlBytes(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let byte = bytes[index]
    if byte < 0x20 { return byte == 0x09 || byte == 0x0a ? 0 : 1 }
    if byte == 0x7f { return 1 }
    // U+0080 to U+009F.
    guard byte == 0xc2, index + 1 < bytes.count, bytes[index + 1] < 0xa0 else { return 0 }
    return 2
  }
}

/// A mail as its recipient reads it.
public struct MailText: Sendable, Equatable {
  public internal(set) var subject: String
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
