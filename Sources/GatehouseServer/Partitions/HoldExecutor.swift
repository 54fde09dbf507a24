/// The executor of an actor that threads also enter without a task. An awaited call runs under the same lock, on the
/// thread that enqueued it.
///
/// `assumeIsolated` asks it too: the thread that has the lock is isolated.
final class HoldExecutor: SerialExecutor, @unchecked Sendable {
  private let lock: UnsafeMutablePointer<HoldLock>

  init(_ lock: UnsafeMutablePointer<HoldLock>) { self.lock = lock }

  func enqueue(_ job: consuming ExecutorJob) {
    lock.pointee.lock()
    UnownedJob(job).runSynchronously(on: asUnownedSerialExecutor())
    lock.pointee.unlock()
  }

  func isIsolatingCurrentContext() -> Bool? { lock.pointee.isHeldHere }

  func checkIsolated() { precondition(lock.pointee.isHeldHere, "the partition is not held by this thread") }
}
