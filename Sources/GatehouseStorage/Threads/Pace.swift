internal import CThreads
internal import Glibc

/// Has the thread that made it yield its core again and again while it computes.
///
/// Linux runs a thread of the class `SCHED_IDLE` although others want its core, if those have just had it: of two threads
/// that wake each other on one core, such as a lane and its client, the first is suspended for the second, and when that
/// sleeps, the idle one gets the core until the scheduler's next tick, up to 4 ms later. If it yields, the first gets the
/// core back at once. What computes for long does not yield by itself, so a timer's signal interrupts it: often while that
/// lets others run, and else seldom (`PaceInterval`).
package struct Pace: ~Copyable {
  /// What the signal's handler needs of its thread. It runs on that thread only, so nothing is shared.
  private struct Course {
    /// nil is a timer, too: that with the number 0, which is the first of a process.
    var timer: timer_t?
    var interval = PaceInterval()
    /// Whether the thread computes. A signal may come when it has just ended, and must not start the timer again.
    var isComputing = false

    func set(nanoseconds: Int) {
      let length = timespec(tv_sec: 0, tv_nsec: nanoseconds)
      var period = itimerspec(it_interval: length, it_value: length)
      timer_settime(timer, 0, &period, nil)
    }

    /// Yields, and adapts the interval to whether another thread has run meanwhile.
    mutating func yield() {
      let start = MonotonicClock.now()
      sched_yield()
      guard isComputing else { return }
      let hasLetRun = MonotonicClock.now() - start > Pace.longestYield
      if interval.note(hasLetRun: hasLetRun) { set(nanoseconds: interval.nanoseconds) }
    }
  }

  /// nil if no timer is wanted, or the system has none left: the thread then yields at the scheduler's ticks only.
  private let course: UnsafeMutablePointer<Course>?

  /// A yield that nobody waits for takes about a microsecond.
  private static let longestYield: UInt64 = 8_000

  /// The first of the signals without a meaning. Its handler yields.
  private static let signal: Int32 = {
    let signal = __libc_current_sigrtmin()
    var action = sigaction()
    action.__sigaction_handler.sa_sigaction = { _, information, _ in
      // Anybody may send the signal, but only the timer brings the pointer.
      guard let information, information.pointee.si_code == Int32(SI_TIMER) else { return }
      let value = information.pointee._sifields._timer.si_sigval.sival_ptr
      value?.assumingMemoryBound(to: Course.self).pointee.yield()
    }
    action.sa_flags = SA_RESTART | SA_SIGINFO
    sigaction(signal, &action, nil)
    return signal
  }()

  /// - Parameter priority: the thread's; only idle ones need to yield.
  package init(for priority: PosixThread.Priority) {
    guard case .idle = priority else {
      course = nil
      return
    }
    let course = UnsafeMutablePointer<Course>.allocate(capacity: 1)
    course.initialize(to: Course())
    Self.mask(SIG_UNBLOCK)
    var event = sigevent()
    event.sigev_notify = Int32(SIGEV_THREAD_ID)
    event.sigev_signo = Self.signal
    event.sigev_value.sival_ptr = UnsafeMutableRawPointer(course)
    event._sigev_un._tid = gettid()
    guard timer_create(CLOCK_MONOTONIC, &event, &course.pointee.timer) == 0 else {
      course.deallocate()
      self.course = nil
      return
    }
    self.course = course
  }

  deinit {
    guard let course else { return }
    // A signal that is under way must not come any more.
    Self.mask(SIG_BLOCK)
    timer_delete(course.pointee.timer)
    course.deallocate()
  }

  private static func mask(_ how: Int32) {
    var own = ownSignal
    pthread_sigmask(how, &own, nil)
  }

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
  package func begin() {
    guard let course else { return }
    course.pointee.isComputing = true
    course.pointee.set(nanoseconds: course.pointee.interval.nanoseconds)
  }

  /// The thread is about to wait. A signal would wake it for nothing.
  package func end() {
    guard let course else { return }
    course.pointee.isComputing = false
    course.pointee.set(nanoseconds: 0)
  }
}

/// How long an idle thread computes before it yields again.
///
/// On a virtual machine a signal costs about as much as 15 µs of the work, so the interval is short only while yields let
/// others run: whoever waits for the core then waits no longer.
struct PaceInterval {
  static let shortest = 250_000
  static let longest = 2_000_000
  /// After so many yields that nobody waited for, the interval is doubled.
  static let calmYields = 8

  private(set) var nanoseconds = longest
  private var calm = 0

  /// Notes a yield.
  ///
  /// - Parameter hasLetRun: whether another thread has run meanwhile.
  /// - Returns: whether the interval has changed.
  mutating func note(hasLetRun: Bool) -> Bool {
    let before = nanoseconds
    if hasLetRun {
      (nanoseconds, calm) = (Self.shortest, 0)
    } else {
      calm += 1
      if calm == Self.calmYields { (nanoseconds, calm) = (min(nanoseconds * 2, Self.longest), 0) }
    }
    return nanoseconds != before
  }
}
