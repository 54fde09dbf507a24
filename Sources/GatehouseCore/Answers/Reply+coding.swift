/// The stored form of an answer.
extension Reply {
  /// Encodes the reply. The caller must have removed its secrets (`Turn.decideOnce`).
  public func encode(_ writer: inout ByteWriter) {
    writer.list(nodes) { writer, node in
      writer.byte(node.kind.rawValue)
      switch node.kind {
      case .null: break
      case .simple, .error, .text, .verbatim, .secret: writer.text(text(of: node))
      case .integer, .double: writer.signed(node.value)
      case .array, .map, .push: writer.varint(Int(node.count))
      }
    }
  }

  public init(from reader: inout ByteReader) throws(CodingError) {
    self.init()
    for _ in 0..<(try reader.count()) {
      let kind: Kind = try reader.choice()
      switch kind {
      case .simple: simple(try reader.text())
      case .error: error(try reader.text())
      case .text: text(try reader.text())
      case .verbatim: verbatim(try reader.text())
      case .secret: secret(try reader.text())
      case .null: null()
      case .integer: integer(try reader.signed())
      case .double: double(Double(bitPattern: UInt64(bitPattern: try reader.signed())))
      case .array: array(Int(try reader.number(Int32.self)))
      case .map: map(Int(try reader.number(Int32.self)))
      case .push: push(Int(try reader.number(Int32.self)))
      }
    }
  }
}
