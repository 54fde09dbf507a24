import Synchronization

/// The lock behind a hold: one thread at a time works on a partition's state.
typealias HoldLock = OwnedLock<ThreadGround>

/// A lock that knows which thread holds it.
///
/// Taking it uncontended costs one atomic operation, releasing it a store. A thread that finds it taken spins for about
/// as long as a hold lasts, and then sleeps in the kernel, because the holder may have been preempted.
///
/// `unlock` checks for sleepers, but without a fence: a sleeper that it misses wakes up by itself soon
/// (`ThreadGround.patience`). `Mutex` pays for the fence, offers only a closure, and cannot tell whether the current
/// thread holds it, which an executor must know.
///
/// The algorithm is generic over a `LockGround`, so that the same source runs on real threads and, in tests, in every
/// possible interleaving of a few threads.
struct OwnedLock<Ground: LockGround & ~Copyable>: ~Copyable, Sendable {
  private let ground: Ground
  /// Who needs its memory: its owner, and the threads that run awaited calls.
  private let users = Atomic<Int>(1)

  init(on ground: consuming Ground) { self.ground = ground }

  /// How often a thread found the lock taken.
  var contended: Int { ground.contentions }

  /// Whether the current thread holds it.
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

  /// A lock that is there until its owner, and whoever has retained it, have released it.
  static func make() -> UnsafeMutablePointer<HoldLock> {
    let lock = UnsafeMutablePointer<HoldLock>.allocate(capacity: 1)
    lock.initialize(to: HoldLock())
    return lock
  }

  static func retain(_ lock: UnsafeMutablePointer<HoldLock>) { lock.pointee.users.add(1, ordering: .relaxed) }

  static func release(_ lock: UnsafeMutablePointer<HoldLock>) {
    guard lock.pointee.users.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
    lock.deinitialize(count: 1)
    lock.deallocate()
  }

  /// Takes the lock, and adds the nanoseconds that it waited if another thread held it.
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
