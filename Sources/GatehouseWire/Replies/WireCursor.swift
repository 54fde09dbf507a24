/// Writes parts of the protocol one after the other into memory that the caller has made large enough.
struct WireCursor {
  private let start: UnsafeMutableRawPointer
  private(set) var written = 0

  @inline(__always)
  init(_ start: UnsafeMutableRawPointer) { self.start = start }

  @inline(__always)
  mutating func byte(_ value: UInt8) {
    start.storeBytes(of: value, toByteOffset: written, as: UInt8.self)
    written += 1
  }

  @inline(__always)
  mutating func lineEnd() {
    start.storeBytes(of: (0x0a0d as UInt16).littleEndian, toByteOffset: written, as: UInt16.self)
    written += 2
  }

  @inline(__always)
  mutating func raw(_ text: StaticString) {
    raw(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  @inline(__always)
  mutating func raw(_ bytes: UnsafeRawBufferPointer) {
    guard let from = bytes.baseAddress else { return }
    copy(from, bytes.count)
    written += bytes.count
  }

  /// Most texts are short, and two loads and stores that overlap cost less than a call of `memcpy`.
  @inline(__always)
  private func copy(_ from: UnsafeRawPointer, _ count: Int) {
    switch count {
    case 8...16: copyEnds(from, count, as: UInt64.self)
    case 4..<8: copyEnds(from, count, as: UInt32.self)
    case 2..<4: copyEnds(from, count, as: UInt16.self)
    default: (start + written).copyMemory(from: from, byteCount: count)
    }
  }

  /// Copies the first and the last bytes, which overlap unless there are twice as many as a word has.
  @inline(__always)
  private func copyEnds<Word: BitwiseCopyable>(_ from: UnsafeRawPointer, _ count: Int, as word: Word.Type) {
    let last = count - MemoryLayout<Word>.size
    let (head, tail) = (from.loadUnaligned(as: word), from.loadUnaligned(fromByteOffset: last, as: word))
    start.storeBytes(of: head, toByteOffset: written, as: word)
    start.storeBytes(of: tail, toByteOffset: written + last, as: word)
  }

  /// A sign and a number on one line.
  @inline(__always)
  mutating func header(_ sign: UInt8, _ number: Int) {
    byte(sign)
    decimal(number)
    lineEnd()
  }

  @inline(__always)
  mutating func bulk(_ bytes: UnsafeRawBufferPointer) {
    if bytes.count < 10 {
      // `$n` and the line end at once.
      let line = 0x0a0d_3024 | UInt32(truncatingIfNeeded: bytes.count) << 8
      start.storeBytes(of: line.littleEndian, toByteOffset: written, as: UInt32.self)
      written += 4
    } else {
      header(Byte.dollar, bytes.count)
    }
    raw(bytes)
    lineEnd()
  }

  @inline(__always)
  mutating func verbatim(_ bytes: UnsafeRawBufferPointer) {
    header(UInt8(ascii: "="), bytes.count + 4)
    raw("txt:")
    raw(bytes)
    lineEnd()
  }

  /// A sign and a text on one line. A line end within the text would start another reply, so it becomes a blank.
  mutating func line(_ sign: UInt8, _ text: UnsafeRawBufferPointer) {
    byte(sign)
    let first = written
    raw(text)
    for offset in first..<written {
      let value = start.load(fromByteOffset: offset, as: UInt8.self)
      if value == Byte.carriageReturn || value == Byte.lineFeed {
        start.storeBytes(of: Byte.space, toByteOffset: offset, as: UInt8.self)
      }
    }
    lineEnd()
  }

  mutating func double(_ value: Double, _ version: ProtocolVersion) {
    var text = Self.shown(value)
    text.withUTF8 { text in
      let bytes = UnsafeRawBufferPointer(text)
      if version == .resp3 { line(UInt8(ascii: ","), bytes) } else { bulk(bytes) }
    }
  }

  /// The shortest text that parses to the same number; whole numbers without a fraction, as in Redis.
  static func shown(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    let isShortWhole = value == value.rounded(.towardZero) && value.magnitude < 1e17
    if isShortWhole, !(value == 0 && value.sign == .minus) { return "\(Int64(value))" }
    return "\(value)"
  }

  @inline(__always)
  mutating func decimal(_ number: Int) {
    if number >= 0 && number < 10 {
      byte(Byte.zero &+ UInt8(truncatingIfNeeded: number))
    } else {
      longDecimal(number)
    }
  }

  /// Writes two digits at a time from a table, because most numbers are times of thirteen digits.
  private mutating func longDecimal(_ number: Int) {
    if number < 0 { byte(Byte.minus) }
    var rest = number.magnitude
    let digits = Self.digits(rest)
    var offset = written + digits
    while rest >= 100 {
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      offset -= 2
      (start + offset).copyMemory(from: Self.pairs.utf8Start + 2 * Int(truncatingIfNeeded: pair), byteCount: 2)
      rest = quotient
    }
    if rest >= 10 {
      offset -= 2
      (start + offset).copyMemory(from: Self.pairs.utf8Start + 2 * Int(truncatingIfNeeded: rest), byteCount: 2)
    } else {
      offset -= 1
      start.storeBytes(of: Byte.zero &+ UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
    }
    assert(offset == written)
    written += digits
  }

  /// The numbers from 0 to 99, two digits each.
  @inline(__always)
  private static var pairs: StaticString {
    """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """
  }

  private static func digits(_ number: UInt) -> Int {
    var digits = 0
    var rest = number
    while rest >= 100_000_000 {
      rest /= 100_000_000
      digits += 8
    }
    if rest >= 10_000 {
      rest /= 10_000
      digits += 4
    }
    if rest >= 100 {
      rest /= 100
      digits += 2
    }
    return digits + (rest >= 10 ? 2 : 1)
  }
}
