/// A file of the IANA time zone database (TZif, RFC 9636), version 1 to 4.
///
/// ```
/// header (44 bytes): "TZif" · version · 15 unused · isutcnt isstdcnt leapcnt timecnt typecnt charcnt, u32 each
/// block:  transitions · types of them u8 · types (offset i32, is daylight saving u8, name u8) · names · leap seconds …
/// ```
/// From version 2 on, the block with 32-bit times is followed by a header and a block with 64-bit times, and by a
/// footer between two line feeds: the rule after the last transition, in the form of the variable `TZ` of POSIX.
extension ZoneRules {
  /// The largest accepted file; real ones have at most about 4 KB.
  public static let largestFile = 1 << 16

  /// Whether a file starts like one of the database.
  public static func isZone(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= ZoneFileReader.headerBytes && bytes.prefix(4).elementsEqual("TZif".utf8)
  }

  /// Reads a whole file.
  public init(file bytes: UnsafeRawBufferPointer) throws(ZoneError) {
    var reader = ZoneFileReader(bytes)
    var header = try reader.header()
    guard header.version >= 2 else {
      self = try reader.block(header, timeBytes: 4).rules(nil)
      return
    }
    try reader.skip(header.blockBytes(timeBytes: 4))
    header = try reader.header()
    let block = try reader.block(header, timeBytes: 8)
    let text = try reader.footer()
    self = block.rules(text.isEmpty ? nil : try ZoneRule(text))
  }
}

private struct ZoneFileReader {
  static let headerBytes = 44
  /// RFC 9636 limits offsets to between -25 and 26 hours.
  private static let offsetRange: ClosedRange<Int32> = -89_999...93_599

  struct Header {
    /// 1 if the file does not say.
    let version: Int
    let utcFlags: Int
    let standardFlags: Int
    let leapSeconds: Int
    let transitions: Int
    let types: Int
    let nameBytes: Int

    func blockBytes(timeBytes: Int) -> Int {
      transitions * (timeBytes + 1) + types * 6 + nameBytes + leapSeconds * (timeBytes + 4) + standardFlags + utcFlags
    }
  }

  struct Block {
    let first: Int32
    let transitions: ContiguousArray<Int64>
    let offsets: ContiguousArray<Int32>

    func rules(_ rule: ZoneRule?) -> ZoneRules {
      ZoneRules(first: first, transitions: transitions, offsets: offsets, rule: rule)
    }
  }

  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func skip(_ count: Int) throws(ZoneError) { _ = try take(count) }

  private mutating func take(_ count: Int) throws(ZoneError) -> UnsafeRawBufferPointer {
    guard bytes.count - offset >= count else { throw ZoneError("the file ends too early") }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  mutating func header() throws(ZoneError) -> Header {
    let raw = try take(Self.headerBytes)
    guard ZoneRules.isZone(raw) else { throw ZoneError("a header is missing") }
    let counts = (0..<6).map { Int(Self.number(raw, at: 20 + $0 * 4) as UInt32) }
    // Counts have four bytes each, so computing with them cannot overflow.
    return Header(
      version: raw[4] == 0 ? 1 : Int(raw[4]) - 0x30, utcFlags: counts[0], standardFlags: counts[1],
      leapSeconds: counts[2], transitions: counts[3], types: counts[4], nameBytes: counts[5])
  }

  private static func number<T: FixedWidthInteger>(_ raw: UnsafeRawBufferPointer, at offset: Int) -> T {
    T(bigEndian: raw.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  mutating func block(_ header: Header, timeBytes: Int) throws(ZoneError) -> Block {
    guard header.leapSeconds == 0 else { throw ZoneError("it counts leap seconds, which unix time does not") }
    guard header.types > 0 else { throw ZoneError("it has no offset") }
    let times = try take(header.transitions * timeBytes)
    let indices = try take(header.transitions)
    let types = try take(header.types * 6)
    try skip(header.nameBytes + header.standardFlags + header.utcFlags)
    let known = try (0..<header.types).map { type throws(ZoneError) -> Int32 in
      let offset: Int32 = Self.number(types, at: type * 6)
      guard Self.offsetRange.contains(offset) else { throw ZoneError("an offset of more than a day") }
      return offset
    }
    // A server reads tens of thousands of transitions when it starts.
    var transitions: ContiguousArray<Int64> = []
    transitions.reserveCapacity(header.transitions)
    var offsets: ContiguousArray<Int32> = []
    offsets.reserveCapacity(header.transitions)
    var previous = Int64.min
    for index in 0..<header.transitions {
      let time =
        timeBytes == 8
        ? Int64(bigEndian: times.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
        : Int64(Int32(bigEndian: times.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)))
      guard previous < time || index == 0 else { throw ZoneError("transitions out of order") }
      let type = Int(indices[index])
      guard type < known.count else { throw ZoneError("a transition to an offset that does not exist") }
      transitions.append(time)
      offsets.append(known[type])
      previous = time
    }
    return Block(first: known[0], transitions: transitions, offsets: offsets)
  }

  mutating func footer() throws(ZoneError) -> UnsafeRawBufferPointer {
    guard try take(1)[0] == 0x0a else { throw ZoneError("the footer is missing") }
    let rest = bytes[offset...]
    guard let end = rest.firstIndex(of: 0x0a) else { throw ZoneError("the footer has no end") }
    return UnsafeRawBufferPointer(rebasing: rest[..<end])
  }
}
