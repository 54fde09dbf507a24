#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// The bytes with a meaning in the protocol.
enum Byte {
  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")
  static let quote = UInt8(ascii: "\"")
  static let apostrophe = UInt8(ascii: "'")
  static let backslash = UInt8(ascii: "\\")
  static let asterisk = UInt8(ascii: "*")
  static let dollar = UInt8(ascii: "$")
  static let minus = UInt8(ascii: "-")
  static let zero = UInt8(ascii: "0")

  /// The offset of the first `wanted` in `start..<end`, or nil.
  @inline(__always)
  static func first(_ wanted: UInt8, in base: UnsafeRawPointer, from start: Int, to end: Int) -> Int? {
    assert(start <= end)
    guard let found = memchr(base + start, Int32(wanted), end - start) else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// The value of a hexadecimal digit, or nil.
  static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  static let hexDigits: StaticString = "0123456789abcdef"

  /// The lower-case hexadecimal digit of a value below 16.
  static func hexDigit(_ value: UInt8) -> UInt8 {
    precondition(value < 16)
    return hexDigits.utf8Start[Int(value)]
  }
}
