/// A row, or another value of a snapshot. It names its fields once, as a change does: how it is written and read follows
/// from that. Fields of later versions go to the end, behind `later()`.
protocol StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure)
}

/// How the values of a section lie in it.
enum StoredLayout {
  /// Each behind its length: a reader steps over fields that it does not know, and lacks those of later versions.
  case measured
  /// One after the other, with the fields of the first version only.
  case first
  /// One after the other, with all fields that the second version had, which has no lengths either.
  case second
}

extension ByteWriter {
  mutating func stored(_ value: some StoredValue) {
    var value = value
    let start = beginBlock()
    value.visit(&self)
    endBlock(start)
  }
}

extension ByteReader {
  /// - Parameter blank: what the fields are that are not there.
  @inline(__always)
  mutating func stored<Value: StoredValue>(
    _ blank: Value, _ layout: StoredLayout
  ) throws(CodingError) -> Value {
    var value = blank
    switch layout {
    case .measured:
      var decoder = FieldDecoder(try measuredBlock(), .bounded)
      try value.visit(&decoder)
    case .first: try read(&value, .firstVersion)
    case .second: try read(&value, .whole)
    }
    return value
  }

  private mutating func read<Value: StoredValue>(
    _ value: inout Value, _ extent: FieldDecoder.Extent
  ) throws(CodingError) {
    var decoder = FieldDecoder(self, extent)
    try value.visit(&decoder)
    self = decoder.reader
  }
}

// MARK: - Sections

/// A part of an owner's state in a snapshot: a tag, whether a reader that does not know it must refuse the snapshot, and a
/// length.
enum StoredSection {
  /// Its values have no meaning without those that this program does not know.
  private static let criticalFlag: UInt8 = 1

  static func write(_ tag: UInt8, to writer: inout ByteWriter, _ body: (inout ByteWriter) -> Void) {
    writer.byte(tag)
    writer.byte(criticalFlag)
    let start = writer.beginSection()
    body(&writer)
    writer.endSection(start)
  }

  /// Reads a section's tag and length.
  /// - Returns: a reader of its bytes; nil for a section that this program may step over.
  static func read<Tag: RawRepresentable<UInt8>>(
    from reader: inout ByteReader, as tags: Tag.Type
  ) throws(CodingError) -> (tag: Tag, reader: ByteReader)? {
    let raw = try reader.byte()
    let flags = try reader.byte()
    let section = try reader.section()
    if let tag = Tag(rawValue: raw) { return (tag, section) }
    guard flags & criticalFlag == 0 else {
      throw section.failure("a section of kind \(raw), which only a newer version of Gatehouse understands,")
    }
    return nil
  }
}
