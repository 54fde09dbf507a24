/// Reading short texts eight bytes at a time.
package enum Words {
  /// The eight bytes at `offset`, or as many as there are, the first in the low bits.
  @inline(__always)
  static func load(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
    if offset + 8 <= bytes.count {
      return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    var word: UInt64 = 0
    var shift: UInt64 = 0
    for index in offset..<bytes.count {
      word |= UInt64(bytes[index]) << shift
      shift += 8
    }
    return word
  }

  /// The word with the letters A to Z of its bytes made lower case; only for words of ASCII.
  @inline(__always)
  static func lower(_ word: UInt64) -> UInt64 {
    // The high bit of a byte is set in `above` from A on, and in `beyond` after Z.
    let above = word &+ 0x3f3f_3f3f_3f3f_3f3f
    let beyond = word &+ 0x2525_2525_2525_2525
    return word | (above & ~beyond & 0x8080_8080_8080_8080) >> 2
  }

  @inline(__always)
  static func isASCII(_ word: UInt64) -> Bool { word & 0x8080_8080_8080_8080 == 0 }

  /// A quick hash of a name in any case, for tables that administrators and programmers fill. Not for names that
  /// strangers choose: those are hashed under a key.
  @inline(__always)
  static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
    var hash = UInt64(truncatingIfNeeded: bytes.count)
    var offset = 0
    while offset < bytes.count {
      // Bit 5 tells the cases of a letter apart, and nothing that matters to a hash.
      hash = (hash ^ (load(bytes, at: offset) & 0xdfdf_dfdf_dfdf_dfdf)) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 32
      offset += 8
    }
    return Int(truncatingIfNeeded: hash >> 1)
  }
}
