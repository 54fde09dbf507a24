/// The directory in a snapshot: a head, then sections with tag and length. Equal states have equal bytes.
extension DirectoryState {
  /// The version of this encoding. A reader refuses newer ones. Version 1 does not have the lifted restrictions.
  public static let codingVersion: UInt8 = 3

  private static let sections = StoredSections(
    DirectoryTables.all.flatMap { $0.sections } + Counters.sections, lastUntagged: 5)

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.codingVersion)
    writer.varint(lsn)
    writer.varint(view.lsn)
    Self.sections.write(StoredDirectory(tables: view.tables, counters: counters), to: &writer)
  }

  /// - Parameter seals: opens the secrets in it.
  public init(from reader: inout ByteReader, _ seals: (any SealKeeper)? = nil) throws(CodingError) {
    let version = try reader.byte()
    guard (1...Self.codingVersion).contains(version) else {
      throw reader.failure("a directory in form \(version), which this version of Gatehouse does not know")
    }
    let lsn = try reader.varint()
    let viewLSN = try reader.varint()
    var stored = StoredDirectory()
    try Self.sections.read(into: &stored, from: &reader, version: version, seals)
    guard !stored.tables.workspaces.rows.isEmpty else { throw reader.failure("a directory without a workspace") }
    self.init(
      view: Directory(lsn: viewLSN, tables: stored.tables, zones: .utcOnly), lsn: lsn,
      counters: stored.counters.asOf(lsn))
  }
}

/// The contents of the directory in a snapshot.
struct StoredDirectory {
  var tables = DirectoryTables()
  var counters = Counters()
}

extension StoredSection<StoredDirectory> {
  /// The rows of a table.
  ///
  /// - Parameters:
  ///   - blank: the next row of a table, without its fields. Numbers are not stored: they follow from the order.
  ///   - add: adds a row to the table.
  static func rows<Row: StoredValue & Sendable>(
    _ tag: UInt8, _ rows: @escaping @Sendable (StoredDirectory) -> PagedArray<Row>,
    blank: @escaping @Sendable (UInt32) -> Row,
    add: @escaping @Sendable (inout DirectoryTables, Row, ByteReader) throws(CodingError) -> Void
  ) -> StoredSection {
    .list(tag, rows) {
      $0.stored($1)
    } read: { (directory, reader, layout) throws(CodingError) in
      let row = try reader.stored(blank(UInt32(rows(directory).count + 1)), layout)
      try add(&directory.tables, row, reader)
    }
  }
}
