import Glibc

/// The lines of standard input, in groups as large as are available at once.
final class InputLines {
  /// Limits the size of a group, and so of a pipeline.
  private static let chunk = 1 << 16

  private let descriptor: Int32
  private var rest: [UInt8] = []
  private var isAtEnd = false

  init(descriptor: Int32 = STDIN_FILENO) {
    self.descriptor = descriptor
  }

  /// The next complete lines, without line ends; nil at the end of input. The last line needs no line end.
  func next() -> [String]? {
    while !isAtEnd {
      var bytes = [UInt8](repeating: 0, count: Self.chunk)
      let count = read(descriptor, &bytes, bytes.count)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 {
        isAtEnd = true
        break
      }
      rest += bytes[..<count]
      guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
      defer { rest.removeSubrange(...end) }
      return Self.lines(of: rest[..<end])
    }
    defer { rest = [] }
    return rest.isEmpty ? nil : Self.lines(of: rest[...])
  }

  private static func lines(of bytes: ArraySlice<UInt8>) -> [String] {
    bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
      String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
    }
  }
}
