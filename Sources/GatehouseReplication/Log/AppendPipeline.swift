internal import GatehouseStorage
internal import Synchronization

/// Brings a leader's frames into etcd, and lets the writer's thread wait for them.
///
/// The network is driven by a task; the writer's thread only sleeps on a condition, so it never holds what the task
/// needs.
final class AppendPipeline: Sendable {
  private let store: CheckedStore
  private let keys: LogKeys
  private let surroundings: Surroundings
  private let limits: Limits
  private let sabotage: ReplicationSabotage
  private let state: Mutex<State>
  private let work = WakeUp()
  /// Signalled when the state below changes for the writer's thread.
  private let progress = ThreadCondition()
  /// Called when the shared log says that it cannot go on.
  private let onEnd: @Sendable (Ending) -> Void

  struct Limits {
    /// From how many kept bytes on writes slow down, and from how many on none are accepted. What was accepted by then
    /// (`LogOptions.maximumPendingBytes` at most) is still appended.
    var slow: UInt64
    var most: UInt64
    var longestValue = AppendQueue.longestValue
  }

  private struct State {
    var queue: AppendQueue
    var startBytes: UInt64
    /// etcd has refused frames for lack of space, though it may have stored them: it is to be found out.
    var wasRefusedSpace = false
    /// They are not stored, and the writer was not told yet.
    var lacksSpace = false
    var ending: Ending?
  }

  /// How long a lost answer or a busy etcd is left alone.
  private static let pause: UInt64 = 50_000_000
  /// How long a frame is held back just before the log is full.
  private static let longestDelay: UInt64 = 250_000_000

  init(
    _ store: CheckedStore, _ keys: LogKeys, _ surroundings: Surroundings, _ limits: Limits, epoch: UInt64,
    continuing view: (tail: StoredTail, revision: Int64, startBytes: UInt64), _ sabotage: ReplicationSabotage,
    onEnd: @escaping @Sendable (Ending) -> Void
  ) {
    self.store = store
    self.keys = keys
    self.surroundings = surroundings
    self.limits = limits
    self.sabotage = sabotage
    self.onEnd = onEnd
    state = Mutex(
      State(
        queue: AppendQueue(
          keys, epoch: epoch, continuing: view.tail, at: view.revision, longestValue: limits.longestValue, sabotage),
        startBytes: view.startBytes))
  }

  // MARK: For the writer

  /// Where the writer's frames are.
  enum Standing: Equatable {
    case stored
    case underWay
    /// Nothing after this frame is kept here; it must be given again.
    case dropped(after: UInt64, lsn: UInt64)
    case over(Ending)
  }

  enum Acceptance: Equatable {
    /// Accepted under an index, after so many nanoseconds of rest.
    case index(UInt64, rest: UInt64)
    /// Frames before it were dropped, so it is dropped too.
    case dropped
    case over(Ending)
  }

  func add(_ bytes: [UInt8], lsn: UInt64, hash: Hash128, epoch: UInt64) -> Acceptance {
    let acceptance: Acceptance = state.withLock { state in
      if let ending = state.ending { return .over(ending) }
      guard !state.lacksSpace else { return .dropped }
      let kept = Self.kept(state) + state.queue.waitingBytes
      let index = state.queue.add(bytes, lsn: lsn, hash: hash, epoch: epoch)
      return .index(index, rest: rest(kept))
    }
    if case .index = acceptance { work.ring() }
    return acceptance
  }

  /// Writes slow down more and more, so that whoever truncates the log has time for it.
  private func rest(_ kept: UInt64) -> UInt64 {
    guard kept > limits.slow, limits.most > limits.slow else { return 0 }
    return UInt64(Double(Self.longestDelay) * min(1, Double(kept - limits.slow) / Double(limits.most - limits.slow)))
  }

  /// Whether everything through an index is stored. Telling that frames were dropped is done once.
  func standing(through index: UInt64) -> Standing {
    state.withLock { state in
      if state.queue.stored.tail.index >= index, !state.lacksSpace { return .stored }
      if let ending = state.ending { return .over(ending) }
      if state.lacksSpace {
        state.lacksSpace = false
        return .dropped(after: state.queue.stored.tail.index, lsn: state.queue.stored.tail.lsn)
      }
      return sabotage.contains(.acknowledgeEarly) ? .stored : .underWay
    }
  }

  /// Blocks the calling thread while its frames are under way.
  func wait(through index: UInt64) -> Standing {
    var standing = Standing.underWay
    progress.wait {
      standing = self.standing(through: index)
      return standing != .underWay
    }
    return standing
  }

  var room: (kept: UInt64, limit: UInt64) {
    (state.withLock { Self.kept($0) }, limits.most)
  }

  var hasRoom: Bool { state.withLock { Self.kept($0) + $0.queue.waitingBytes } < limits.most }

  private static func kept(_ state: State) -> UInt64 {
    let all = state.queue.stored.bytes
    return all - min(state.startBytes, all)
  }

  /// The log was truncated.
  func noteStart(bytes: UInt64) {
    state.withLock { $0.startBytes = max($0.startBytes, bytes) }
  }

  /// Nothing more is sent, and nobody waits any longer.
  func end(_ ending: Ending) {
    state.withLock { state in
      if state.ending == nil { state.ending = ending }
      state.queue.stop(.ended)
    }
    progress.signal()
    work.ring()
  }

  // MARK: Sending

  /// Sends frames until the leadership ends.
  func run() async {
    while true {
      switch state.withLock({ $0.queue.next() }) {
      case .wait: await work.wait()
      case .send(let request): await send(request)
      case .resolve: await resolve()
      case .over: return
      }
    }
  }

  private func send(_ request: TransactionRequest) async {
    do throws(EtcdError) {
      let response = try await store.transact(request)
      apply { queue throws(SharedLogError) in try queue.answered(response) }
    } catch {
      switch error.kind {
      case .unreachable, .leaseGone, .compacted:
        if sabotage.contains(.guessLostOutcome) {
          return apply { queue throws(SharedLogError) in
            try queue.answered(TransactionResponse(header: ResponseHeader(revision: 0), succeeded: true))
          }
        }
        apply { queue throws(SharedLogError) in queue.lost() }
      case .busy: await surroundings.sleep(Self.pause)
      case .noSpace:
        // The member that crosses the limit applies a transaction, and refuses it all the same.
        state.withLock { $0.wasRefusedSpace = true }
        apply { queue throws(SharedLogError) in queue.lost() }
      case .unauthenticated, .refused, .inconsistent: onEnd(Ending(error))
      }
    }
  }

  private func resolve() async {
    do throws(EtcdError) {
      let response = try await store.read([.get(keys.epoch), .get(keys.tail)])
      apply { queue throws(SharedLogError) in
        try queue.resolved(epoch: response.results[0].pairs.first, tail: response.results[1].pairs.first)
      }
      dropRefused()
    } catch {
      guard error.mayPass else { return onEnd(Ending(error)) }
      await surroundings.sleep(Self.pause)
    }
  }

  /// Nothing that etcd had no space for is kept here; whoever gave it gives it again.
  private func dropRefused() {
    state.withLock { state in
      guard state.wasRefusedSpace else { return }
      state.wasRefusedSpace = false
      guard state.ending == nil, state.queue.drop() else { return }
      state.lacksSpace = true
    }
    progress.signal()
  }

  private func apply(_ change: (inout AppendQueue) throws(SharedLogError) -> Void) {
    let ending: Ending? = state.withLock { state in
      // A stop may have come while the answer was under way.
      guard state.queue.end == nil else { return nil }
      do throws(SharedLogError) {
        try change(&state.queue)
      } catch {
        return Ending(error)
      }
      return state.queue.end.flatMap { Ending($0) }
    }
    progress.signal()
    if let ending { onEnd(ending) }
  }
}
