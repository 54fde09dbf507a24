internal import GatehouseStorage
internal import Synchronization

/// A shared log on etcd (`LogKeys` shows what is stored).
///
/// No lease of etcd guards the leader. etcd 3.4 answers keep-alives from a member that was the cluster's leader and is
/// not any more (etcd-io/etcd#15247), so such an answer proves nothing. A heartbeat here is a transaction, which
/// proves that the epoch was still this leader's; and a successor takes over by a transaction that compares the revision of
/// the last heartbeat, after it has seen that same heartbeat for a whole lease of its own clock.
///
/// A leader that is replaced by force may still answer until its lease ends. Its successor waits for that before it answers,
/// and its heartbeats name that lease as long as it may run: whoever leads next, if the successor is lost, too, waits for
/// the longest lease that may still count.
final class EtcdLog: SharedLog {
  let store: CheckedStore
  let keys: LogKeys
  let settings: ReplicationSettings
  let surroundings: Surroundings
  private let longestValue: Int
  private let sabotage: ReplicationSabotage
  private let registry: NodeRegistry
  private let state = Mutex(State())

  private struct State {
    var sight = LeaderSight()
    var leadership: EtcdLeadership?
    var greatestTail: UInt64 = 0
  }

  /// How many frames are deleted at once. etcd does nothing else meanwhile.
  private static let deletedAtOnce: UInt64 = 500
  private static let tries = 5
  private static let pause: UInt64 = 100_000_000

  init(
    _ calls: any EtcdCalls, folderID: Hash128, _ settings: ReplicationSettings, _ surroundings: Surroundings = .real,
    longestValue: Int = AppendQueue.longestValue, sabotage: ReplicationSabotage = []
  ) {
    store = CheckedStore(calls)
    keys = LogKeys(folderID)
    self.settings = settings
    self.surroundings = surroundings
    self.longestValue = longestValue
    self.sabotage = sabotage
    registry = NodeRegistry(store, keys, surroundings)
  }

  var reading: FrameReading { FrameReading(store: store, keys: keys) }

  /// The lease of a leader, in nanoseconds.
  var lease: UInt64 { UInt64(settings.leaseMilliseconds) * 1_000_000 }

  // MARK: Looking

  /// Reads all small keys, and notes what they say about the leader.
  func look() async throws(SharedLogError) -> LogView {
    try await look(also: []).view
  }

  private func look(also more: [Operation]) async throws(SharedLogError) -> (
    view: LogView, results: ArraySlice<TransactionResponse.Result>
  ) {
    let known = state.withLock { $0.greatestTail }
    let operations = LogView.operations(keys)
    let response: TransactionResponse
    do throws(EtcdError) {
      response = try await store.read(operations + more)
    } catch {
      throw SharedLogError(error)
    }
    let view = try LogView(response)
    let index = view.tail?.tail.index ?? 0
    guard index >= known else {
      throw .damaged(
        """
        it ends with frame \(index), after it had ended with frame \(known): etcd was restored from an older copy. Stop \
        all nodes, and begin the shared log anew from the node with the newest folder
        """)
    }
    let now = surroundings.now()
    state.withLock { state in
      state.greatestTail = max(state.greatestTail, index)
      state.sight.note(view.heartbeat, at: now, gap: max(lease / 2, 1_500_000_000))
    }
    return (view, response.results[operations.count...])
  }

  /// Who leads: nil if nobody does, or if the leader was silent for its lease.
  func leader(in view: LogView) -> LeaderEntry? {
    guard let leader = view.leader, !isSilent(leader, view.heartbeat) else { return nil }
    return LeaderEntry(node: leader.node.entry, epoch: leader.epoch)
  }

  private func isSilent(_ leader: StoredLeader, _ heartbeat: Int64) -> Bool {
    if sabotage.contains(.skipSilence) { return true }
    let now = surroundings.now()
    let lease = max(lease, leader.longestMilliseconds * 1_000_000)
    return state.withLock { $0.sight.isSilent(heartbeat, at: now, lease: lease) }
  }

  func status() async throws(SharedLogError) -> SharedLogStatus {
    let (view, results) = try await look(also: [.range(keys.nodes)])
    var nodes: [NodeEntry] = []
    var revisions: [String: Int64] = [:]
    var oddities = view.oddities
    for pair in results.first?.pairs ?? [] {
      let name = String(decoding: pair.key, as: UTF8.self)
      let node = LogView.passingOver(&oddities, nil) { () throws(SharedLogError) in try StoredNode(pair, as: name) }
      guard let node else { continue }
      nodes.append(node.entry)
      revisions[node.entry.name] = pair.modRevision
    }
    return SharedLogStatus(
      epoch: view.epoch, tail: view.tail?.tail, leader: leader(in: view), nodes: nodes.sorted { $0.name < $1.name },
      revisions: revisions, firstIndex: view.start.index, keptBytes: view.keptBytes, handover: view.handover?.request,
      oddities: oddities)
  }

  func frames(after index: UInt64) async throws(SharedLogError) -> [SharedFrame] {
    var limit = FrameReading.firstLimit
    return try await reading.page(from: index + 1, limit: &limit).frames
  }

  func follow(
    after index: UInt64, _ handle: @escaping @Sendable (SharedNews) async throws -> Void
  ) async throws {
    try await Following(self, after: index, handle).run()
  }

  // MARK: Beginning

  func begin(at tail: SharedTail) async throws(SharedLogError) {
    let wanted = StoredTail(tail: tail, writer: 0, bytes: 0)
    let request = TransactionRequest(
      comparisons: [
        Comparison(key: keys.tail, target: .version(0)), Comparison(key: keys.epoch, target: .version(0)),
      ],
      success: [
        .put(key: keys.tail, value: wanted.stored), .put(key: keys.epoch, value: StoredEpoch.stored(tail.epoch)),
        .put(key: keys.start, value: StoredStart(index: tail.index + 1, bytes: 0).stored),
        .put(key: keys.ended, value: StoredEpoch.stored(tail.epoch)),
      ], failure: [.get(keys.tail)])
    var wasLost = false
    let response = try await insisting { () throws(EtcdError) in
      do throws(EtcdError) {
        return try await store.transact(request)
      } catch {
        if error.kind == .unreachable { wasLost = true }
        throw error
      }
    }
    // An attempt whose answer was lost may have succeeded.
    guard !response.succeeded else { return }
    guard wasLost, try StoredTail(response.results[0].pairs.first, as: "tail") == wanted else { throw .exists }
  }

  // MARK: Nodes

  func announce(_ node: NodeEntry) async throws(SharedLogError) -> Bool { try await registry.announce(node) }

  func leave() async {
    await state.withLock { $0.leadership }?.resign()
    await registry.leave()
    await store.calls.close()
  }

  // MARK: Leading

  func lead(
    as node: NodeEntry, replacing replaced: UInt64?, above least: UInt64
  ) async throws(SharedLogError) -> (any Leadership)? {
    guard let taken = try await take(as: node, replacing: replaced, above: least) else { return nil }
    let limits = AppendPipeline.Limits(
      slow: settings.slowBytes, most: max(settings.mostBytes, settings.slowBytes), longestValue: longestValue)
    let leadership = EtcdLeadership(taken.beginning, store, keys, surroundings, limits, sabotage)
    state.withLock { $0.leadership = leadership }
    leadership.start()
    if let old = taken.replaced {
      guard await outlast(old, from: surroundings.now()) else {
        await leadership.resign()
        return nil
      }
      leadership.noteAlone()
    }
    return leadership
  }

  private struct Taken {
    var beginning: EtcdLeadership.Beginning
    /// The leader whose lease may not have ended.
    var replaced: StoredLeader?
  }

  /// Raises the epoch, if nobody leads or the leader is to be replaced.
  private func take(
    as node: NodeEntry, replacing replaced: UInt64?, above least: UInt64
  ) async throws(SharedLogError) -> Taken? {
    let view = try await look()
    guard let tail = view.tail else { throw .missing }
    var live: StoredLeader?
    if let leader = view.leader, !isSilent(leader, view.heartbeat) {
      guard leader.epoch == replaced else { return nil }
      live = leader
    }
    var leader = StoredLeader(
      node: StoredNode(entry: node), epoch: max(view.epoch, tail.tail.epoch, least) + 1, attempt: surroundings.random(),
      leaseMilliseconds: UInt64(settings.leaseMilliseconds))
    if let live, !sabotage.contains(.forgetReplaced) { leader.earlierMilliseconds = live.longestMilliseconds }
    var comparisons = [Comparison(key: keys.epoch, target: .value(StoredEpoch.stored(view.epoch)))]
    // A leader that is being replaced writes heartbeats meanwhile; any other is silent.
    if live == nil { comparisons.append(Comparison(key: keys.leader, target: .modRevision(view.heartbeat))) }
    let sent = surroundings.now()
    let request = TransactionRequest(
      comparisons: comparisons,
      success: [
        .put(key: keys.epoch, value: StoredEpoch.stored(leader.epoch)),
        .put(key: keys.leader, value: leader.stored), .get(keys.tail), .get(keys.start),
      ])
    do throws(EtcdError) {
      let response = try await store.transact(request)
      guard response.succeeded else { return nil }
      // The tail's revision is not that of this transaction.
      guard let end = try? StoredTail(response.results[2].pairs.first, as: "tail"),
        let start = try? StoredStart(response.results[3].pairs.first, as: "start")
      else { throw EtcdError(kind: .refused, endpoint: "the cluster", message: "the tail cannot be read") }
      return Taken(
        beginning: EtcdLeadership.Beginning(
          leader: leader, tail: end, tailRevision: response.results[2].pairs[0].modRevision, startBytes: start.bytes,
          sent: sent), replaced: live)
    } catch {
      guard error.kind == .unreachable else { throw SharedLogError(error) }
    }
    // The answer was lost. Only what is stored tells whether this attempt has succeeded.
    let now = try await insistingLook()
    guard now.leader == leader, now.epoch == leader.epoch, let end = now.tail else { return nil }
    return Taken(
      beginning: EtcdLeadership.Beginning(
        leader: leader, tail: end, tailRevision: now.tailRevision, startBytes: now.start.bytes, sent: sent),
      replaced: live)
  }

  /// Waits until a replaced leader, and those before it, answer no reads any more: it has said so, or the longest lease has
  /// ended, which began at the latest when it was replaced.
  ///
  /// - Returns: false if the task was cancelled before.
  private func outlast(_ old: StoredLeader, from: UInt64) async -> Bool {
    let until = from + old.longestMilliseconds * 1_000_000
    while surroundings.now() < until {
      if Task.isCancelled { return false }
      if let view = try? await look(), view.ended >= old.epoch { return true }
      await surroundings.sleep(min(Self.pause, until - min(until, surroundings.now())))
    }
    return true
  }

  // MARK: Handing over

  private var handovers: Handovers { Handovers(store: store, keys: keys) }

  func requestHandover(to node: String) async throws(SharedLogError) -> HandoverRequest {
    let number = surroundings.random()
    for _ in 0..<Self.tries {
      let view = try await look()
      guard view.tail != nil else { throw .missing }
      guard let leader = leader(in: view) else {
        throw .refused("no node leads at the moment, so none can hand over; one takes over by itself")
      }
      guard leader.node.name != node else { throw .refused("\"\(node)\" leads already") }
      if let seen = view.handover?.request, seen.epoch == leader.epoch, seen.answer == .taken {
        throw .refused("a handover to \"\(seen.node)\" is under way; see NODE.LIST for who leads then, and ask again")
      }
      let request = HandoverRequest(node: node, epoch: leader.epoch, number: number)
      let isAsked = try await insisting { () throws(EtcdError) in
        try await handovers.request(request, replacing: view.handoverRevision)
      }
      if isAsked { return request }
    }
    throw .refused("others ask for handovers at the same time; ask again")
  }

  func settle(_ request: HandoverRequest, _ answer: HandoverRequest.Answer?) async throws(SharedLogError) -> Bool {
    try await insisting { () throws(EtcdError) in try await handovers.settle(request, answer) }
  }

  // MARK: Truncating

  func truncate(through index: UInt64) async throws(SharedLogError) {
    var revision: Int64?
    while true {
      let view = try await look()
      guard let tail = view.tail else { throw .missing }
      guard index <= tail.tail.index else {
        throw .refused("frames through \(index) cannot be deleted: the last one is \(tail.tail.index)")
      }
      guard index >= view.start.index else { break }
      // Frames may be gone without a note of it (see below).
      let first = try await reading.firstKept(tail)
      let next = max(first, min(index + 1, max(view.start.index, first) + Self.deletedAtOnce))
      do throws(EtcdError) {
        revision = try await delete(before: next, view, noting: true) ?? revision
      } catch {
        switch error.kind {
        case .unreachable, .busy: await surroundings.sleep(Self.pause)
        case .noSpace:
          guard first <= index else { break }
          // Without space etcd takes no value, but it deletes. The next truncation notes where the log begins.
          revision = try? await delete(before: index + 1, view, noting: false)
          guard revision != nil else { throw SharedLogError(error) }
        case .unauthenticated, .compacted, .leaseGone, .inconsistent, .refused: throw SharedLogError(error)
        }
        if error.kind == .noSpace { break }
      }
    }
    // What was deleted takes up space until it is compacted.
    if let revision { try await compact(revision) }
  }

  func compact() async throws(SharedLogError) { try await compact(look().revision) }

  private func compact(_ revision: Int64) async throws(SharedLogError) {
    do throws(EtcdError) {
      try await store.calls.compact(CompactionRequest(revision: revision))
    } catch {
      // Somebody else has compacted, or will; a revision may be compacted only once.
      guard error.kind == .compacted || error.mayPass else { throw SharedLogError(error) }
    }
  }

  /// Deletes a slice of the log's beginning. Returns its revision; nil if something was changed meanwhile.
  private func delete(before next: UInt64, _ view: LogView, noting: Bool) async throws(EtcdError) -> Int64? {
    // How many bytes lie before the first frame that stays: it says so itself, or the tail does if none stays.
    var before = view.tail?.bytes ?? 0
    var guardian = Comparison(key: keys.tail, target: .modRevision(view.tailRevision))
    if next <= view.tail?.tail.index ?? 0 {
      let found = try await store.read([.get(keys.frame(next))]).results[0].pairs.first
      guard let found, let frame = try? StoredFrame(found, as: "log/\(next)") else { return nil }
      before = frame.offset
      guardian = Comparison(key: keys.frame(next), target: .modRevision(found.modRevision))
    }
    let note = Operation.put(key: keys.start, value: StoredStart(index: next, bytes: before).stored)
    let response = try await store.transact(
      TransactionRequest(
        comparisons: [guardian],
        success: keys.frames(before: next).map { .delete($0) } + (noting ? [note] : [])))
    return response.succeeded ? response.header.revision : nil
  }

  // MARK: Insisting

  /// Repeats something that does no harm if it is done twice.
  private func insisting<Answer>(
    _ call: () async throws(EtcdError) -> Answer
  ) async throws(SharedLogError) -> Answer {
    var attempt = 1
    while true {
      do throws(EtcdError) {
        return try await call()
      } catch {
        guard error.mayPass, attempt < Self.tries, !Task.isCancelled else { throw SharedLogError(error) }
        attempt += 1
        await surroundings.sleep(Self.pause)
      }
    }
  }

  private func insistingLook() async throws(SharedLogError) -> LogView {
    var attempt = 1
    while true {
      do throws(SharedLogError) {
        return try await look()
      } catch {
        guard case .unreachable = error, attempt < Self.tries, !Task.isCancelled else { throw error }
        attempt += 1
        await surroundings.sleep(Self.pause)
      }
    }
  }
}
