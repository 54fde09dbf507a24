extension RowTable where Row: StoredValue {
  func encode(into writer: inout ByteWriter) { encode(into: &writer) { $0.stored($1) } }

  static func read(from reader: inout ByteReader, _ layout: StoredLayout) throws(CodingError) -> RowTable {
    let table = try RowTable(from: &reader) { (reader) throws(CodingError) in try reader.stored(Row.vacant, layout) }
    try table.checkDetails(reader)
    return table
  }
}

extension RowTable {
  /// Reading a row's details relies on whole fields, so they are checked here.
  func checkDetails(_ reader: ByteReader) throws(CodingError) {
    for serial in 1..<(last + 1) where !withDetails(of: serial, Details.areWhole) {
      throw reader.failure("a row whose details are cut off")
    }
  }
}

extension RowTable {
  /// Writes all rows up to `last`, page by page: the rows, each with the length of its details, then the page's details
  /// in one run, so that reading takes one copy a page.
  func encode(into writer: inout ByteWriter, _ encodeRow: (inout ByteWriter, Row) -> Void) {
    writer.varint(last)
    for (index, page) in pages.enumerated() {
      let filled = filled(index)
      for index in 0..<filled {
        encodeRow(&writer, page[index])
        writer.varint(page[index].details.count)
      }
      for index in 0..<filled { page.withDetails(of: index) { writer.raw($0) } }
    }
  }

  init(
    from reader: inout ByteReader, _ decodeRow: (inout ByteReader) throws(CodingError) -> Row
  ) throws(CodingError) {
    self.init()
    let count = try reader.count()
    var decoded = 0
    while decoded < count {
      let filled = min(RowPage<Row>.size, count - decoded)
      var rows = ContiguousArray<Row>()
      rows.reserveCapacity(RowPage<Row>.size)
      var total = 0
      for _ in 0..<filled {
        var row = try decodeRow(&reader)
        var range = DetailRange()
        range.count = try reader.number()
        range.offset = range.count == 0 ? 0 : UInt32(truncatingIfNeeded: total)
        total += Int(range.count)
        row.details = range
        rows.append(row)
      }
      append(rows, details: try reader.raw(total))
      decoded += filled
    }
  }
}
