/// A partition in a snapshot: a head, then the sections of its aggregates. Equal states have equal bytes: what has no
/// order of its own is written sorted, and what is derived (the index of names, links, deadlines, counts) is not
/// written.
extension PartitionState {
  /// The version of this encoding. A reader refuses newer ones.
  ///
  /// Version 1 did not store how names were folded, which was different from now, and had no names with several users.
  public static let codingVersion: UInt8 = 3

  private static let sections = StoredSections(aggregates.flatMap { $0.sections }, lastUntagged: 10)

  public func encode(into writer: inout ByteWriter) {
    writer.byte(Self.codingVersion)
    writer.varint(index)
    writer.varint(lsn)
    precondition(!people.hasUnsettledNames, "names that were not settled")
    writer.text(FoldedName.version)
    Self.sections.write(self, to: &writer)
  }

  /// Decodes a partition.
  ///
  /// - Parameter seals: opens the secrets in it. Without it, a partition with such cannot be read.
  public init(
    from reader: inout ByteReader, index: Int, partitioning: Partitioning, _ seals: (any SealKeeper)? = nil
  ) throws(CodingError) {
    self.init(index: index, partitioning: partitioning)
    let version = try reader.byte()
    guard (1...Self.codingVersion).contains(version) else {
      throw reader.failure("a partition in form \(version), which this version of Gatehouse does not know")
    }
    guard try reader.number() == index else { throw reader.failure("another partition's state") }
    lsn = try reader.varint()
    people.hasUnsettledNames = version == 1 ? true : try reader.text() != FoldedName.version
    try Self.sections.read(into: &self, from: &reader, version: version, seals)
  }
}
