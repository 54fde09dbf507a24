import Glibc

@testable import GatehouseReplication

/// etcd's store, as its interface describes it: keys with revisions, transactions, leases, watches and compaction. It
/// belongs to the thread of the simulated world.
final class SimulatedEtcd: @unchecked Sendable {
  private(set) var revision: Int64 = 1
  private(set) var compacted: Int64 = 0
  private(set) var pairs: [[UInt8]: KeyValue] = [:]
  private var sortedKeys: [[UInt8]] = []
  private var history: [(revision: Int64, events: [WatchEvent])] = []
  private var leases: [Int64: (seconds: Int64, renewed: UInt64)] = [:]
  private var nextLease: Int64 = 100
  private unowned let world: SimulatedWorld
  /// The alarm `NOSPACE`.
  var isFull = false
  var clusterID: UInt64 = 0xC1

  init(_ world: SimulatedWorld) { self.world = world }

  var header: ResponseHeader { ResponseHeader(clusterID: clusterID, memberID: 1, revision: revision) }

  struct Failure: Error {
    var code: Int
    var message: String
  }

  // MARK: Keys

  func transact(_ request: TransactionRequest) throws(Failure) -> TransactionResponse {
    endLeases()
    let succeeded = request.comparisons.allSatisfy { holds($0) }
    let operations = succeeded ? request.success : request.failure
    if isFull, operations.contains(where: { if case .put = $0 { true } else { false } }) {
      // The transaction that crosses the limit is applied, and refused all the same.
      if world.happens(oneIn: 10) {
        var events: [WatchEvent] = []
        for operation in operations { _ = try carryOut(operation, &events) }
        commit(events)
      }
      throw Failure(code: 8, message: "etcdserver: mvcc: database space exceeded")
    }
    var events: [WatchEvent] = []
    var results: [TransactionResponse.Result] = []
    for operation in operations { results.append(try carryOut(operation, &events)) }
    commit(events)
    return TransactionResponse(header: header, succeeded: succeeded, results: results)
  }

  private func holds(_ comparison: Comparison) -> Bool {
    let pair = pairs[comparison.key]
    return switch comparison.target {
    case .version(let version): pair?.version ?? 0 == version
    case .createRevision(let revision): pair?.createRevision ?? 0 == revision
    case .modRevision(let revision): pair?.modRevision ?? 0 == revision
    case .value(let value): pair?.value == value
    case .lease(let lease): pair?.lease ?? 0 == lease
    }
  }

  private func carryOut(
    _ operation: Operation, _ events: inout [WatchEvent]
  ) throws(Failure) -> TransactionResponse.Result {
    switch operation {
    case .range(let range, let limit):
      let found = keys(in: range).map { pairs[$0]! }
      let wanted = limit == 0 ? found : Array(found.prefix(Int(limit)))
      return TransactionResponse.Result(pairs: wanted, hasMore: wanted.count < found.count)
    case .put(let key, let value, let lease):
      if lease != 0, leases[lease] == nil { throw Failure(code: 5, message: "etcdserver: requested lease not found") }
      var pair = pairs[key] ?? KeyValue(key: key, createRevision: revision + 1)
      pair.modRevision = revision + 1
      pair.version += 1
      pair.value = value
      pair.lease = lease
      if pairs[key] == nil { sortedKeys.insert(key, at: place(of: key)) }
      pairs[key] = pair
      events.append(WatchEvent(pair: pair))
    case .delete(let range):
      for key in keys(in: range) { delete(key, &events) }
    }
    return TransactionResponse.Result()
  }

  private func delete(_ key: [UInt8], _ events: inout [WatchEvent]) {
    if pairs.removeValue(forKey: key) != nil { sortedKeys.remove(at: place(of: key)) }
    events.append(WatchEvent(isDeletion: true, pair: KeyValue(key: key, modRevision: revision + 1)))
  }

  private func keys(in range: KeyRange) -> [[UInt8]] {
    if range.end.isEmpty { return pairs[range.key] == nil ? [] : [range.key] }
    let (start, end) = (place(of: range.key), place(of: range.end))
    return start < end ? Array(sortedKeys[start..<end]) : []
  }

  /// Where a key is among all, or would be.
  private func place(of key: [UInt8]) -> Int {
    var (low, high) = (0, sortedKeys.count)
    while low < high {
      let middle = (low + high) / 2
      if Self.precedes(sortedKeys[middle], key) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// As `lexicographicallyPrecedes`, which is slow without optimisation.
  private static func precedes(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    let order = memcmp(one, other, min(one.count, other.count))
    return order < 0 || (order == 0 && one.count < other.count)
  }

  private func commit(_ events: [WatchEvent]) {
    guard !events.isEmpty else { return }
    revision += 1
    history.append((revision, events))
  }

  func compact(_ revision: Int64) throws(Failure) {
    guard revision > compacted else {
      throw Failure(code: 11, message: "etcdserver: mvcc: required revision has been compacted")
    }
    compacted = revision
    history.removeAll { $0.revision < revision }
  }

  /// What has changed from a revision on; nil if some of it was compacted.
  func changes(from revision: Int64, in range: KeyRange) -> [WatchEvent]? {
    guard revision > compacted || revision > self.revision else { return nil }
    // Every revision has its entry.
    guard let first = history.first?.revision, revision <= self.revision else { return [] }
    return history[max(0, Int(revision - first))...].flatMap { $0.events.filter { range.contains($0.pair.key) } }
  }

  /// What somebody else does to the keys.
  func put(_ key: [UInt8], _ value: [UInt8]) {
    _ = try? transact(TransactionRequest(success: [.put(key: key, value: value)]))
  }

  func delete(_ key: [UInt8]) { _ = try? transact(TransactionRequest(success: [.delete(KeyRange(key))])) }

  // MARK: Leases

  func grant(_ seconds: Int64) throws(Failure) -> LeaseResponse {
    guard !isFull else { throw Failure(code: 8, message: "etcdserver: mvcc: database space exceeded") }
    nextLease += 1
    leases[nextLease] = (seconds, world.now)
    return LeaseResponse(header: header, lease: nextLease, seconds: seconds)
  }

  func keepAlive(_ lease: Int64) -> LeaseResponse {
    endLeases()
    guard let seconds = leases[lease]?.seconds else { return LeaseResponse(header: header, lease: lease, seconds: 0) }
    leases[lease]?.renewed = world.now
    return LeaseResponse(header: header, lease: lease, seconds: seconds)
  }

  func revoke(_ lease: Int64) {
    leases[lease] = nil
    var events: [WatchEvent] = []
    for key in pairs.values.filter({ $0.lease == lease }).map(\.key) { delete(key, &events) }
    commit(events)
  }

  private func endLeases() {
    for (lease, held) in leases.sorted(by: { $0.key < $1.key })
    where world.now > held.renewed + UInt64(held.seconds) * 1_000_000_000 { revoke(lease) }
  }

  // MARK: Copies

  /// What the members' data has, as somebody copies it.
  struct Copy {
    fileprivate var revision: Int64
    fileprivate var compacted: Int64
    fileprivate var pairs: [[UInt8]: KeyValue]
    fileprivate var sortedKeys: [[UInt8]]
    fileprivate var history: [(revision: Int64, events: [WatchEvent])]
    fileprivate var leases: [Int64: (seconds: Int64, renewed: UInt64)]
  }

  var copy: Copy {
    Copy(
      revision: revision, compacted: compacted, pairs: pairs, sortedKeys: sortedKeys, history: history, leases: leases)
  }

  /// All members come back with an older copy.
  func restore(_ copy: Copy) {
    revision = copy.revision
    compacted = copy.compacted
    pairs = copy.pairs
    sortedKeys = copy.sortedKeys
    history = copy.history
    leases = copy.leases
  }

  /// Frees everything. Tasks that will never go on still hold this.
  func clear() {
    pairs = [:]
    sortedKeys = []
    history = []
  }
}
