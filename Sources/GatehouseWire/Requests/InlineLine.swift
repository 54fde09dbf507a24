internal import GatehouseCore

/// Splits a line into words like Redis' `sdssplitargs`, so that what people know from redis-cli works here too.
///
/// Words are separated by blanks. Within `"…"` the escapes are `\n \r \t \b \a \xHH`, and any other escaped byte stands
/// for itself; within `'…'` only `\'` is an escape. A closing quote must be followed by a blank or the end of the line.
enum InlineLine {
  enum Outcome {
    /// The ranges refer to the line.
    case inPlace
    /// Some word is quoted; the ranges of all words refer to the scratch bytes.
    case inScratch
    case unbalancedQuotes
  }

  static func split(
    _ line: UnsafeRawBufferPointer,
    into ranges: inout FlatList<ArgumentRange>,
    scratch: inout FlatList<UInt8>
  ) -> Outcome {
    assert(ranges.isEmpty)
    var at = 0
    while let start = skipBlanks(line, from: at) {
      at = start
      while at < line.count, !endsWord(line[at]) {
        if line[at] == Byte.quote || line[at] == Byte.apostrophe {
          ranges.removeAll()
          return unquote(line, into: &ranges, scratch: &scratch) ? .inScratch : .unbalancedQuotes
        }
        at += 1
      }
      ranges.append(ArgumentRange(offset: start, count: at - start))
    }
    return .inPlace
  }

  /// Copies every word to `scratch` without its quotes. False if a quote is not closed, or not followed by a blank.
  private static func unquote(
    _ line: UnsafeRawBufferPointer,
    into ranges: inout FlatList<ArgumentRange>,
    scratch: inout FlatList<UInt8>
  ) -> Bool {
    scratch.removeAll()
    var at = 0
    while let start = skipBlanks(line, from: at) {
      at = start
      let offset = scratch.count
      word: while at < line.count, !endsWord(line[at]) {
        let end: Int?
        switch line[at] {
        case Byte.quote: end = copyQuoted(line, from: at + 1, to: &scratch)
        case Byte.apostrophe: end = copyApostrophes(line, from: at + 1, to: &scratch)
        default:
          scratch.append(line[at])
          at += 1
          continue word
        }
        guard let end, end == line.count || isBlank(line[end]) else { return false }
        at = end
        break word
      }
      ranges.append(ArgumentRange(offset: offset, count: scratch.count - offset))
    }
    return true
  }

  /// Copies the text in double quotes. Returns the offset after the closing quote, or nil if there is none.
  private static func copyQuoted(
    _ line: UnsafeRawBufferPointer, from start: Int, to scratch: inout FlatList<UInt8>
  ) -> Int? {
    var at = start
    while at < line.count {
      switch line[at] {
      case Byte.quote:
        return at + 1
      case Byte.backslash where at + 1 < line.count:
        if at + 3 < line.count, line[at + 1] == UInt8(ascii: "x"),
          let high = Byte.hexValue(line[at + 2]), let low = Byte.hexValue(line[at + 3])
        {
          scratch.append(high << 4 | low)
          at += 4
        } else {
          scratch.append(unescaped(line[at + 1]))
          at += 2
        }
      default:
        scratch.append(line[at])
        at += 1
      }
    }
    return nil
  }

  /// Copies the text in single quotes. Returns the offset after the closing quote, or nil if there is none.
  private static func copyApostrophes(
    _ line: UnsafeRawBufferPointer, from start: Int, to scratch: inout FlatList<UInt8>
  ) -> Int? {
    var at = start
    while at < line.count {
      switch line[at] {
      case Byte.apostrophe:
        return at + 1
      case Byte.backslash where at + 1 < line.count && line[at + 1] == Byte.apostrophe:
        scratch.append(Byte.apostrophe)
        at += 2
      default:
        scratch.append(line[at])
        at += 1
      }
    }
    return nil
  }

  private static func unescaped(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "n"): 0x0a
    case UInt8(ascii: "r"): 0x0d
    case UInt8(ascii: "t"): 0x09
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "a"): 0x07
    default: byte
    }
  }

  private static func skipBlanks(_ line: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var at = start
    while at < line.count {
      if !isBlank(line[at]) { return at }
      at += 1
    }
    return nil
  }

  /// C's `isspace`.
  @inline(__always)
  private static func isBlank(_ byte: UInt8) -> Bool { byte == Byte.space || (0x09...0x0d).contains(byte) }

  /// Unlike `isBlank`: in Redis a vertical tab or a form feed separates words but does not end a bare word.
  @inline(__always)
  private static func endsWord(_ byte: UInt8) -> Bool {
    byte == Byte.space || byte == Byte.tab || byte == Byte.lineFeed || byte == Byte.carriageReturn
  }
}
