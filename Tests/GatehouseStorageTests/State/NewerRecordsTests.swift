import GatehouseCore
import Testing

@testable import GatehouseStorage

/// Records and snapshots that a newer version has written.
@Suite struct NewerRecordsTests {
  /// Records in memory, as a log.
  private struct Source: LogSource {
    var records: [[UInt8]]

    mutating func read(_ handle: (UInt64, UnsafeRawBufferPointer) throws -> Void) throws -> Int {
      for (place, bytes) in records.enumerated() {
        try bytes.withUnsafeBytes { try handle(UInt64(place + 1), $0) }
      }
      defer { records = [] }
      return records.count
    }
  }

  /// A record with a change whose code is not known; nil for none.
  private static func record(_ change: [UInt8]?) -> [UInt8] {
    var writer = ByteWriter()
    Record(
      header: RecordHeader(
        time: 1_763_755_200_000, service: 0, actor: nil, subject: nil, connection: 1, command: "TEST", reason: ""),
      changes: []
    ).encode(into: &writer)
    return change.map { writer.bytes.dropLast() + [1] + $0 } ?? Array(writer.bytes)
  }

  private static let skipped: [UInt8] = [250, 2 << 1, 1, 2]
  private static let critical: [UInt8] = [250, 2 << 1 | 1, 1, 2]

  @Test("the first record of which something is skipped is told, with several threads and with one", arguments: [0, 2])
  func first(threads: Int) throws {
    let place = TemporaryFolder()
    let folder = try DataFolder.open(
      place.path + "/data", create: FolderParameters(partitionCount: 4, createdAt: 1_763_755_200_000))
    defer { folder.close() }
    var state = Restoration(folder)
    var known = Source(records: [Self.record(nil), Self.record(nil)])
    _ = try state.replay(&known, threads: threads)
    #expect(state.records == 2 && state.firstSkipped == nil)
    state = Restoration(folder)
    var newer = Source(records: [Self.record(nil), Self.record(Self.skipped), Self.record(Self.skipped)])
    _ = try state.replay(&newer, threads: threads)
    #expect(state.records == 3 && state.firstSkipped == .record(2))
    var refused = Source(records: [Self.record(Self.critical)])
    let error = #expect(throws: RecoveryError.self) { _ = try state.replay(&refused, threads: threads) }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.hasPrefix("record 1 cannot be read: a change of kind 250 from a newer version of Gatehouse"))
    #expect(text.contains("; if a newer version of Gatehouse has written to this folder, start that one; else"))
  }

  /// A partition as a newer version writes it: its first contact has one more field.
  private static func extended(_ cell: PartitionCell) throws -> ContiguousArray<UInt8> {
    var writer = ByteWriter()
    cell.state.encode(into: &writer)
    var bytes = writer.bytes
    let section = try bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      _ = try reader.byte()
      for _ in ["the partition's number", "its record"] { _ = try reader.varint() }
      _ = try reader.text()
      let _: Int = try reader.number()
      return reader.offset
    }
    // The section: tag, flag, length in eight bytes, how many rows, the first one's length.
    let row = section + 11
    try #require(bytes[section] == 1 && bytes[section + 2] < 100 && bytes[row] < 100)
    bytes.insert(7, at: row + 1 + Int(bytes[row]))
    bytes[row] += 1
    bytes[section + 2] += 1
    return bytes
  }

  @Test func aLaterFieldInASnapshotIsNoticed() throws {
    let place = TemporaryFolder()
    let folder = try DataFolder.open(
      place.path + "/data", create: FolderParameters(partitionCount: 4, createdAt: 1_763_755_200_000))
    defer { folder.close() }
    let contact: ContactID = Partitioning(folder.manifest).id(serial: 1, partition: 2)
    var state = Restoration(folder)
    let header = RecordHeader(
      time: 1_763_755_200_000, service: 0, actor: nil, subject: nil, connection: 1, command: "TEST", reason: "")
    state.apply(Record(header: header, changes: [ContactCreated(contact, fields: []).carried]), lsn: 1)

    for isNewer in [false, true] {
      let writer = try SnapshotWriter(in: folder, createdAt: 1)
      try writer.add(state.directory, lsn: 1)
      for index in 0..<4 {
        if index == 2, isNewer {
          try Self.extended(state.partitions[2]).withUnsafeBytes { try writer.add(owner: 2, lsn: 1, bytes: $0) }
        } else {
          try writer.add(state.partitions[index].state, lsn: 1)
        }
      }
      _ = try writer.finish(durable: 1)
      let catalog = SnapshotCatalog(folder)
      let reader = try catalog.openSound(try #require(try catalog.entries().first))
      defer { reader.close() }
      var read = Restoration(folder)
      try read.load(reader)
      #expect(read.firstSkipped == (isNewer ? .snapshot(1) : nil))
      #expect(RestoredFigures(read) == RestoredFigures(state) && RestoredFigures(read).contacts == 1)
      #expect(Invariants.check(read.partitions, read.directory) == [])
    }
  }

  /// It takes snapshots, which would be without what it does not know.
  @Test func anOfflineCompactionIsRefused() throws {
    let place = TemporaryFolder()
    let folder = try DataFolder.open(
      place.path + "/data", create: FolderParameters(partitionCount: 4, createdAt: 1_763_755_200_000))
    defer { folder.close() }
    let end = try Recovery.open(folder).read { _, _ in }
    let log = try folder.openLog(continuing: end, keptFrom: 1)
    for change in [nil, Self.skipped] {
      _ = try Self.record(change).withUnsafeBytes { try log.append($0, at: 1_763_755_200_000) }
    }
    folder.closeLog(log)
    #expect(throws: RecoveryError.lossy(.record(2))) {
      _ = try OfflineCompaction.run(folder, options: CompactionOptions(now: 1_763_755_200_000))
    }
    #expect(try SnapshotCatalog(folder).entries().isEmpty)
    // Who verifies the folder is told that not all was checked.
    let state = try StateVerification.run(folder, after: try Verification.run(folder))
    #expect(state.problems.isEmpty && state.skipped == .record(2))
    #expect(
      "\(RecoveryError.lossy(.record(2)))"
        == """
        a newer version than this one has written record 2, and this one skips a part of it, which it would lose: use the \
        programs of the newer version on this folder
        """)
  }
}
