/// Reads short texts eight bytes at a time.
public enum Words {
  /// The eight bytes at `offset`, or as many as there are; the first is in the low bits.
  @inline(__always)
  static func load(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
    let count = bytes.count - offset
    if count >= 8 { return bytes.word(at: offset) }
    if offset > 0 {
      // Load bytes before the offset as well, and shift them out.
      return bytes.word(at: offset + count - 8) >> UInt64(8 * (8 - count))
    }
    return short(bytes)
  }

  /// Whether two sequences of as many bytes are equal. The last word overlaps the one before it.
  @inline(__always)
  static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    let last = a.count - 8
    if last < 0 { return short(a) == short(b) }
    var offset = 0
    while offset < last {
      if a.word(at: offset) != b.word(at: offset) { return false }
      offset += 8
    }
    return a.word(at: last) == b.word(at: last)
  }

  /// Less than eight bytes: two overlapping loads instead of one for each byte.
  @inline(__always)
  private static func short(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let count = bytes.count
    if count >= 4 {
      let low = bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
      let high = bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      return UInt64(UInt32(littleEndian: low)) | UInt64(UInt32(littleEndian: high)) << UInt64(8 * (count - 4))
    }
    if count == 0 { return 0 }
    let middle = count >> 1
    return UInt64(bytes[0]) | UInt64(bytes[middle]) << UInt64(8 * middle)
      | UInt64(bytes[count - 1]) << UInt64(8 * (count - 1))
  }

  /// Lower-cases the letters A to Z in a word; only for ASCII.
  @inline(__always)
  static func lower(_ word: UInt64) -> UInt64 {
    // The high bit of a byte is set in `above` from A on, and in `beyond` after Z.
    let above = word &+ 0x3f3f_3f3f_3f3f_3f3f
    let beyond = word &+ 0x2525_2525_2525_2525
    return word | (above & ~beyond & 0x8080_8080_8080_8080) >> 2
  }

  /// Whether one of the eight bytes is `byte`.
  @inline(__always)
  static func has(_ byte: UInt8, _ word: UInt64) -> Bool {
    let difference = word ^ UInt64(byte) &* 0x0101_0101_0101_0101
    return (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080 != 0
  }

  @inline(__always)
  static func isASCII(_ word: UInt64) -> Bool { word & 0x8080_8080_8080_8080 == 0 }

  /// A fast case-insensitive hash for tables that administrators and programmers fill. Not for names that strangers
  /// choose: those need a keyed hash (hash flooding).
  @inline(__always)
  static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
    var hash = UInt64(truncatingIfNeeded: bytes.count)
    var offset = 0
    while offset < bytes.count {
      // Bit 5 is the case of a letter; a hash can ignore it.
      hash = (hash ^ (load(bytes, at: offset) & 0xdfdf_dfdf_dfdf_dfdf)) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 32
      offset += 8
    }
    return Int(truncatingIfNeeded: hash >> 1)
  }
}

extension UnsafeRawBufferPointer {
  /// The eight bytes at `offset`; the first is in the low bits.
  @inline(__always)
  fileprivate func word(at offset: Int) -> UInt64 {
    UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
