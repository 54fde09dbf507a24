internal import CThreads
internal import Glibc

/// Has the thread that made it yield its core again and again while it computes.
///
/// Linux runs a thread of the class `SCHED_IDLE` although others want its core, if those have just had it: of two threads
/// that wake each other on one core, such as a lane and its client, the first is suspended for the second, and when that
/// sleeps, the idle one gets the core until the scheduler's next tick, up to 4 ms later. If it yields, the first gets the
/// core back at once. What computes for long does not yield by itself, so a timer's signal interrupts it.
package struct Pace: ~Copyable {
  /// Whether there is a timer. Not if none is wanted, or the system has none left: the thread then yields at the scheduler's
  /// ticks only.
  private let hasTimer: Bool
  /// nil is a timer, too: that with the number 0, which is the first of a process.
  private let timer: timer_t?

  /// How many nanoseconds the thread computes before it yields. On a virtual machine a signal costs about as much as 15 µs
  /// of the work, and others may have to wait as long as this.
  private static let interval = 500_000

  /// The first of the signals without a meaning. Its handler yields.
  private static let signal: Int32 = {
    let signal = __libc_current_sigrtmin()
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in sched_yield() }
    action.sa_flags = SA_RESTART
    sigaction(signal, &action, nil)
    return signal
  }()

  /// - Parameter priority: the thread's; only idle ones need to yield.
  package init(for priority: PosixThread.Priority) {
    guard case .idle = priority else {
      (hasTimer, timer) = (false, nil)
      return
    }
    var own = Self.ownSignal
    pthread_sigmask(SIG_UNBLOCK, &own, nil)
    var event = sigevent()
    event.sigev_notify = Int32(SIGEV_THREAD_ID)
    event.sigev_signo = Self.signal
    event._sigev_un._tid = gettid()
    var made: timer_t?
    hasTimer = timer_create(CLOCK_MONOTONIC, &event, &made) == 0
    timer = made
  }

  deinit { if hasTimer { timer_delete(timer) } }

  /// Makes a system call that must not be interrupted: some file systems, such as those in user space, end a call that
  /// waits with `EINTR`, whatever `SA_RESTART` says, and a sync that has failed must not be repeated.
  package static func undisturbed(_ call: () -> Int32) -> Int32 {
    var (own, before) = (ownSignal, sigset_t())
    // Neither changes `errno`, and nor does the handler.
    pthread_sigmask(SIG_BLOCK, &own, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    return call()
  }

  private static var ownSignal: sigset_t {
    var own = sigset_t()
    sigemptyset(&own)
    sigaddset(&own, signal)
    return own
  }

  /// The thread begins to compute.
  package func begin() { set(nanoseconds: Self.interval) }

  /// The thread is about to wait. A signal would wake it for nothing.
  package func end() { set(nanoseconds: 0) }

  private func set(nanoseconds: Int) {
    guard hasTimer else { return }
    let length = timespec(tv_sec: 0, tv_nsec: nanoseconds)
    var period = itimerspec(it_interval: length, it_value: length)
    timer_settime(timer, 0, &period, nil)
  }
}
