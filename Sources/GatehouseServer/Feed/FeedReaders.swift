import GatehouseCore
import Synchronization

/// The readers of the feed that wait for a record.
///
/// A waiting reader costs a suspended task and no thread. When the log becomes durable, all of them are woken together, and
/// at most once in a few milliseconds: under a load of writes, each wake has more to read instead of there being more wakes.
final class FeedReaders: Sendable {
  enum Wake {
    /// There may be new records.
    case news
    case timeout
    /// Its connection is closing, or the server is stopping.
    case released
  }

  /// Stands for a reader, so that its connection can release it, also while it does not wait yet.
  final class Ticket: Sendable {
    fileprivate let isReleased = Atomic<Bool>(false)

    init() {}
  }

  private struct Waiter {
    let ticket: Ticket?
    let continuation: CheckedContinuation<Wake, Never>
    var timer: Task<Void, Never>?
  }

  private struct State {
    var waiters: [UInt64: Waiter] = [:]
    var next: UInt64 = 0
    var isStopped = false
  }

  private let state = Mutex(State())
  private let waiting = Atomic<Int>(0)
  private let isWaking = Atomic<Bool>(false)
  private let readers = Atomic<Int>(0)

  /// The shortest time between two wakes.
  private static let pause = Duration.milliseconds(2)

  init() {}

  /// How many readers wait.
  var waitingCount: Int { waiting.load(ordering: .relaxed) }

  /// A reader comes.
  ///
  /// - Returns: false if there are too many.
  func enter() -> Bool {
    if readers.add(1, ordering: .relaxed).newValue <= Limits.feedReaders { return true }
    leave()
    return false
  }

  func leave() { readers.subtract(1, ordering: .relaxed) }

  /// Waits for news.
  ///
  /// - Parameters:
  ///   - ticket: for `release`.
  ///   - hasNews: asked once the reader is registered, since news may have come just before.
  func wait(_ span: Duration, _ ticket: Ticket?, unless hasNews: () -> Bool) async -> Wake {
    await withCheckedContinuation { continuation in
      let id = state.withLock { state -> UInt64? in
        if state.isStopped { return nil }
        state.next += 1
        state.waiters[state.next] = Waiter(ticket: ticket, continuation: continuation)
        waiting.store(state.waiters.count, ordering: .relaxed)
        return state.next
      }
      guard let id else { return continuation.resume(returning: .released) }
      let timer = Task { [self] in
        do { try await Task.sleep(for: span) } catch { return }
        resume(.timeout) { waiter, _ in waiter == id }
      }
      let isStillThere = state.withLock { state in
        state.waiters[id]?.timer = timer
        return state.waiters[id] != nil
      }
      if !isStillThere { timer.cancel() }
      // Pairs with the fence of `wake`: one of the two sees what the other has stored.
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      if ticket?.isReleased.load(ordering: .relaxed) ?? false { resume(.released) { waiter, _ in waiter == id } }
      if hasNews() { wake() }
    }
  }

  /// The log is durable further than before. Called for each commit, so it costs a fence and a load if nobody waits.
  @inline(__always)
  func wake() {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if waiting.load(ordering: .relaxed) > 0 { wakeSoon() }
  }

  private func wakeSoon() {
    if isWaking.exchange(true, ordering: .sequentiallyConsistent) { return }
    Task { [self] in
      try? await Task.sleep(for: Self.pause)
      // Before the waiters are taken: news that come later begin another wake.
      isWaking.store(false, ordering: .sequentiallyConsistent)
      resume(.news) { _, _ in true }
    }
  }

  /// Has a reader wait no longer.
  func release(_ ticket: Ticket) {
    ticket.isReleased.store(true, ordering: .relaxed)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    resume(.released) { $1.ticket === ticket }
  }

  /// Has nobody wait any more.
  func stop() {
    state.withLock { $0.isStopped = true }
    resume(.released) { _, _ in true }
  }

  private func resume(_ wake: Wake, where isMeant: (UInt64, Waiter) -> Bool) {
    let woken = state.withLock { state -> [Waiter] in
      let woken = state.waiters.filter { isMeant($0.key, $0.value) }
      for id in woken.keys { state.waiters[id] = nil }
      waiting.store(state.waiters.count, ordering: .relaxed)
      return Array(woken.values)
    }
    for waiter in woken {
      waiter.timer?.cancel()
      waiter.continuation.resume(returning: wake)
    }
  }
}
