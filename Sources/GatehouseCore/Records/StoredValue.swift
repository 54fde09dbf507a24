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
