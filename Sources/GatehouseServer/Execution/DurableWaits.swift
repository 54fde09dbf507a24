import GatehouseCore
import Synchronization

/// The replies of fronts that wait until the log is durable through a record. Each costs a suspended task and no thread.
///
/// A wait ends with the record, with the log, or with the task that waits: none outlasts whoever wants its answer.
final class DurableWaits: Sendable {
  private struct Waiter {
    let id: UInt64
    let horizon: LSN
    let continuation: CheckedContinuation<Void, Never>
  }

  private let waiters = Mutex<[Waiter]>([])
  private let count = Atomic<Int>(0)
  private let nextID = Atomic<UInt64>(0)
  private let isOver = Atomic<Bool>(false)

  init() {}

  /// How many replies wait.
  var waitingCount: Int { count.load(ordering: .relaxed) }

  /// Whether the log is closed, so that nobody need wait any more.
  var hasEnded: Bool { isOver.load(ordering: .acquiring) }

  /// Waits until the log may be durable through the record, or may never be.
  ///
  /// - Parameter isNeedless: asked once the waiter is registered, since it may have happened just before.
  func wait(for horizon: LSN, unless isNeedless: () -> Bool) async {
    let id = nextID.add(1, ordering: .relaxed).newValue
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        waiters.withLock {
          $0.append(Waiter(id: id, horizon: horizon, continuation: continuation))
          count.store($0.count, ordering: .relaxed)
        }
        // Pairs with the fence of `wake`: one of the two sees what the other has stored.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if isNeedless() { wake(through: horizon) }
        // The task may have been cancelled before the waiter was there to be found.
        if hasEnded || Task.isCancelled { resume { $0.id == id } }
      }
    } onCancel: {
      resume { $0.id == id }
    }
  }

  /// The log is durable through this record. Called for each commit, so it costs a fence and a load if nobody waits.
  @inline(__always)
  func wake(through lsn: LSN) {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if count.load(ordering: .relaxed) > 0 { resume { $0.horizon <= lsn } }
  }

  /// The log is closed.
  func end() {
    isOver.store(true, ordering: .sequentiallyConsistent)
    resume { _ in true }
  }

  private func resume(where isMeant: (Waiter) -> Bool) {
    let woken = waiters.withLock { waiters in
      let woken = waiters.filter(isMeant)
      if woken.isEmpty { return woken }
      waiters.removeAll(where: isMeant)
      count.store(waiters.count, ordering: .relaxed)
      return woken
    }
    for waiter in woken { waiter.continuation.resume() }
  }
}
