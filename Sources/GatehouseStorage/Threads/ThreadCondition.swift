internal import Glibc

/// A condition variable with its mutex.
///
/// Deadlines are in `MonotonicClock`'s time, so that setting the wall clock does not move them.
package final class ThreadCondition: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  package init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Wakes one waiting thread.
  /// - Parameter change: makes the condition true; runs under the lock.
  package func signal(after change: () -> Void = {}) {
    pthread_mutex_lock(mutex)
    change()
    pthread_mutex_unlock(mutex)
    pthread_cond_signal(condition)
  }

  /// Sleeps until `isMet` returns true. It is evaluated under the lock: first, and at every signal.
  package func wait(for isMet: () -> Bool) {
    pthread_mutex_lock(mutex)
    while !isMet() { pthread_cond_wait(condition, mutex) }
    pthread_mutex_unlock(mutex)
  }

  /// The same, until `deadline` at most.
  /// - Returns: the last result of `isMet`.
  @discardableResult
  package func wait(for isMet: () -> Bool, until deadline: UInt64) -> Bool {
    var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !isMet() {
      if pthread_cond_timedwait(condition, mutex, &time) != 0 { return isMet() }
    }
    return true
  }
}
