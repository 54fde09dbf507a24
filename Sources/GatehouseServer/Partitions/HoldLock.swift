import CPrefetch
import Glibc
import Synchronization

/// The lock behind a hold: one thread at a time works on a partition's state.
///
/// Taking it where nobody is in costs one atomic, leaving it another. A thread that finds it taken spins for about as
/// long as a hold lasts, then sleeps in the kernel, for the holder may have been preempted. `Mutex` would do the same,
/// but lends itself to a closure only, and cannot say whether the current thread has it, which an executor must.
struct HoldLock: ~Copyable, Sendable {
  /// 0 where it is free; else the thread that has it, and in the lowest bit whether somebody sleeps.
  private let word = Atomic<UInt>(0)
  private let contentions = Atomic<Int>(0)
  private let parking = Parking()

  /// How often to look again before sleeping: some microseconds, as a hold takes one at most.
  private static let spins = 200

  init() {}

  /// How often somebody found the lock taken.
  var contended: Int { contentions.load(ordering: .relaxed) }

  /// Whether the current thread has it.
  var isHeldHere: Bool { word.load(ordering: .relaxed) & ~1 == Self.thread }

  @inline(__always)
  func lock() {
    if !tryLock() { lockSlowly() }
  }

  @inline(__always)
  func tryLock() -> Bool {
    word.compareExchange(expected: 0, desired: Self.thread, ordering: .acquiring).exchanged
  }

  @inline(__always)
  func unlock() {
    if word.exchange(0, ordering: .releasing) & 1 != 0 { parking.wakeOne() }
  }

  /// A number of this thread that no other has; the lowest bit is free, for it is an address.
  @inline(__always)
  private static var thread: UInt { UInt(pthread_self()) }

  @inline(never)
  private func lockSlowly() {
    precondition(!isHeldHere, "a thread enters a partition that it is in already")
    contentions.add(1, ordering: .relaxed)
    for _ in 0..<Self.spins {
      if word.load(ordering: .relaxed) == 0, tryLock() { return }
      relax()
    }
    parking.sleep { sleepers in
      let seen = word.load(ordering: .relaxed)
      if seen == 0 {
        // Whoever else sleeps is woken when this thread leaves.
        let taken = Self.thread | (sleepers > 1 ? 1 : 0)
        return word.compareExchange(expected: 0, desired: taken, ordering: .acquiring).exchanged ? .done : .again
      }
      if seen & 1 != 0 { return .sleep }
      return word.compareExchange(expected: seen, desired: seen | 1, ordering: .relaxed).exchanged ? .sleep : .again
    }
  }
}

/// Where threads sleep until a lock is free.
private final class Parking: @unchecked Sendable {
  enum Step {
    case done, again, sleep
  }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Guarded by `mutex`.
  private var sleepers = 0

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Sleeps until `step`, which is told how many want to sleep, is done. Between a step that says `sleep` and the
  /// sleep, nobody can wake.
  func sleep(_ step: (Int) -> Step) {
    pthread_mutex_lock(mutex)
    sleepers += 1
    loop: while true {
      switch step(sleepers) {
      case .done: break loop
      case .again: continue
      case .sleep: pthread_cond_wait(condition, mutex)
      }
    }
    sleepers -= 1
    pthread_mutex_unlock(mutex)
  }

  func wakeOne() {
    pthread_mutex_lock(mutex)
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }
}
