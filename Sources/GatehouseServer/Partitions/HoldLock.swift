/// The lock behind a hold: one thread at a time works on a partition's state.
typealias HoldLock = OwnedLock<ThreadGround>

/// A lock that knows which thread has it.
///
/// Taking it where nobody is in costs one atomic operation, leaving it a store. A thread that finds it taken spins for
/// about as long as a hold lasts, then sleeps in the kernel, for the holder may have been preempted.
///
/// Whoever leaves looks whether anybody sleeps, but does not pay for a fence to be sure: a sleeper who is not seen
/// wakes by itself soon (`ThreadGround.patience`). `Mutex` pays for it, lends itself to a closure only, and cannot say
/// whether the current thread has it, which an executor must.
///
/// The algorithm stands on a `LockGround`, so that the same source runs on real threads and, in tests, in every order
/// that a few threads can take.
struct OwnedLock<Ground: LockGround & ~Copyable>: ~Copyable, Sendable {
  private let ground: Ground

  init(on ground: consuming Ground) { self.ground = ground }

  /// How often somebody found the lock taken.
  var contended: Int { ground.contentions }

  /// Whether the current thread has it.
  var isHeldHere: Bool { ground.isHolder }

  @inline(__always)
  func lock() {
    if !tryLock() { lockSlowly() }
  }

  @inline(__always)
  func tryLock() -> Bool { ground.take() }

  @inline(__always)
  func unlock() {
    ground.free()
    if ground.hasSleepers { wakeOne() }
  }

  @inline(never)
  private func lockSlowly() {
    precondition(!isHeldHere, "a thread enters a partition that it is in already")
    ground.noteContention()
    for _ in 0..<ground.spins {
      if ground.isFree, tryLock() { return }
      ground.relax()
    }
    ground.addSleeper()
    ground.sleep(until: { tryLock() })
    ground.removeSleeper()
  }

  @inline(never)
  private func wakeOne() { ground.wakeOne() }
}

extension OwnedLock where Ground == ThreadGround {
  init() { self.init(on: ThreadGround()) }

  /// Takes the lock, and adds how many nanoseconds that took where somebody had it.
  @inline(__always)
  func lock(addingWaitTo waited: inout UInt64) {
    if !tryLock() { lockAndTime(&waited) }
  }

  @inline(never)
  private func lockAndTime(_ waited: inout UInt64) {
    let start = Clock.nanoseconds()
    lock()
    waited &+= Clock.nanoseconds(since: start)
  }
}
