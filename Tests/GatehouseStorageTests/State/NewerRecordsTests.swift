import GatehouseCore
import Testing

@testable import GatehouseStorage

/// Records that a newer version has written.
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
    #expect(state.records == 2 && state.firstSkipping == nil)
    state = Restoration(folder)
    var newer = Source(records: [Self.record(nil), Self.record(Self.skipped), Self.record(Self.skipped)])
    _ = try state.replay(&newer, threads: threads)
    #expect(state.records == 3 && state.firstSkipping == 2)
    var refused = Source(records: [Self.record(Self.critical)])
    let error = #expect(throws: CodingError.self) { _ = try state.replay(&refused, threads: threads) }
    #expect(error?.what == "a change of kind 250 from a newer version of Gatehouse")
  }
}
