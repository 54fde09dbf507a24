import GatehouseCore
import GatehouseWire

/// Splits what a person typed into words, with the server's own rules for quotes and escapes.
enum RequestLine {
  /// - Returns: nil when a quote is not closed, or the line is too long to be one.
  static func words(of line: String) -> [[UInt8]]? {
    // A blank in front keeps a line that starts with an asterisk from being read as the other form of a request.
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

  /// The complete words before the cursor and the one being typed there. A quote that is still open hides what
  /// follows it, since nothing can be said about it.
  static func typed(_ line: String) -> (before: [String], current: String) {
    let current = LineEditor.lastWord(of: line)
    let before = words(of: String(line.dropLast(current.count))) ?? []
    return (before.map { String(decoding: $0, as: UTF8.self) }, String(current))
  }
}
