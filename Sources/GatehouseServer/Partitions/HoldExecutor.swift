/// The executor of an actor that threads also enter without a task: what is awaited of the actor runs under the lock of
/// its holds, on the thread that asked.
///
/// The runtime asks it for `assumeIsolated`: whoever has the lock is isolated.
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
