internal import CThreads
internal import Glibc

/// Has the thread that made it yield its core again and again while it computes.
///
/// Linux runs a thread of the class `SCHED_IDLE` although others want its core, if those have just had it: of two threads
/// that wake each other on one core, such as a lane and its client, the first is suspended for the second, and when that
/// sleeps, the idle one gets the core until the scheduler's next tick, up to 4 ms later. If it yields, the first gets the
/// core back at once. What computes for long does not yield by itself, so a timer's signal interrupts it.
package struct Pace: ~Copyable {
  /// nil if it is not wanted, or the system has none left: the thread then yields at the scheduler's ticks only.
  private let timer: timer_t?

  /// How many nanoseconds the thread computes before it yields. Its signal costs twenty microseconds on a virtual machine,
  /// because each wakes whatever else in the process waits for signals.
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
      timer = nil
      return
    }
    var own = sigset_t()
    sigemptyset(&own)
    sigaddset(&own, Self.signal)
    pthread_sigmask(SIG_UNBLOCK, &own, nil)
    var event = sigevent()
    event.sigev_notify = Int32(SIGEV_THREAD_ID)
    event.sigev_signo = Self.signal
    event._sigev_un._tid = gettid()
    var made: timer_t?
    timer = timer_create(CLOCK_MONOTONIC, &event, &made) == 0 ? made : nil
  }

  deinit { if let timer { timer_delete(timer) } }

  /// The thread begins to compute.
  package func begin() { set(nanoseconds: Self.interval) }

  /// The thread is about to wait. A signal would wake it for nothing.
  package func end() { set(nanoseconds: 0) }

  private func set(nanoseconds: Int) {
    guard let timer else { return }
    let length = timespec(tv_sec: 0, tv_nsec: nanoseconds)
    var period = itimerspec(it_interval: length, it_value: length)
    timer_settime(timer, 0, &period, nil)
  }
}
