/// A person's name in parts, and as one text in the order that a workspace chooses (S3).
public struct PersonName: Sendable, Equatable {
  public var first = ""
  public var middle = ""
  public var last = ""

  public init(first: String, middle: String, last: String) {
    self.first = first
    self.middle = middle
    self.last = last
  }

  /// Splits a typed name. `last-first` takes the part before a comma as the last name, or else the first word;
  /// `first-last` takes the last word. A single word is a first name in `first-last` and a last name in `last-first`.
  public init(typed text: String, format: String) {
    let isLastFirst = format == Self.lastFirst
    var words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    if isLastFirst, let comma = text.firstIndex(of: ",") {
      last = text[..<comma].split(whereSeparator: \.isWhitespace).joined(separator: " ")
      words = text[text.index(after: comma)...].split(whereSeparator: \.isWhitespace).map(String.init)
    } else if isLastFirst, !words.isEmpty {
      last = words.removeFirst()
    } else if words.count > 1 {
      last = words.removeLast()
    }
    if !words.isEmpty { first = words.removeFirst() }
    middle = words.joined(separator: " ")
  }

  public static let lastFirst = "last-first"

  /// `Ada King Lovelace`, or `Lovelace, Ada King`.
  public func text(format: String) -> String {
    func joined(_ parts: [String]) -> String { parts.filter { !$0.isEmpty }.joined(separator: " ") }
    guard format == Self.lastFirst else { return joined([first, middle, last]) }
    let given = joined([first, middle])
    if last.isEmpty { return given }
    return given.isEmpty ? last : "\(last), \(given)"
  }
}
