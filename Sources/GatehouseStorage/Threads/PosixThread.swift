internal import Glibc

/// A thread for work that sleeps in system calls, which the cooperative pool must not.
package struct PosixThread: @unchecked Sendable {
  /// How a thread stands to others that want the same core.
  package enum Priority: Sendable {
    case normal
    /// Stands back behind all others, and gets a small share where they want all cores (`SCHED_BATCH`, nice 19).
    case low
    /// Runs on a core that nobody else wants, and leaves it at once to whoever does (`SCHED_IDLE`). It may stand still for
    /// long, so it must hold nothing that others wait for, an allocator's lock included: what other threads have allocated
    /// it must not free.
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
        // Signals go to the program's other threads, so that none interrupts a write.
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

  /// Waits for the thread's end; to be called once.
  package func join() { pthread_join(thread, nil) }

  /// Lets the thread end by itself; instead of `join`.
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
  /// The kernel's number of the calling thread's scheduling class.
  package static var current: Int32 { sched_getscheduler(0) }

  /// The kernel's number of the class: `SCHED_OTHER`, `SCHED_BATCH`, `SCHED_IDLE`, which its header has for C alone.
  package var schedulingClass: Int32 {
    switch self {
    case .normal: 0
    case .low: 3
    case .idle: 5
    }
  }

  /// Gives the calling thread the priority. Where the system does not let it, the thread works on as it is.
  fileprivate func take() {
    if case .normal = self { return }
    var parameters = sched_param()
    parameters.sched_priority = 0
    // On Linux both are the thread's own, and not the process's.
    sched_setscheduler(0, schedulingClass, &parameters)
    setpriority(Int32(PRIO_PROCESS.rawValue), 0, 19)
  }
}
