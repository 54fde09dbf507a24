/// Finds where a reply ends, without making anything of it.
enum ReplyScanner {
  /// The length of the reply at the start of `bytes`, or nil when its end has not arrived yet.
  @inline(__always)
  static func length(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var position = 0
    var left = 1
    while left > 0 {
      guard let line = lineEnd(bytes, from: position) else { return nil }
      let lead = bytes[position]
      switch lead {
      case UInt8(ascii: "$"), UInt8(ascii: "="):
        let count = number(bytes, from: position + 1, to: line - 2)
        position = count < 0 ? line : line + count + 2
        if position > bytes.count { return nil }
      case UInt8(ascii: "*"), UInt8(ascii: "~"), UInt8(ascii: ">"):
        left += max(0, number(bytes, from: position + 1, to: line - 2))
        position = line
      case UInt8(ascii: "%"):
        left += 2 * max(0, number(bytes, from: position + 1, to: line - 2))
        position = line
      default:
        position = line
      }
      left -= 1
    }
    return position
  }

  @inline(__always)
  private static func lineEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var index = start
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\n") { return index + 1 }
      index += 1
    }
    return nil
  }

  @inline(__always)
  private static func number(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
    var value = 0
    for index in start..<max(start, end) {
      if bytes[index] == UInt8(ascii: "-") { return -1 }
      value = value &* 10 &+ Int(bytes[index] &- UInt8(ascii: "0"))
    }
    return value
  }
}
