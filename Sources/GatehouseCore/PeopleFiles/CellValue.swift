/// One of the values of a cell that has several: a text, and marks behind it that say more, each after an `@`.
///
///     Widgets@2026-03-01..2026-12-31@main; "Smith; Sons"@..2025-12-31
///
/// Double quotes around a text, at its beginning or behind a colon, take everything in it as it is, and two of them stand for
/// one. The form has no line ends, and no characters with which spreadsheets or readers of CSV do anything.
package struct CellValue: Equatable, Sendable {
  package var text: String
  package var marks: [String]

  package init(_ text: String, _ marks: [String] = []) {
    self.text = text
    self.marks = marks
  }

  /// What is between values, and whether they have marks.
  package struct Form: Sendable {
    let separators: [UInt8]
    let hasMarks: Bool

    /// Names without blanks.
    package static let words = Form(separators: Array(";,| \t\n\r".utf8), hasMarks: false)
    package static let markedWords = Form(separators: Array(";,| \t\n\r".utf8), hasMarks: true)
    /// Names with blanks and commas, such as those of companies.
    package static let names = Form(separators: Array(";|\n\r".utf8), hasMarks: false)
    package static let markedNames = Form(separators: Array(";|\n\r".utf8), hasMarks: true)
  }

  private static let quote = UInt8(ascii: "\"")
  private static let mark = UInt8(ascii: "@")
  private static let colon = UInt8(ascii: ":")

  // MARK: Reading

  /// The values of a cell, without empty ones.
  package static func values(in cell: String, _ form: Form) throws(CellFault) -> [CellValue] {
    var values: [CellValue] = []
    var parts: [Part] = [Part()]
    func end() {
      let texts = parts.map(\.text)
      if texts != [""] || parts[0].isQuoted { values.append(CellValue(texts[0], Array(texts.dropFirst()))) }
      parts = [Part()]
    }
    var bytes = Array(cell.utf8)[...]
    while let byte = bytes.popFirst() {
      if byte == quote, parts[parts.count - 1].mayBeQuoted {
        parts[parts.count - 1].quoted(try quoted(&bytes))
        if let next = bytes.first, !form.separators.contains(next), next != 0x20, !(form.hasMarks && next == mark) {
          throw CellFault("there is text behind a closing quote; a quote inside of quotes is doubled")
        }
      } else if form.separators.contains(byte) {
        end()
      } else if form.hasMarks, byte == mark {
        parts.append(Part())
      } else {
        parts[parts.count - 1].bytes.append(byte)
      }
    }
    end()
    return values
  }

  /// The text up to the closing quote, which is taken away, too.
  private static func quoted(_ bytes: inout ArraySlice<UInt8>) throws(CellFault) -> [UInt8] {
    var text: [UInt8] = []
    while let byte = bytes.popFirst() {
      guard byte == quote else {
        text.append(byte)
        continue
      }
      guard bytes.first == quote else { return text }
      text.append(quote)
      bytes.removeFirst()
    }
    throw CellFault("a quote is opened and never closed")
  }

  /// The text, or a mark, while it is read.
  private struct Part {
    var bytes: [UInt8] = []
    private(set) var isQuoted = false
    /// Where the text in quotes ends: blanks in it stay.
    private var kept = 0

    /// Whether a quote that comes now opens a text.
    var mayBeQuoted: Bool {
      !isQuoted && (bytes.allSatisfy { $0 == 0x20 } || bytes.last == CellValue.colon)
    }

    mutating func quoted(_ text: [UInt8]) {
      if bytes.last != CellValue.colon { bytes = [] }
      bytes += text
      kept = bytes.count
      isQuoted = true
    }

    /// Without blanks at the ends.
    var text: String {
      var rest = bytes[...]
      while rest.count > kept, rest.last == 0x20 { rest.removeLast() }
      if !isQuoted { while rest.first == 0x20 { rest.removeFirst() } }
      return String(decoding: rest, as: UTF8.self)
    }
  }

  // MARK: Writing

  /// The text of a cell with several values.
  package static func cell(_ values: [CellValue], _ form: Form) -> String {
    values.map { $0.word(form) }.joined(separator: ";")
  }

  /// The value alone, as `values(in:)` reads it.
  package func word(_ form: Form) -> String {
    ([text] + marks).map { Self.protected($0, form) }.joined(separator: "@")
  }

  /// A text in quotes, if it would not be read as it is. Of `account:Novo Nordisk` the name alone is quoted.
  private static func protected(_ text: String, _ form: Form) -> String {
    let bytes = text.utf8
    let isSpecial =
      bytes.contains { $0 == quote || form.separators.contains($0) || form.hasMarks && $0 == mark }
      || bytes.isEmpty || bytes.first == 0x20 || bytes.last == 0x20
    guard isSpecial else { return text }
    let kind = kinds.first { text.utf8.starts(with: $0.utf8) } ?? ""
    // By bytes: a quotation mark with an accent behind it is another character.
    let name = bytes.dropFirst(kind.utf8.count).flatMap { $0 == quote ? [quote, quote] : [$0] }
    return "\(kind)\"\(String(decoding: name, as: UTF8.self))\""
  }

  /// What stands before a name.
  private static let kinds = ["user:", "account:", "group:", "product:"]
}

/// Why the text of a cell cannot be read.
package struct CellFault: Error, Equatable {
  package let reason: String

  package init(_ reason: String) { self.reason = reason }
}
