import GatehouseCore
import GatehouseWire

/// A piece of text in a table, a list of facts or a sentence.
struct Cell: Sendable {
  /// How a badge is coloured. The word in it says the same.
  enum Tone: String, Sendable {
    case good, warn, bad, quiet, accent
  }

  let values: Values

  private static let kinds = [
    "plain", "strong", "muted", "code", "gone", "key", "link", "badge", "time", "number", "meter", "newline",
  ]

  /// Names all kinds, so that a template does not take one from what stands around the cell.
  private init(_ kind: String, _ value: any Sendable) {
    var values: Values = [:]
    for other in Self.kinds { values[other] = nil }
    values[kind] = value
    self.values = values
  }

  static func text(_ text: String) -> Cell { Cell("plain", text) }
  static func strong(_ text: String) -> Cell { Cell("strong", text) }
  static func muted(_ text: String) -> Cell { Cell("muted", text) }
  static func code(_ text: String) -> Cell { Cell("code", text) }
  /// What was before, struck through.
  static func gone(_ text: String) -> Cell { Cell("gone", text) }
  static func key(_ text: String) -> Cell { Cell("key", text) }
  /// What follows stands below.
  static let newline = Cell("newline", true)
  static let none = Cell("muted", "–")

  static func link(_ text: String, _ address: Address) -> Cell {
    Cell("link", Values(dictionaryLiteral: ("text", text), ("address", address.text)))
  }

  static func badge(_ text: String, _ tone: Tone) -> Cell {
    Cell("badge", Values(dictionaryLiteral: ("text", text), ("tone", tone.rawValue)))
  }

  /// A moment: in UTC as it comes, in the reader's zone where scripts run.
  static func time(_ time: Int64?) -> Cell {
    guard let time else { return .none }
    let iso = TimeText.text(of: time)
    return Cell(
      "time",
      Values(dictionaryLiteral: ("iso", iso), ("text", "\(iso.prefix(10)) \(iso.dropFirst(11).prefix(5)) UTC")))
  }

  /// A sentence of the server, in which moments are shown as such.
  static func withMoments(_ text: String) -> [Cell] {
    var cells: [Cell] = []
    var plain = ""
    for (index, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
      if index > 0 { plain += " " }
      // `2026-11-30T17:30:00Z` or with milliseconds, perhaps with the sentence's end behind it.
      let iso = word.prefix { $0.isLetter || $0.isNumber || ":-.".contains($0) }.prefix(through: "Z")
      if iso.utf8.count >= 20, iso.hasSuffix("Z"), let time = TimeText.time(String(iso)) {
        if !plain.isEmpty { cells.append(.text(plain)) }
        cells.append(.time(time))
        plain = String(word.dropFirst(iso.count))
      } else {
        plain += word
      }
    }
    return plain.isEmpty ? cells : cells + [.text(plain)]
  }

  static func number(_ number: Int64) -> Cell { Cell("number", String(number)) }

  static func duration(_ milliseconds: Int64) -> Cell { .text(Self.durationText(milliseconds)) }

  /// A bar of how much of something is used: from nine tenths on it warns, and full it stands out.
  static func meter(_ used: Int64, of whole: Int64) -> Cell {
    Cell(
      "meter",
      Values(
        dictionaryLiteral: ("used", String(used)), ("whole", String(whole)), ("text", "\(used) of \(whole)"),
        ("low", String(whole * 9 / 10)), ("high", String(Double(max(whole, 1)) - 0.5))))
  }

  static func durationText(_ milliseconds: Int64) -> String {
    let minutes = milliseconds / 60_000
    if minutes >= 2 * 1440 { return "\(minutes / 1440) d \(minutes % 1440 / 60) h" }
    if minutes >= 60 { return "\(minutes / 60) h \(minutes % 60) min" }
    return minutes > 0 ? "\(minutes) min" : "\(milliseconds / 1000) s"
  }

  /// The status of a user, as a badge.
  static func status(_ status: String) -> Cell {
    switch status {
    case "active": .badge(status, .good)
    case "new", "import", "temporary": .badge(status, .accent)
    case "pending": .badge(status, .warn)
    case "locked": .badge(status, .bad)
    default: .badge(status, .quiet)
    }
  }

  /// What a field of a reply has, as plain text.
  static func value(_ value: RESPValue?) -> Cell {
    switch value {
    case nil, .null: .none
    case .integer(let number): .number(number)
    case let value?: value.string.map { $0.isEmpty ? .none : .text($0) } ?? .none
    }
  }
}

extension Substring {
  /// Up to a character; all of it if it has none.
  fileprivate func prefix(through end: Character) -> Substring {
    lastIndex(of: end).map { self[...$0] } ?? self
  }
}

extension [Cell] {
  var values: [Values] { map(\.values) }
}
