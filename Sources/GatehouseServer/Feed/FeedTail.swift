import DequeModule
import GatehouseCore
import GatehouseStorage
import Synchronization

/// The newest records, read from the log and decoded once for all readers of the feed that have caught up with it. A reader
/// that lags behind reads files instead (`History`).
final class FeedTail: Sendable {
  /// A record, with what readers choose by.
  private struct Entry {
    let lsn: LSN
    let record: Record
    let keys: Set<UInt64>
    let bytes: Int
  }

  private struct State: ~Copyable {
    var reader: LogReader?
    var entries: Deque<Entry> = []
    var bytes = 0
    /// The last record that was read; the entries end with it.
    var last: LSN = 0
  }

  /// Bytes of encoded records that are kept, which take several times as much decoded.
  private static let mostBytes = 4 << 20
  /// A reader that is further behind is left to the files: it must not push out what others need.
  private static let mostBehind: LSN = 16_384

  private let location: LogLocation
  private let seals: KeyStore?
  private let state = Mutex(State())

  /// - Parameter seals: opens what is sealed in the records.
  init(_ location: LogLocation, _ seals: KeyStore?) {
    self.location = location
    self.seals = seals
  }

  /// Bytes of encoded records at hand.
  var bytes: Int { state.withLock { $0.bytes } }

  /// The records after one.
  ///
  /// - Parameter durable: the last durable record.
  /// - Returns: nil if they must be read from the files.
  func page(_ work: ReadFeed, after: LSN, through durable: LSN) -> (events: [TrailEvent], last: LSN)? {
    guard durable - after <= Self.mostBehind else { return nil }
    return state.withLock { state in
      do {
        guard try prepare(&state, after: after, through: durable) else { return nil }
      } catch {
        // The files tell more about what is wrong, and whether it concerns what is asked for.
        state = State()
        return nil
      }
      return page(work, after, state)
    }
  }

  /// Reads on up to the last durable record.
  ///
  /// - Returns: whether the entries begin early enough.
  private func prepare(_ state: inout State, after: LSN, through durable: LSN) throws -> Bool {
    let isTooFar = state.last + Self.mostBehind < durable
    if state.reader == nil || isTooFar {
      state = State()
      state.reader = LogReader(location)
      state.last = after
    }
    guard let reader = state.reader else { return false }
    if state.last < durable {
      var entries: [Entry] = []
      try reader.records(from: state.last + 1, through: durable) { lsn, bytes in
        var source = ByteReader(bytes)
        let record = try Record(from: &source, seals)
        entries.append(
          Entry(lsn: lsn, record: record, keys: Set(record.parts.flatMap(\.keys)), bytes: bytes.count))
      }
      for entry in entries {
        state.bytes += entry.bytes
        state.entries.append(entry)
      }
      state.last = durable
      while state.bytes > Self.mostBytes, let oldest = state.entries.popFirst() { state.bytes -= oldest.bytes }
    }
    let first = state.entries.first?.lsn ?? state.last + 1
    return after + 1 >= first
  }

  private func page(_ work: ReadFeed, _ after: LSN, _ state: borrowing State) -> (events: [TrailEvent], last: LSN) {
    let filter = FeedFilter(work)
    var page = FeedPageBuilder(work)
    let first = state.entries.first?.lsn ?? state.last + 1
    for index in Int(after + 1 - first)..<max(Int(after + 1 - first), state.entries.count) {
      let entry = state.entries[index]
      if filter.mayWant(entry.keys), !page.add(entry.record, entry.lsn, bytes: entry.bytes, filter) { break }
      page.last = entry.lsn
    }
    return (page.events, max(page.last, page.isFull ? 0 : state.last))
  }
}

/// Which records a reader of the feed wants.
struct FeedFilter {
  private let keys: Set<UInt64>
  private let types: Set<UInt8>

  init(_ work: ReadFeed) {
    keys = Set(work.keys)
    types = work.types
  }

  func mayWant(_ found: Set<UInt64>) -> Bool { keys.isEmpty || !keys.isDisjoint(with: found) }

  func parts(of record: Record) -> [RecordPart] {
    record.parts.filter { part in
      (keys.isEmpty || record.others.isEmpty || part.keys.contains(where: keys.contains))
        && (types.isEmpty || part.changes.contains { $0.isOne(of: types) })
    }
  }
}

/// Gathers the events of a page.
struct FeedPageBuilder {
  private let count: Int
  private(set) var events: [TrailEvent] = []
  private var bytes = 0
  /// Whether another record does not fit.
  private(set) var isFull = false
  /// The last record that was looked at.
  var last: LSN = 0

  init(_ work: ReadFeed) { count = work.count }

  /// - Returns: false if the page is full, and the record is left to the next one. The events of a record stay together,
  ///   because readers go on after a record.
  mutating func add(_ record: Record, _ lsn: LSN, bytes size: Int, _ filter: FeedFilter) -> Bool {
    let parts = filter.parts(of: record)
    if parts.isEmpty { return true }
    let fits = events.isEmpty || events.count + parts.count <= count && bytes + size <= Limits.feedBytes
    guard fits else {
      isFull = true
      return false
    }
    events += parts.map { TrailEvent(lsn: lsn, part: $0) }
    bytes += size
    return true
  }
}
