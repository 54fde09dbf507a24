/// The executor of an actor that threads also enter without a task. An awaited call runs under the same lock, on the
/// thread that enqueued it.
///
/// `assumeIsolated` asks it too: the thread that has the lock is isolated.
final class HoldExecutor: SerialExecutor, @unchecked Sendable {
  private let lock: UnsafeMutablePointer<HoldLock>

  init(_ lock: UnsafeMutablePointer<HoldLock>) { self.lock = lock }

  func enqueue(_ job: consuming ExecutorJob) {
    // Whoever awaited the job may let go of the actor, and so of this executor, before this thread has left the lock: on
    // this thread, or on another that goes on with the task.
    let (lock, executor) = (lock, asUnownedSerialExecutor())
    HoldLock.retain(lock)
    defer { HoldLock.release(lock) }
    lock.pointee.lock()
    UnownedJob(job).runSynchronously(on: executor)
    lock.pointee.unlock()
  }

  func isIsolatingCurrentContext() -> Bool? { lock.pointee.isHeldHere }

  func checkIsolated() { precondition(lock.pointee.isHeldHere, "the partition is not held by this thread") }
}
