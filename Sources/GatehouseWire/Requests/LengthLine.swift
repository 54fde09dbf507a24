/// The decimal number at the head of an array or a bulk string, with its CR LF.
///
/// As strict as in Redis: no plus sign, no leading zero, no blank. A wrong byte is refused as soon as it is seen, so
/// the line is never searched for its end.
struct LengthLine {
  let value: Int
  /// The offset after CR LF, or one of the two marks below.
  let end: Int

  @inline(__always) var isIncomplete: Bool { end == Self.incomplete.end }
  @inline(__always) var isInvalid: Bool { end == Self.invalid.end }

  private static let incomplete = LengthLine(value: 0, end: -1)
  private static let invalid = LengthLine(value: 0, end: -2)

  /// Reads the number that starts at `start`, without looking at bytes at or beyond `end`.
  @inline(__always)
  static func read(
    _ base: UnsafeRawPointer, from start: Int, to end: Int, allowsNegative: Bool
  ) -> LengthLine {
    assert(start <= end)
    if let short = short(base, from: start, to: end) { return short }
    var at = start
    var isNegative = false
    if allowsNegative, at < end, byte(base, at) == Byte.minus {
      isNegative = true
      at += 1
    }
    let firstDigit = at
    var value = 0
    while at < end {
      let digit = byte(base, at) &- Byte.zero
      guard digit <= 9 else { break }
      // A zero must be the only digit, without a minus sign.
      if at > firstDigit ? value == 0 : isNegative && digit == 0 { return invalid }
      value = value &* 10 &+ Int(digit)
      if value > Int(Int32.max) { return invalid }
      at += 1
    }
    guard at < end else { return incomplete }
    guard at > firstDigit, byte(base, at) == Byte.carriageReturn else { return invalid }
    guard at + 1 < end else { return incomplete }
    guard byte(base, at + 1) == Byte.lineFeed else { return invalid }
    return LengthLine(value: isNegative ? -value : value, end: at + 2)
  }

  /// The usual case, one or two digits and the line end, in a single load.
  @inline(__always)
  private static func short(_ base: UnsafeRawPointer, from start: Int, to end: Int) -> LengthLine? {
    guard end - start >= 4 else { return nil }
    let word = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    let first = word & 0xff &- 0x30
    if first > 9 { return nil }
    if word & 0xff_ff00 == 0x0a_0d00 { return LengthLine(value: Int(first), end: start + 3) }
    let second = word >> 8 & 0xff &- 0x30
    if second > 9 || first == 0 || word >> 16 != 0x0a0d { return nil }
    return LengthLine(value: Int(first * 10 + second), end: start + 4)
  }

  @inline(__always)
  private static func byte(_ base: UnsafeRawPointer, _ offset: Int) -> UInt8 {
    base.load(fromByteOffset: offset, as: UInt8.self)
  }
}
