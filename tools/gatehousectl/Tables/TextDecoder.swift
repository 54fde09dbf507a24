import ArgumentParser
import GatehouseCore

/// How the characters of a file are written.
enum TextEncoding: String, CaseIterable, ExpressibleByArgument {
  case utf8 = "utf-8"
  /// The byte order mark says which byte comes first; without one it is the lower, as on Windows.
  case utf16 = "utf-16"
  case latin1 = "latin-1"
  case windows1252 = "windows-1252"
}

/// Makes UTF-8 of the pieces of a file, without its byte order mark. What claims to be UTF-8 is passed on unchecked: who
/// reads the cells says which line is wrong.
struct TextDecoder {
  private enum Form {
    /// The first bytes have not been seen.
    case undecided(TextEncoding?)
    case utf8
    case utf16(isBigEndian: Bool)
    /// One byte a character; the array has those from 0x80 on.
    case table([Unicode.Scalar])
  }

  private var form: Form
  /// Bytes that wait for others: less than a byte order mark, or than a character.
  private var rest: [UInt8] = []

  /// - Parameter encoding: nil for UTF-8, or UTF-16 if a byte order mark says so.
  init(_ encoding: TextEncoding?) { form = .undecided(encoding) }

  /// Decodes the next piece; an empty one is the end.
  mutating func decode(_ piece: [UInt8]) throws(TableError) -> [UInt8] {
    let isEnd = piece.isEmpty
    var bytes = rest.isEmpty ? piece : rest + piece
    rest = []
    if case .undecided(let encoding) = form {
      guard bytes.count >= Self.longestMark || isEnd else {
        rest = bytes
        return []
      }
      bytes.removeFirst(decide(encoding, bytes))
    }
    switch form {
    case .undecided, .utf8: return bytes
    case .utf16(let isBigEndian): return try utf16(bytes, isBigEndian: isBigEndian, isEnd: isEnd)
    case .table(let upper): return Self.decode(bytes, upper)
    }
  }

  // MARK: Byte order marks

  private static let longestMark = 3

  /// Chooses the form, and returns how long the byte order mark is.
  private mutating func decide(_ encoding: TextEncoding?, _ start: [UInt8]) -> Int {
    let isUTF8 = start.starts(with: [0xef, 0xbb, 0xbf])
    let isBigEndian = start.starts(with: [0xfe, 0xff])
    let isMarked16 = isBigEndian || start.starts(with: [0xff, 0xfe])
    switch encoding {
    case .utf16:
      form = .utf16(isBigEndian: isBigEndian)
      return isMarked16 ? 2 : 0
    case nil where isMarked16:
      form = .utf16(isBigEndian: isBigEndian)
      return 2
    case nil, .utf8:
      form = .utf8
      return isUTF8 ? 3 : 0
    case .latin1:
      form = .table((0x80...0xff).map { Unicode.Scalar(UInt8($0)) })
    case .windows1252:
      form = .table(Self.windows1252)
    }
    return 0
  }

  // MARK: UTF-16

  private mutating func utf16(_ bytes: [UInt8], isBigEndian: Bool, isEnd: Bool) throws(TableError) -> [UInt8] {
    var units: [UInt16] = []
    units.reserveCapacity(bytes.count / 2)
    for at in stride(from: 0, to: bytes.count - 1, by: 2) {
      let (a, b) = (UInt16(bytes[at]), UInt16(bytes[at + 1]))
      units.append(isBigEndian ? a << 8 | b : b << 8 | a)
    }
    var used = 2 * units.count
    if let last = units.last, UTF16.isLeadSurrogate(last), !isEnd {
      units.removeLast()
      used -= 2
    }
    rest = Array(bytes[used...])
    if isEnd, !rest.isEmpty { throw .halfCharacter }
    guard let text = String(validating: units, as: UTF16.self) else { throw .halfCharacter }
    return Array(text.utf8)
  }

  // MARK: One byte a character

  private static func decode(_ bytes: [UInt8], _ upper: [Unicode.Scalar]) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count + bytes.count / 8)
    for byte in bytes {
      if byte < 0x80 { decoded.append(byte) } else { decoded.append(contentsOf: UTF8.encode(upper[Int(byte) - 0x80])!) }
    }
    return decoded
  }

  /// From 0x80 on. The five bytes without a character are control characters, as in the WHATWG's Encoding Standard.
  private static let windows1252: [Unicode.Scalar] =
    Array("€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ".unicodeScalars)
    + (0xa0...0xff).map { Unicode.Scalar(UInt8($0)) }
}
