import GatehouseCore
import Synchronization

/// The replies of fronts that wait until the log is durable through a record. Each costs a suspended task and no thread.
final class DurableWaits: Sendable {
  private struct Waiter {
    let horizon: LSN
    let continuation: CheckedContinuation<Void, Never>
  }

  private let waiters = Mutex<[Waiter]>([])
  private let count = Atomic<Int>(0)

  init() {}

  /// Waits until the log may be durable through the record, or may never be.
  ///
  /// - Parameter isOver: asked once the waiter is registered, since it may have happened just before.
  func wait(for horizon: LSN, unless isOver: () -> Bool) async {
    await withCheckedContinuation { continuation in
      waiters.withLock {
        $0.append(Waiter(horizon: horizon, continuation: continuation))
        count.store($0.count, ordering: .relaxed)
      }
      // Pairs with the fence of `wake`: one of the two sees what the other has stored.
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      if isOver() { wake(through: horizon) }
    }
  }

  /// The log is durable through this record. Called for each commit, so it costs a fence and a load if nobody waits.
  @inline(__always)
  func wake(through lsn: LSN) {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if count.load(ordering: .relaxed) > 0 { resume(through: lsn) }
  }

  private func resume(through lsn: LSN) {
    let woken = waiters.withLock { waiters in
      let woken = waiters.filter { $0.horizon <= lsn }
      waiters.removeAll { $0.horizon <= lsn }
      count.store(waiters.count, ordering: .relaxed)
      return woken
    }
    for waiter in woken { waiter.continuation.resume() }
  }
}
