/// A row, or another value of a snapshot. Like a change, it names its fields once, and its coding is derived from that.
/// Fields of later versions go to the end, after `later()`.
protocol StoredValue {
  mutating func visit<Visitor: FieldVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure)
}

/// How the values of a section are stored, and with what secrets in them are opened.
struct StoredLayout {
  let form: StoredForm
  let seals: (any SealKeeper)?
}

enum StoredForm {
  /// Each with its length: a reader skips fields that it does not know (`ByteReader.hasSkipped`), and later fields may be
  /// absent.
  case measured
  /// Without lengths, with the fields of the first version only.
  case first
  /// Without lengths, with all fields of the second version.
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
  /// - Parameter blank: the values of absent fields.
  @inline(__always)
  mutating func stored<Value: StoredValue>(
    _ blank: Value, _ layout: StoredLayout
  ) throws(CodingError) -> Value {
    var value = blank
    switch layout.form {
    case .measured:
      var decoder = FieldDecoder(try measuredBlock(), .bounded)
      try value.visit(&decoder)
      end(decoder.reader)
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
