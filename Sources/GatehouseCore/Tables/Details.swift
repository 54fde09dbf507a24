/// The variable part of a row: tagged fields, packed as tag, length, bytes.
///
/// A row has few fields and most are empty, so reading a field skips over those before it.
public struct Details: Sendable, Equatable {
  public private(set) var bytes: ContiguousArray<UInt8>

  public init() { bytes = [] }

  public init(_ raw: UnsafeRawBufferPointer) { bytes = ContiguousArray(raw) }

  /// The bytes of a field in packed details, or nil.
  @inline(__always)
  public static func field(_ tag: UInt8, in raw: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var offset = 0
    while offset < raw.count {
      let found = raw[offset]
      var length = 0
      var shift = 0
      repeat {
        offset += 1
        length |= Int(raw[offset] & 0x7f) << shift
        shift += 7
      } while raw[offset] >= 0x80
      offset += 1
      if found == tag { return UnsafeRawBufferPointer(rebasing: raw[offset..<offset + length]) }
      offset += length
    }
    return nil
  }

  /// Whether packed details end at the end of a field. Reading relies on it, so details from files are checked.
  static func areWhole(_ raw: UnsafeRawBufferPointer) -> Bool {
    var reader = ByteReader(raw)
    while !reader.isAtEnd {
      guard (try? reader.byte()) != nil, (try? reader.block()) != nil else { return false }
    }
    return true
  }

  /// The text of a field; empty if it is not set.
  public static func text(_ tag: UInt8, in raw: UnsafeRawBufferPointer) -> String {
    field(tag, in: raw).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  public subscript(text tag: UInt8) -> String {
    get { bytes.withUnsafeBytes { Self.text(tag, in: $0) } }
    set {
      var value = newValue
      value.withUTF8 { set(tag, UnsafeRawBufferPointer($0)) }
    }
  }

  /// The coded value of a field, decoded by `read`; nil if it is not set.
  public func decode<T>(_ tag: UInt8, _ read: (inout ByteReader) throws(CodingError) -> T) throws(CodingError) -> T? {
    try bytes.withUnsafeBytes { raw -> Result<T?, CodingError> in
      guard let field = Self.field(tag, in: raw) else { return .success(nil) }
      return Result { () throws(CodingError) -> T? in
        var reader = ByteReader(field)
        return try read(&reader)
      }
    }.get()
  }

  public mutating func encode(_ tag: UInt8, _ write: (inout ByteWriter) -> Void) {
    var writer = ByteWriter()
    write(&writer)
    writer.withBytes { set(tag, $0) }
  }

  public mutating func remove(_ tag: UInt8) { set(tag, UnsafeRawBufferPointer(start: nil, count: 0)) }

  /// Sets a field; an empty value removes it.
  public mutating func set(_ tag: UInt8, _ value: UnsafeRawBufferPointer) {
    var result = ByteWriter()
    bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      while !reader.isAtEnd, let found = try? reader.byte(), let field = try? reader.block() {
        if found != tag {
          result.byte(found)
          result.block(field)
        }
      }
    }
    if !value.isEmpty {
      result.byte(tag)
      result.block(value)
    }
    bytes = result.bytes
  }
}

extension ByteWriter {
  /// A field of details that are packed from scratch; omitted if the text is empty.
  mutating func textField(_ tag: UInt8, _ value: String) {
    guard !value.isEmpty else { return }
    byte(tag)
    text(value)
  }

  /// A field whose value has fewer than 128 bytes.
  mutating func shortField(_ tag: UInt8, _ write: (inout ByteWriter) -> Void) {
    byte(tag)
    byte(0)
    let start = count
    write(&self)
    precondition(count - start < 128)
    patch(UInt8(count - start), at: start - 1)
  }
}
