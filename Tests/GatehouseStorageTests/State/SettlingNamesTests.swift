import GatehouseCore
import Testing

@testable import GatehouseStorage

/// A snapshot by a program with other Unicode tables, with sections as of different records.
@Suite struct SettlingNamesTests {
  private static let names = ["ana", "Straße", "νίκος", "STRASSE", "Ärger", "μάρκος", "ana", "ŉoel"]

  /// Users one after another; the first is deleted before the last but one gets the same name.
  private static func records(_ partitioning: Partitioning) -> [Record] {
    var next = Array(repeating: 0, count: partitioning.count)
    var records: [Record] = []
    var first: UserID?
    for (number, name) in names.enumerated() {
      let partition = NameKey(name, partitioning).partition
      next[partition] += 1
      let user: UserID = partitioning.id(serial: next[partition], partition: partition)
      let contact: ContactID = partitioning.id(serial: next[partition], partition: partition)
      if number == 6, let first { records.append(record([StatusSet(first, old: .active, new: .deleted)])) }
      if first == nil { first = user }
      records.append(
        record([
          ContactCreated(contact, fields: []),
          UserCreated(
            user: user, contact: contact, username: name, status: .active, workspaces: [mainWorkspace], fields: []),
        ]))
      if name == "Ärger" { records.append(record([UserRenamed(user, old: name, new: "Örger")])) }
    }
    return records
  }

  private static func record(_ changes: [any Change]) -> Record {
    Record(
      header: RecordHeader(
        time: 1_763_755_200_000, service: 0, actor: nil, subject: nil, connection: 1, command: "TEST", reason: ""),
      changes: changes.map(\.carried))
  }

  private static func replayed(_ folder: DataFolder, _ records: ArraySlice<Record>) -> Restoration {
    var state = Restoration(folder)
    for (index, record) in zip(records.indices, records) { state.apply(record, lsn: LSN(index + 1)) }
    return state
  }

  /// A partition written by a program with another version of the tables: the version is stored in the section.
  private static func section(_ cell: PartitionCell) throws -> ContiguousArray<UInt8> {
    var writer = ByteWriter()
    cell.state.encode(into: &writer)
    var bytes = writer.bytes
    let version = Array(FoldedName.version.utf8)
    let place = try #require((0..<16).first { bytes[$0...].starts(with: version) })
    bytes[place] = UInt8(ascii: "9")
    return bytes
  }

  @Test(arguments: [(2, 10), (10, 2), (4, 7), (6, 6), (10, 10)])
  func namesAreSettledOnceAllSectionsAreAsOfOneRecord(even: Int, odd: Int) throws {
    let place = TemporaryFolder()
    let folder = try DataFolder.open(
      place.path + "/data", create: FolderParameters(partitionCount: 8, createdAt: 1_763_755_200_000))
    defer { folder.close() }
    let records = Self.records(Partitioning(folder.manifest))
    #expect(records.count == 10)
    let writer = try SnapshotWriter(in: folder, createdAt: 1)
    let evenState = Self.replayed(folder, records[..<even])
    let oddState = Self.replayed(folder, records[..<odd])
    try writer.add(evenState.directory, lsn: LSN(even))
    for index in 0..<8 {
      let state = index % 2 == 0 ? evenState : oddState
      try Self.section(state.partitions[index]).withUnsafeBytes {
        try writer.add(owner: UInt16(index), lsn: LSN(index % 2 == 0 ? even : odd), bytes: $0)
      }
    }
    _ = try writer.finish(durable: 10)

    let catalog = SnapshotCatalog(folder)
    let reader = try catalog.openSound(try #require(try catalog.entries().first))
    defer { reader.close() }
    var state = Restoration(folder)
    try state.load(reader)
    for lsn in min(even, odd)..<10 {
      #expect(state.hasSettledNames == (lsn >= max(even, odd)))
      state.apply(records[lsn], lsn: LSN(lsn + 1))
    }
    #expect(state.hasSettledNames)
    let expected = Self.replayed(folder, records[...])
    #expect(Invariants.check(state.partitions, state.directory) == [])
    for name in Self.names + ["strasse", "straſſe", "ΝΊΚΟΣ", "örger", "ΜΆΡΚΟΣ", "nobody"] {
      #expect(state.user(named: name) == expected.user(named: name), "\(name)")
    }
    #expect(state.user(named: "Straße") != state.user(named: "STRASSE"))
    #expect(state.namesakes.map { $0.map(\.name).sorted() } == [["STRASSE", "Straße"]])
  }
}
