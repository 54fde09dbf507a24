internal import Glibc

/// A thread for work that sleeps in system calls, which the cooperative pool must not.
package struct PosixThread: @unchecked Sendable {
  private let thread: pthread_t

  /// - Parameter niceness: how far the thread stands back behind others, from 0 to 19.
  package init(niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Body(niceness: niceness, run: body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        let body = Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
        // Signals go to the program's other threads, so that none interrupts a write.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        // On Linux this is the thread's own, and not the process's.
        if body.niceness > 0 { setpriority(Int32(PRIO_PROCESS.rawValue), 0, body.niceness) }
        body.run()
        return nil
      }, box.toOpaque())
    guard code == 0 else { fatalError("pthread_create: \(String(cString: strerror(code)))") }
    self.thread = thread
  }

  /// Waits for the thread's end; to be called once.
  package func join() { pthread_join(thread, nil) }

  /// Lets the thread end by itself; instead of `join`.
  package func detach() { pthread_detach(thread) }

  private final class Body: Sendable {
    let niceness: Int32
    let run: @Sendable () -> Void

    init(niceness: Int32, run: @escaping @Sendable () -> Void) {
      self.niceness = niceness
      self.run = run
    }
  }
}

/// What one thread sleeps at until another rings. A ring before the sleep is not lost.
final class Doorbell: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Guarded by `mutex`.
  private var isRung = false

  init() {
    pthread_mutex_init(mutex, nil)
    // Deadlines are of the clock that nobody sets.
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

  func ring() {
    pthread_mutex_lock(mutex)
    isRung = true
    pthread_mutex_unlock(mutex)
    pthread_cond_signal(condition)
  }

  func wait() {
    pthread_mutex_lock(mutex)
    while !isRung { pthread_cond_wait(condition, mutex) }
    isRung = false
    pthread_mutex_unlock(mutex)
  }

  /// Waits until it rings or `deadline`, in the nanoseconds of `MonotonicClock`, has come.
  func wait(until deadline: UInt64) {
    var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
    pthread_mutex_lock(mutex)
    while !isRung, pthread_cond_timedwait(condition, mutex, &time) == 0 {}
    isRung = false
    pthread_mutex_unlock(mutex)
  }
}

/// Time that only goes forward, in nanoseconds since some moment.
enum MonotonicClock {
  static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
