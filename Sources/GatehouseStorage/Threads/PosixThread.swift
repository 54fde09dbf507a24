internal import CThreads
internal import Glibc

/// A thread for work that blocks in system calls, which must not run on Swift's cooperative pool.
package struct PosixThread: @unchecked Sendable {
  /// A thread's priority against others that want the same core.
  package enum Priority: Sendable {
    /// Works in short turns on which others wait, and is asked to get them sooner (a time slice of 0.1 ms, from Linux 6.12
    /// on). While passwords were hashed on all cores, that halved the 99th percentile of login checks: without it, a lane
    /// that had just run waited for the idle threads' next yield.
    case prompt
    case normal
    /// Yields to all others, but still gets a small share of a busy core (`SCHED_BATCH`, nice 19).
    case low
    /// Runs only on an idle core, and leaves it if another thread wants it (`SCHED_IDLE`, see `Pace`). It may be stopped
    /// for long, so it must never hold what others wait for, to avoid priority inversion. That includes the allocator's
    /// locks: it must not free memory that other threads have allocated.
    case idle
  }

  private let thread: pthread_t

  package init(priority: Priority = .normal, _ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(Body(priority: priority, run: body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        let body = Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
        // Block all signals: they go to other threads, so that none interrupts a write.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        body.priority.take()
        body.run()
        return nil
      }, box.toOpaque())
    guard code == 0 else { fatalError("pthread_create: \(String(cString: strerror(code)))") }
    self.thread = thread
  }

  /// Waits for the thread to end. Call it once.
  package func join() { pthread_join(thread, nil) }

  /// Lets the thread end by itself, instead of `join`.
  package func detach() { pthread_detach(thread) }

  private final class Body: Sendable {
    let priority: Priority
    let run: @Sendable () -> Void

    init(priority: Priority, run: @escaping @Sendable () -> Void) {
      self.priority = priority
      self.run = run
    }
  }
}

extension PosixThread.Priority {
  /// The calling thread's scheduling class, as the kernel's number.
  package static var current: Int32 { sched_getscheduler(0) }

  /// The kernel's number of the class: `SCHED_OTHER`, `SCHED_BATCH` or `SCHED_IDLE`, whose macros Swift cannot import.
  package var schedulingClass: Int32 {
    switch self {
    case .prompt, .normal: 0
    case .low: 3
    case .idle: 5
    }
  }

  /// Gives the calling thread this priority. If the system refuses, the thread keeps its own.
  fileprivate func take() {
    switch self {
    case .normal: return
    case .prompt:
      // Whoever has given the whole process another class has reasons.
      guard Self.current == schedulingClass else { return }
      _ = set_time_slice(100_000, getpriority(Int32(PRIO_PROCESS.rawValue), 0))
      return
    case .low, .idle: break
    }
    var parameters = sched_param()
    parameters.sched_priority = 0
    // On Linux both calls affect only the calling thread, not the process.
    sched_setscheduler(0, schedulingClass, &parameters)
    setpriority(Int32(PRIO_PROCESS.rawValue), 0, 19)
  }
}
