/// Writes the parts of the protocol one after the other into memory that its user has made large enough.
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
    (start + written).copyMemory(from: from, byteCount: bytes.count)
    written += bytes.count
  }

  /// A sign and a number on a line of their own.
  @inline(__always)
  mutating func header(_ sign: UInt8, _ number: Int) {
    byte(sign)
    decimal(number)
    lineEnd()
  }

  @inline(__always)
  mutating func bulk(_ bytes: UnsafeRawBufferPointer) {
    header(Byte.dollar, bytes.count)
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

  /// A sign and a text on a line of their own. A line end within the text would start another reply, so it becomes a blank.
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

  /// The shortest text that reads back as the same number, whole numbers without a fraction, as Redis shows them.
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

  private mutating func longDecimal(_ number: Int) {
    if number < 0 { byte(Byte.minus) }
    var rest = number.magnitude
    let digits = Self.digits(rest)
    var offset = written + digits
    repeat {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      offset -= 1
      start.storeBytes(of: Byte.zero &+ UInt8(truncatingIfNeeded: digit), toByteOffset: offset, as: UInt8.self)
      rest = quotient
    } while rest > 0
    assert(offset == written)
    written += digits
  }

  private static func digits(_ number: UInt) -> Int {
    var digits = 1
    var rest = number
    while rest >= 10_000 {
      rest /= 10_000
      digits += 4
    }
    return digits + (rest >= 10 ? 1 : 0) + (rest >= 100 ? 1 : 0) + (rest >= 1000 ? 1 : 0)
  }
}
