extension RowTable {
  /// Writes all rows up to `last`: page by page the rows, each with the length of its details, then the details
  /// of the page in one run, so that reading them back is one copy a page.
  func encode(into writer: inout ByteWriter, _ encodeRow: (inout ByteWriter, Row) -> Void) {
    writer.varint(last)
    for page in pages {
      for row in page.rows {
        encodeRow(&writer, row)
        writer.varint(row.details.count)
      }
      page.details.withUnsafeBytes { details in
        for row in page.rows where row.details.count > 0 {
          let start = Int(row.details.offset)
          writer.raw(UnsafeRawBufferPointer(rebasing: details[start..<start + Int(row.details.count)]))
        }
      }
    }
  }

  init(
    from reader: inout ByteReader, _ decodeRow: (inout ByteReader) throws(CodingError) -> Row
  ) throws(CodingError) {
    self.init()
    let count = try reader.count()
    var decoded = 0
    while decoded < count {
      let filled = min(Self.pageSize, count - decoded)
      var rows = ContiguousArray<Row>()
      rows.reserveCapacity(Self.pageSize)
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
