import Dispatch
import Synchronization

/// Calls `work` with 0..<count, as many at a time as there are cores, and returns when all are done.
func inParallel(count: Int, _ work: @Sendable (Int) -> Void) {
  DispatchQueue.concurrentPerform(iterations: count, execute: work)
}

/// A value under a lock, that closures can share.
final class Mutexed<Value: ~Copyable>: Sendable {
  private let mutex: Mutex<Value>

  init(_ value: consuming sending Value) { mutex = Mutex(value) }

  func withLock<Result>(_ body: (inout sending Value) -> sending Result) -> sending Result {
    mutex.withLock(body)
  }
}
