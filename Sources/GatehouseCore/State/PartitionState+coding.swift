/// A partition in a snapshot: a head, and the sections of its aggregates. The same state is always the same bytes: what has
/// no order of its own is written sorted, and what follows from the rest (the index of names, neighbours, deadlines,
/// counts) is not written.
extension PartitionState {
  /// The version of this coding. A reader refuses what is newer.
  ///
  /// Version 1 did not say how names were folded, which was otherwise than now, and had no names with several users.
  public static let codingVersion: UInt8 = 3

  private static let sections = StoredSections(aggregates.flatMap { $0.sections }, lastUntagged: 10)

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.codingVersion)
    writer.varint(index)
    writer.varint(lsn)
    precondition(!people.hasUnsettledNames, "names that are not settled")
    writer.text(FoldedName.version)
    Self.sections.write(self, to: &writer)
  }

  public init(
    from reader: inout ByteReader, index: Int, partitioning: Partitioning
  ) throws(CodingError) {
    self.init(index: index, partitioning: partitioning)
    let version = try reader.byte()
    guard (1...Self.codingVersion).contains(version) else { throw reader.failure("a partition of an unknown version") }
    guard try reader.number() == index else { throw reader.failure("another partition's state") }
    lsn = try reader.varint()
    people.hasUnsettledNames = version == 1 ? true : try reader.text() != FoldedName.version
    try Self.sections.read(into: &self, from: &reader, version: version)
  }
}
