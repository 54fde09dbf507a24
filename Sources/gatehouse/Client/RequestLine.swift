import GatehouseCore
import GatehouseWire

/// Splits a typed line into words, by the server's own rules for quotes and escapes.
enum RequestLine {
  /// Why a line has no words, and how it is meant.
  static let openQuote =
    "a quote is not closed, or no blank follows it; put a word that has one in it into the other kind: \"o'brien\""

  /// - Returns: nil if a quote is not closed, or the line is too long.
  static func words(of line: String) -> [[UInt8]]? {
    // A leading blank prevents a line that starts with an asterisk from being parsed as an array.
    let bytes = Array((" " + line + "\n").utf8)
    var parser = RequestParser(authenticated: true)
    return bytes.withUnsafeBytes { bytes in
      switch parser.next(bytes) {
      case .request:
        let arguments = parser.arguments(in: bytes)
        return (0..<arguments.count).map { Array(arguments[$0]) }
      case .nothing: return []
      case .incomplete, .failure: return nil
      }
    }
  }

  /// The complete words before the cursor, and the word being typed. After an open quote nothing is known, so there are
  /// none.
  static func typed(_ line: String) -> (before: [String], current: String) {
    let current = LineEditor.lastWord(of: line)
    let before = words(of: String(line.dropLast(current.count))) ?? []
    return (before.map { String(decoding: $0, as: UTF8.self) }, String(current))
  }
}
