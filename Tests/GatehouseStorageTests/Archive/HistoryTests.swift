import Testing

@testable import GatehouseStorage

@Suite("History", .inClearAndEncrypted)
struct HistoryTests {
  /// Half of the records are in the archive, half in the log.
  let store: StoreFixture
  /// Without an index of the log, with one, and with what was decoded before.
  let histories: [History]

  init() throws {
    store = try StoreFixture.prepare(on: SimulatedDisk())
    _ = try store.compact()
    histories = [
      History(store.folder, keys: RecordFixture.keys),
      History(
        store.folder, index: LogIndex(store.folder, keys: RecordFixture.keys), keys: RecordFixture.keys),
      History(
        store.folder, index: LogIndex(store.folder, keys: RecordFixture.keys), cache: HistoryCache(),
        keys: RecordFixture.keys),
    ]
  }

  func read(_ query: History.Query, newestFirst: Bool = false, limit: Int = .max) throws -> [UInt64] {
    let found = try histories.map { try read(query, newestFirst: newestFirst, limit: limit, $0) }
    #expect(found[0] == found[1] && found[0] == found[2])
    return found[0]
  }

  private func read(_ query: History.Query, newestFirst: Bool, limit: Int, _ history: History) throws -> [UInt64] {
    var found: [UInt64] = []
    let handle: History.Handler = { lsn, record in
      #expect(Array(record) == RecordFixture.record(lsn))
      found.append(lsn)
      return found.count < limit
    }
    if newestFirst {
      try history.forEachNewestFirst(query, handle)
    } else {
      try history.forEach(query, handle)
    }
    return found
  }

  @Test(arguments: [1...185, 1...1, 185...185, 50...60, 100...170, 117...122] as [ClosedRange<UInt64>])
  func readsARangeBothWays(range: ClosedRange<UInt64>) throws {
    #expect(try read(History.Query(range)) == Array(range))
    #expect(try read(History.Query(range), newestFirst: true) == range.reversed())
  }

  @Test func readsTheRecordsAboutAnID() throws {
    for id in 0...41 as ClosedRange<UInt64> {
      let expected = (1...185 as ClosedRange<UInt64>).filter { RecordFixture.ids($0).contains(id) }
      #expect(try read(History.Query(1...185, about: [id])) == expected)
      #expect(try read(History.Query(1...185, about: [id]), newestFirst: true) == expected.reversed())
      let some = expected.filter { $0 >= 60 && $0 <= 130 }
      #expect(try read(History.Query(60...130, about: [id])) == some)
    }
  }

  @Test func readsTheRecordsOfATime() throws {
    let times = RecordFixture.time(70)...RecordFixture.time(140)
    #expect(try read(History.Query(1...185, times: times)) == Array(70...140))
    #expect(try read(History.Query(1...185, times: times), newestFirst: true) == (70...140).reversed())
    let expected = (70...140 as ClosedRange<UInt64>).filter { RecordFixture.ids($0).contains(7) }
    #expect(try read(History.Query(1...185, about: [7], times: times)) == expected)
  }

  @Test func stopsWhenTheReaderAsks() throws {
    #expect(try read(History.Query(1...185), limit: 3) == [1, 2, 3])
    #expect(try read(History.Query(1...185), newestFirst: true, limit: 3) == [185, 184, 183])
    #expect(try read(History.Query(1...185), limit: 150).count == 150)
    #expect(try read(History.Query(1...185), newestFirst: true, limit: 150).last == 36)
  }

  @Test func aRecordThatIsNotThereIsAnError() throws {
    #expect(throws: LogError.self) { try read(History.Query(180...186)) }
  }

  /// A compaction removes segments during the read.
  @Test func keepsReadingWhileSegmentsMove() throws {
    let store = try StoreFixture.prepare(on: SimulatedDisk())
    let history = History(store.folder, keys: RecordFixture.keys)
    var next: UInt64 = 1
    try history.forEach(History.Query(1...185)) { lsn, record in
      #expect(lsn == next && Array(record) == RecordFixture.record(lsn))
      next += 1
      if lsn == 10 {
        let report = try store.compact()
        #expect(!report.removed.isEmpty)
      }
      return true
    }
    #expect(next == 186)
  }
}
