internal import GatehouseStorage
internal import Synchronization

/// The leadership of one epoch: a heartbeat that keeps it, and the appends that use it.
final class EtcdLeadership: Leadership {
  let epoch: UInt64
  let tail: SharedTail
  private let store: CheckedStore
  private let keys: LogKeys
  private let surroundings: Surroundings
  private let sabotage: ReplicationSabotage
  /// What the heartbeats say.
  private let leader: Mutex<StoredLeader>
  private let lease: LeaderLease
  let pipeline: AppendPipeline
  private let conclusion: LeadershipEnd
  private let tasks = Mutex<[Task<Void, Never>]>([])

  /// How the leadership was won.
  struct Beginning {
    var leader: StoredLeader
    var tail: StoredTail
    /// The revision that wrote the tail.
    var tailRevision: Int64
    var startBytes: UInt64
    /// When the transaction was sent that began it, in `LeaseClock`'s time.
    var sent: UInt64
  }

  init(
    _ beginning: Beginning, _ store: CheckedStore, _ keys: LogKeys, _ surroundings: Surroundings,
    _ limits: AppendPipeline.Limits, _ sabotage: ReplicationSabotage
  ) {
    self.store = store
    self.keys = keys
    self.surroundings = surroundings
    self.sabotage = sabotage
    leader = Mutex(beginning.leader)
    epoch = beginning.leader.epoch
    tail = beginning.tail.tail
    let lease = LeaderLease(milliseconds: beginning.leader.leaseMilliseconds, sent: beginning.sent)
    let conclusion = LeadershipEnd()
    self.lease = lease
    self.conclusion = conclusion
    pipeline = AppendPipeline(
      store, keys, surroundings, limits, epoch: beginning.leader.epoch,
      continuing: (beginning.tail, beginning.tailRevision, beginning.startBytes), sabotage,
      onEnd: { conclusion.finish($0) })
    // Nothing that was read may leave after the end, so the lease is the first to know.
    conclusion.onFinish { [pipeline] ending in
      lease.end()
      pipeline.end(ending)
    }
  }

  func start() {
    tasks.withLock { tasks in
      tasks.append(surroundings.spawn { await self.pipeline.run() })
      tasks.append(surroundings.spawn { await self.beat() })
    }
  }

  /// No leader before this one answers any more.
  func noteAlone() { leader.withLock { $0.earlierMilliseconds = 0 } }

  var validUntil: UInt64 { lease.validUntil }

  var room: (kept: UInt64, limit: UInt64) { pipeline.room }

  func makeSink() -> sending any LogSink { EtcdSink(pipeline, appended: tail.lsn, index: tail.index) }

  func end() async -> String { await conclusion.wait().reason }

  // MARK: Heartbeats

  private static let steps: UInt64 = 10

  /// Keeps the leadership until it is over. Then says so in etcd, so that a successor need not wait for the lease.
  private func beat() async {
    while conclusion.ending == nil {
      let isHeard = await beatOnce()
      if lease.isLongOver(at: surroundings.now()) { conclusion.finish(.unheard) }
      // In small steps, so that an end is seen soon.
      for _ in 0..<(isHeard ? Self.steps : 1) where conclusion.ending == nil {
        await surroundings.sleep(lease.duration / 10 / Self.steps)
      }
    }
    // Nothing leaves this node any more, so the epoch has ended. If this does not get through, the lease ends instead; and so
    // it does if a leader before this one may still answer, because that is for the next one to wait for.
    guard leader.withLock({ $0.earlierMilliseconds }) == 0 else { return }
    for _ in 0..<3 {
      do throws(EtcdError) {
        return try await sayEnded()
      } catch {
        guard error.mayPass else { return }
      }
    }
  }

  private func sayEnded() async throws(EtcdError) {
    let ended = Operation.put(key: keys.ended, value: StoredEpoch.stored(epoch))
    let response = try await store.transact(
      TransactionRequest(
        comparisons: [Comparison(key: keys.epoch, target: .value(StoredEpoch.stored(epoch)))],
        success: [ended, .delete(KeyRange(keys.leader))], failure: [.get(keys.ended)]))
    guard !response.succeeded else { return }
    // Another node leads, and may wait for this. A later one that has ended already must not be forgotten.
    let found = response.results[0].pairs.first
    guard (try? StoredEpoch.read(found, as: "ended")) ?? 0 < epoch else { return }
    _ = try await store.transact(
      TransactionRequest(
        comparisons: [Comparison(key: keys.ended, target: .modRevision(found?.modRevision ?? 0))], success: [ended]))
  }

  /// - Returns: whether etcd has answered.
  private func beatOnce() async -> Bool {
    let sent = surroundings.now()
    let leader = leader.withLock { $0 }
    let request = TransactionRequest(
      comparisons: [Comparison(key: keys.epoch, target: .value(StoredEpoch.stored(epoch)))],
      success: [.put(key: keys.leader, value: leader.stored), .get(keys.start)], failure: [.get(keys.epoch)])
    do throws(EtcdError) {
      if sabotage.contains(.trustSentHeartbeat) { lease.extend(sent: sent) }
      let response = try await store.transact(request)
      if response.succeeded {
        lease.extend(sent: sent)
        if let start = try? StoredStart(response.results[1].pairs.first, as: "start") {
          pipeline.noteStart(bytes: start.bytes)
        }
      } else {
        conclusion.finish(ending(response.results[0].pairs.first))
      }
      return true
    } catch {
      // Without space no heartbeat is stored; the lease ends unless there is some soon.
      if !error.mayPass, error.kind != .noSpace { conclusion.finish(Ending(error)) }
      return false
    }
  }

  /// Why the epoch is not this leader's any more.
  private func ending(_ pair: KeyValue?) -> Ending {
    do throws(SharedLogError) {
      let newest = try StoredEpoch.read(pair, as: "epoch")
      if newest > epoch { return .fenced(epoch: newest) }
      return Ending(SharedLogError.damaged("its epoch went back from \(epoch) to \(newest)"))
    } catch {
      return Ending(error)
    }
  }

  func resign() async {
    conclusion.finish(.resigned)
    let tasks = tasks.withLock { $0 }
    for task in tasks { await task.value }
  }
}

/// The end of a leadership, which comes once.
final class LeadershipEnd: Sendable {
  private struct State {
    var ending: Ending?
    var waiters: [CheckedContinuation<Ending, Never>] = []
    var action: (@Sendable (Ending) -> Void)?
  }

  private let state = Mutex(State())

  var ending: Ending? { state.withLock { $0.ending } }

  /// What is done at the end, before anybody hears of it.
  func onFinish(_ action: @escaping @Sendable (Ending) -> Void) { state.withLock { $0.action = action } }

  func finish(_ ending: Ending) {
    let action: (@Sendable (Ending) -> Void)? = state.withLock { state in
      guard state.ending == nil else { return nil }
      state.ending = ending
      // It refers to what refers to this.
      defer { state.action = nil }
      return state.action
    }
    guard let action else { return }
    action(ending)
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: ending) }
  }

  func wait() async -> Ending {
    await withCheckedContinuation { continuation in
      let ending: Ending? = state.withLock { state in
        if state.ending == nil { state.waiters.append(continuation) }
        return state.ending
      }
      if let ending { continuation.resume(returning: ending) }
    }
  }
}
