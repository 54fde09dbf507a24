import Synchronization
import Testing

@testable import GatehouseStorage

/// The cost of a page of the trail: the blocks that may contain part of it.
@Suite("The index of the live log", .inClearAndEncrypted)
struct LogIndexTests {
  private static let options: LogOptions = {
    var options = LogOptions()
    options.segmentBytes = 512 << 10
    options.fillsSegments = false
    return options
  }()

  /// Record `lsn` of second `lsn` about two of many ids, now and then about a rare one, with noise.
  private static func record(_ lsn: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: lsn)
    var ids = [1000 + lsn, 1_000_000 + lsn / 3]
    if rare.contains(lsn) { ids.append(7) }
    var bytes = FieldWriter()
    bytes.put(RecordFixture.time(lsn))
    bytes.put(UInt8(ids.count))
    for id in ids { bytes.put(id) }
    for _ in 0..<10 { bytes.put(random.next()) }
    return bytes.bytes
  }

  private static let rare: [UInt64] = [3, 4000, 4001, 9990]
  private static let count: UInt64 = 10_000

  private let disk = SimulatedDisk()
  private let folder: DataFolder
  private let log: LogWriter
  private let index: LogIndex

  init() throws {
    folder = try FolderFixture.make(on: disk)
    log = try Self.open(folder)
    index = LogIndex(folder, keys: RecordFixture.keys)
    try append(through: Self.count)
  }

  private static func open(_ folder: DataFolder) throws -> LogWriter {
    let recovery = try Recovery.open(folder, log: options)
    let end = try recovery.read { lsn, bytes in #expect(Array(bytes) == record(lsn)) }
    recovery.snapshot?.close()
    return try folder.openLog(
      continuing: end, keptFrom: recovery.report.firstLSN, options: options, isDriven: true)
  }

  private func append(through last: UInt64) throws {
    for lsn in log.appendedLSN + 1...last {
      try log.append(Self.record(lsn), at: Int64(RecordFixture.time(lsn)))
      if lsn.isMultiple(of: 25) { _ = log.turn() }
    }
    _ = log.turn()
  }

  /// What a page finds, and how many blocks it reads.
  private func page(
    about keys: [UInt64], times: ClosedRange<UInt64>? = nil, through last: UInt64 = count, limit: Int = 20,
    _ index: LogIndex?, newestFirst: Bool = true, in folder: DataFolder? = nil
  ) throws -> (found: [UInt64], blocks: Int) {
    let counter = Counter()
    var history = History(folder ?? self.folder, index: index, keys: RecordFixture.keys)
    history.onBlock = { counter.count.add(1, ordering: .relaxed) }
    var found: [UInt64] = []
    let query = History.Query(1...last, about: keys, times: times)
    let handle: History.Handler = { lsn, bytes in
      #expect(Array(bytes) == Self.record(lsn))
      found.append(lsn)
      return found.count < limit
    }
    if newestFirst { try history.forEachNewestFirst(query, handle) } else { try history.forEach(query, handle) }
    return (found, counter.count.load(ordering: .relaxed))
  }

  private final class Counter: Sendable {
    let count = Atomic(0)
  }

  @Test func aPageReadsOnlyBlocksThatMayContainPartOfIt() throws {
    let whole = try page(about: [7], nil)
    #expect(whole.found == Self.rare.reversed() && whole.blocks > 15, "\(whole.blocks) blocks, without an index")
    try index.follow(through: Self.count)
    let rare = try page(about: [7], index)
    #expect(rare.found == Self.rare.reversed() && rare.blocks == 3)
    #expect(try page(about: [7], index, newestFirst: false) == (Self.rare, 3))
    #expect(try page(about: [8], index) == ([], 0))
    #expect(try page(about: [1_000_505], index) == ([1517, 1516, 1515], 1))
    #expect(try page(about: [], limit: 20, index).blocks == 1, "the newest of all")
    let times = RecordFixture.time(5000)...RecordFixture.time(5004)
    let timed = try page(about: [], times: times, index)
    #expect(timed.found == [5004, 5003, 5002, 5001, 5000] && timed.blocks <= 2)
  }

  @Test func laterRecordsAreFoundToo() throws {
    for last in stride(from: Self.count + 3, through: Self.count + 400, by: 37) {
      try append(through: last)
      #expect(try page(about: [1000 + last], through: last, index) == ([last], 1))
      if last.isMultiple(of: 2) { try index.follow(through: last) }
    }
    log.rotate()
    _ = log.turn()
    try append(through: Self.count + 500)
    #expect(try page(about: [1000 + Self.count + 500], through: Self.count + 500, index).blocks == 1)
    #expect(try page(about: [7], through: Self.count + 500, index) == (Self.rare.reversed(), 3))
  }

  @Test func archivingRemovesSegmentsFromIt() throws {
    try index.follow(through: Self.count)
    let before = index.bytes
    for lsn in [Self.count - 1, Self.count] { try SnapshotFixture.write(in: folder, lsn: lsn - 1) }
    log.tick()
    let report = try StoreFixture.compactor(folder, archiveBytes: 1 << 20, through: Self.count).compact()
    #expect(!report.removed.isEmpty)
    #expect(try page(about: [7], index).found == Self.rare.reversed())
    #expect(try page(about: [7], index).blocks <= 4)
    try index.follow(through: Self.count)
    #expect(index.bytes < before)
    #expect(try page(about: [7], index).found == Self.rare.reversed())
  }

  @Test func aStartAfterAKillRebuildsIt() throws {
    try log.append(Self.record(Self.count + 1), at: Int64(RecordFixture.time(Self.count + 1)))
    let survivor = disk.afterKill()
    // A write in progress.
    let name = try #require(try LogListing(folder.logLocation).segments.last.map(LogFormat.segmentName))
    var content = try survivor.content(folder.logLocation.path(name))
    let end = try #require(content.lastIndex { $0 != 0 }) / 4096 * 4096 + 4096
    for at in end..<min(end + 700, content.count) { content[at] = 0x5A }
    try survivor.setContent(folder.logLocation.path(name), content)
    let again = try FolderFixture.make(on: survivor)
    let log = try Self.open(again)
    #expect(log.durableLSN == Self.count)
    let fresh = LogIndex(again, keys: RecordFixture.keys)
    #expect(try page(about: [7], fresh, in: again) == (Self.rare.reversed(), 3))
    try log.append(Self.record(Self.count + 1), at: Int64(RecordFixture.time(Self.count + 1)))
    _ = log.turn()
    #expect(try page(about: [1000 + Self.count + 1], through: Self.count + 1, fresh, in: again).blocks == 1)
  }

  @Test func itsMemoryIsSmallAndBounded() throws {
    try index.follow(through: Self.count)
    #expect(index.bytes / Int(Self.count) <= 7, "\(index.bytes) bytes for \(Self.count) records of two ids")
    let small = LogIndex(folder, limit: 60_000, keys: RecordFixture.keys)
    try small.follow(through: Self.count)
    #expect(small.bytes <= 60_000 && small.bytes > 15_000)
    #expect(try page(about: [7], small).found == Self.rare.reversed())
    #expect(small.bytes <= 60_000)
  }

  @Test func itStopsWhenAsked() throws {
    var looks = 0
    try index.follow(through: Self.count) {
      looks += 1
      return looks < 4
    }
    #expect(looks <= 5 && index.known(1, through: 1) == nil)
    #expect(try page(about: [7], index) == (Self.rare.reversed(), 3))
  }

  @Test func damageDoesNotHideTheRest() throws {
    let second = try LogListing(folder.logLocation).segments[1]
    try FolderFixture.edit(folder.logLocation.path(LogFormat.segmentName(second)), on: disk) { $0[9000] ^= 1 }
    #expect(throws: LogError.self) { try index.follow(through: Self.count) }
    #expect(try page(about: [7], limit: 1, index).found == [9990])
    #expect(try page(about: [], limit: 3000, index).found.count == 3000)
  }
}
