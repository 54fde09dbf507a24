internal import struct GatehouseCore.RawBuffer

/// How records are stored in a frame's body: each as its length in LEB128, followed by its bytes.
enum RecordCoding {
  /// How many bytes a length takes at most.
  static let maximumPrefix = 5

  @inline(__always)
  static func append(_ record: UnsafeRawBufferPointer, to body: inout RawBuffer) {
    let room = body.room(record.count + maximumPrefix)
    var length = UInt32(truncatingIfNeeded: record.count)
    var prefix = 0
    while length >= 0x80 {
      room[prefix] = UInt8(truncatingIfNeeded: length) | 0x80
      length >>= 7
      prefix += 1
    }
    room[prefix] = UInt8(truncatingIfNeeded: length)
    prefix += 1
    if let source = record.baseAddress {
      (room.baseAddress! + prefix).copyMemory(from: source, byteCount: record.count)
    }
    body.advance(prefix + record.count)
  }

  /// Hands out the records of a body, in order.
  /// - Returns: false if the body does not hold exactly `count` records.
  static func forEach(
    in body: UnsafeRawBufferPointer, count: Int, _ handle: (UnsafeRawBufferPointer) throws -> Void
  ) rethrows -> Bool {
    var offset = 0
    for _ in 0..<count {
      guard let length = length(in: body, at: &offset), length <= body.count - offset else { return false }
      try handle(UnsafeRawBufferPointer(rebasing: body[offset..<offset + length]))
      offset += length
    }
    return offset == body.count
  }

  @inline(__always)
  private static func length(in body: UnsafeRawBufferPointer, at offset: inout Int) -> Int? {
    var length: UInt64 = 0
    for shift in 0..<UInt64(maximumPrefix) {
      guard offset < body.count else { return nil }
      let byte = body[offset]
      offset += 1
      length |= UInt64(byte & 0x7F) << (7 * shift)
      if byte < 0x80 { return Int(length) }
    }
    return nil
  }
}
