internal import GatehouseStorage
internal import Synchronization

/// This node's entry among the others: a key under its name that goes with a lease.
///
/// Two processes of one name tell each other apart by a number that each draws. A live node writes its entry anew at least
/// every second; one that was killed does not, and its entry ends with its lease. So whoever finds the entry of another
/// process under its name waits: the entry ends, or is renewed again and again, and then that node lives.
final class NodeRegistry: Sendable {
  private let store: CheckedStore
  private let keys: LogKeys
  private let surroundings: Surroundings
  private let state = Mutex(State())

  private struct State {
    /// The lease that this node's entry goes with.
    var lease: Int64?
    var sight = NamesakeSight()
  }

  /// How long a node's entry stays after the node has gone, in seconds.
  static let leaseSeconds: Int64 = 10

  init(_ store: CheckedStore, _ keys: LogKeys, _ surroundings: Surroundings) {
    self.store = store
    self.keys = keys
    self.surroundings = surroundings
  }

  /// - Returns: false while an entry of another process stands under the name.
  /// - Throws: `.nameTaken` if that process lives.
  func announce(_ node: NodeEntry) async throws(SharedLogError) -> Bool {
    let lease: Int64
    let pair: KeyValue?
    let key = keys.node(node.name)
    let stored = StoredNode(entry: node).stored
    do throws(EtcdError) {
      lease = try await renewedLease()
      let response = try await put(
        key, stored, lease, if: Comparison(key: key, target: .lease(lease)), else: [.get(key)])
      if response.succeeded { return noteNamed() }
      pair = response.results[0].pairs.first
    } catch {
      throw failure(error)
    }
    // What cannot be read is nobody's, and what this process has written under an earlier lease is its own.
    if let pair, let other = (try? StoredNode(pair, as: "nodes/\(node.name)"))?.entry, other.instance != node.instance {
      switch note(pair.modRevision, of: other, for: node) {
      case .unknown: return false
      case .live: throw .nameTaken(name: node.name, by: "\(other.host):\(other.port)")
      case .gone: break
      }
    }
    do throws(EtcdError) {
      let free = Comparison(key: key, target: .modRevision(pair?.modRevision ?? 0))
      return try await put(key, stored, lease, if: free, else: []).succeeded ? noteNamed() : false
    } catch {
      throw failure(error)
    }
  }

  /// What was seen of others before means nothing any more.
  private func noteNamed() -> Bool {
    state.withLock { $0.sight = NamesakeSight() }
    return true
  }

  private func note(_ revision: Int64, of other: NodeEntry, for node: NodeEntry) -> NamesakeSight.Finding {
    let now = surroundings.now()
    return state.withLock {
      $0.sight.note(revision, at: now, isAtSameAddress: other.host == node.host && other.port == node.port)
    }
  }

  private func put(
    _ key: [UInt8], _ value: [UInt8], _ lease: Int64, if comparison: Comparison, else other: [Operation]
  ) async throws(EtcdError) -> TransactionResponse {
    try await store.transact(
      TransactionRequest(
        comparisons: [comparison], success: [.put(key: key, value: value, lease: lease)], failure: other))
  }

  private func failure(_ error: EtcdError) -> SharedLogError {
    if error.kind == .leaseGone { state.withLock { $0.lease = nil } }
    return SharedLogError(error)
  }

  /// A lease that has just begun again.
  private func renewedLease() async throws(EtcdError) -> Int64 {
    if let lease = state.withLock({ $0.lease }) {
      do throws(EtcdError) {
        if try await store.calls.keepAlive(LeaseRequest(lease: lease)).seconds > 0 { return lease }
      } catch {
        guard error.kind == .leaseGone else { throw error }
      }
    }
    let lease = try await store.calls.grantLease(LeaseGrantRequest(seconds: Self.leaseSeconds)).lease
    state.withLock { $0.lease = lease }
    return lease
  }

  /// Takes the entry away.
  func leave() async {
    guard let lease = state.withLock({ $0.lease }) else { return }
    try? await store.calls.revokeLease(LeaseRequest(lease: lease))
  }
}

/// What a node has seen of an entry under its name that another process has made.
struct NamesakeSight {
  enum Finding: Equatable {
    /// The other process may live.
    case unknown
    /// It goes on renewing its entry.
    case live
    /// It was this node before it was killed.
    case gone
  }

  private var revision: Int64 = 0
  private var renewals = 0
  private var since: UInt64 = 0
  private var last: UInt64 = 0

  /// A process that was killed may have left one renewal on its way, which arrives later.
  static let renewalsOfTheLiving = 2
  /// A live node renews its entry more than twice in this time. Two processes cannot listen on one address, so one that
  /// was silent for so long at this node's own address is its predecessor.
  static let silence: UInt64 = 3_000_000_000
  /// How long may lie between two looks: while nobody looks, nothing is known.
  static let gap: UInt64 = 1_500_000_000

  /// The entry was seen.
  ///
  /// - Parameters:
  ///   - revision: that wrote it last.
  ///   - now: a time in nanoseconds.
  mutating func note(_ revision: Int64, at now: UInt64, isAtSameAddress: Bool) -> Finding {
    defer { last = now }
    if revision != self.revision || now > last + Self.gap {
      if self.revision != 0, revision != self.revision { renewals += 1 }
      self.revision = revision
      since = now
    }
    if renewals >= Self.renewalsOfTheLiving { return .live }
    return isAtSameAddress && now >= since + Self.silence ? .gone : .unknown
  }
}
