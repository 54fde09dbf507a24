/// Reads comma-separated values (RFC 4180), row by row, from pieces of UTF-8.
///
/// A row ends with CR, LF or CRLF, outside of quotes. A quote in the middle of a cell that does not begin with one is
/// text. Where Python's `csv` and RFC 4180 differ, or a file is probably damaged, the reader refuses instead of
/// guessing: text behind a closing quote, a quote that is never closed, a NUL byte outside of quotes, a row above the
/// limit. Empty lines are skipped.
package struct CSVReader {
  package struct Row: Equatable {
    /// The cells one after another, without quotes.
    package var bytes: [UInt8] = []
    /// Where each cell ends in `bytes`.
    package var ends: [Int] = []
    /// The line on which the row begins, from 1.
    package var line = 1

    package init() {}

    package var count: Int { ends.count }

    package subscript(index: Int) -> ArraySlice<UInt8> { bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }
  }

  private enum State {
    case start
    case plain
    /// Inside of quotes, which were opened on that line.
    case quoted(line: Int)
    /// After a quote inside of quotes: the end, or the first of two.
    case quote(line: Int)
  }

  /// No row may have more bytes.
  package static let standardLimit = 1 << 20
  package static let delimiters: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  private let source: () throws(TableError) -> [UInt8]
  private let limit: Int
  package private(set) var delimiter: UInt8
  package private(set) var row = Row()
  private var piece: [UInt8] = []
  private var position = 0
  private var state = State.start
  /// The line of the next byte.
  private var line = 1
  /// Whether the byte before was a CR, whose LF is no second line end.
  private var isAfterReturn = false
  /// Whether a cell of the row was quoted.
  private var hasQuotes = false

  /// - Parameters:
  ///   - delimiter: nil to find out from the first line.
  ///   - source: the next piece of the file; an empty one is the end.
  package init(
    delimiter: UInt8? = nil, limit: Int = CSVReader.standardLimit,
    source: @escaping () throws(TableError) -> [UInt8]
  ) throws(TableError) {
    self.source = source
    self.limit = limit
    self.delimiter = delimiter ?? Self.delimiters[0]
    if delimiter == nil { try detectDelimiter() }
  }

  /// Reads the next row into `row`; false at the end of the file.
  package mutating func next() throws(TableError) -> Bool {
    repeat {
      row.bytes.removeAll(keepingCapacity: true)
      row.ends.removeAll(keepingCapacity: true)
      hasQuotes = false
      row.line = line
      skipLineFeed()
      while !(try scan()) {
        piece = try source()
        position = 0
        if piece.isEmpty { return try end() }
        // The LF of the line before may come with another piece than its CR.
        if case .start = state, row.ends.isEmpty { skipLineFeed() }
      }
    } while isBlank
    return true
  }

  private var isBlank: Bool { row.ends == [0] && !hasQuotes }

  /// What is left when the file ends without a line end.
  private mutating func end() throws(TableError) -> Bool {
    switch state {
    case .quoted(let line): throw .quoteNotClosed(line: line)
    case .start where row.ends.isEmpty: return false
    case .start, .plain, .quote: row.ends.append(row.bytes.count)
    }
    state = .start
    return true
  }

  // MARK: Scanning

  /// Whether the row is complete; false if more bytes are needed.
  private mutating func scan() throws(TableError) -> Bool {
    let bytes = piece
    while position < bytes.count {
      let byte = bytes[position]
      switch state {
      case .start, .plain:
        if case .start = state, byte == Self.quote {
          state = .quoted(line: line)
          hasQuotes = true
          position += 1
          continue
        }
        let end = endOfPlain(bytes)
        row.bytes.append(contentsOf: bytes[position..<end])
        position = end
        state = .plain
        try checkLimit()
        guard end < bytes.count else { return false }
        guard bytes[end] != 0 else { throw .nul(line: line) }
        if try endCell(bytes[end]) { return true }
      case .quoted(let opened):
        let end = endOfQuoted(bytes)
        row.bytes.append(contentsOf: bytes[position..<end])
        position = end
        try checkLimit()
        guard end < bytes.count else { return false }
        state = .quote(line: opened)
        isAfterReturn = false
        position += 1
      case .quote(let opened):
        if byte == Self.quote {
          row.bytes.append(byte)
          state = .quoted(line: opened)
          position += 1
        } else {
          guard byte == delimiter || byte == Self.lineFeed || byte == Self.carriageReturn else {
            throw .textAfterQuote(line: line)
          }
          if try endCell(byte) { return true }
        }
      }
    }
    return false
  }

  /// Where the text from `position` on ends, in a cell without quotes.
  private func endOfPlain(_ bytes: [UInt8]) -> Int {
    var end = position
    while end < bytes.count {
      let byte = bytes[end]
      if byte == delimiter || byte == Self.lineFeed || byte == Self.carriageReturn || byte == 0 { break }
      end += 1
    }
    return end
  }

  /// Where the next quote is; counts the lines up to it.
  private mutating func endOfQuoted(_ bytes: [UInt8]) -> Int {
    var end = position
    while end < bytes.count, bytes[end] != Self.quote {
      let byte = bytes[end]
      if byte == Self.carriageReturn || byte == Self.lineFeed && !isAfterReturn { line += 1 }
      isAfterReturn = byte == Self.carriageReturn
      end += 1
    }
    return end
  }

  /// Ends a cell at a delimiter or a line end; true if it was the row's last.
  private mutating func endCell(_ byte: UInt8) throws(TableError) -> Bool {
    row.ends.append(row.bytes.count)
    try checkLimit()
    state = .start
    position += 1
    guard byte != delimiter else { return false }
    line += 1
    isAfterReturn = byte == Self.carriageReturn
    return true
  }

  private mutating func skipLineFeed() {
    guard isAfterReturn, position < piece.count else { return }
    if piece[position] == Self.lineFeed { position += 1 }
    isAfterReturn = false
  }

  private func checkLimit() throws(TableError) {
    guard row.bytes.count + row.ends.count > limit else { return }
    if case .quoted = state { throw .rowTooLong(line: row.line, isQuoted: true) }
    throw .rowTooLong(line: row.line, isQuoted: false)
  }

  // MARK: Delimiter

  /// Takes the delimiter that the first line has most of, outside of quotes; the comma if it has none.
  private mutating func detectDelimiter() throws(TableError) {
    var counts = [Int](repeating: 0, count: Self.delimiters.count)
    var isQuoted = false
    var at = 0
    var hasText = false
    search: while true {
      while at < piece.count {
        let byte = piece[at]
        if byte == Self.quote { isQuoted.toggle() }
        if !isQuoted, byte == Self.lineFeed || byte == Self.carriageReturn {
          if hasText { break search }
        } else {
          hasText = true
        }
        if !isQuoted, let found = Self.delimiters.firstIndex(of: byte) { counts[found] += 1 }
        at += 1
      }
      guard piece.count <= limit else { break }
      let more = try source()
      if more.isEmpty { break }
      piece += more
    }
    let most = counts.max() ?? 0
    if most > 0, let found = counts.firstIndex(of: most) { delimiter = Self.delimiters[found] }
  }
}
