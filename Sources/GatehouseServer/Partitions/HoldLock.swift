import CPrefetch
import GatehouseStorage
import Synchronization

/// The lock behind a hold: one thread at a time works on a partition's state.
///
/// Taking it where nobody is in costs one atomic operation, leaving it a store. A thread that finds it taken spins for
/// about as long as a hold lasts, then sleeps in the kernel, for the holder may have been preempted.
///
/// Whoever leaves looks whether anybody sleeps, but does not pay for a fence to be sure: a sleeper who is not seen
/// wakes by itself soon (`patience`). `Mutex` pays for it, lends itself to a closure only, and cannot say
/// whether the current thread has it, which an executor must.
struct HoldLock: ~Copyable, Sendable {
  /// The thread that has it; 0 where it is free.
  private let holder = Atomic<UInt>(0)
  private let sleepers = Atomic<Int>(0)
  private let contentions = Atomic<Int>(0)
  private let parking = ThreadCondition()

  /// How often to look again before sleeping: some microseconds, as a hold takes one at most.
  private static let spins = 200
  /// Nanoseconds that a thread sleeps at most before it looks again.
  private static let patience: UInt64 = 200_000

  init() {}

  /// How often somebody found the lock taken.
  var contended: Int { contentions.load(ordering: .relaxed) }

  /// Whether the current thread has it.
  var isHeldHere: Bool { holder.load(ordering: .relaxed) == thread_number() }

  @inline(__always)
  func lock() {
    if !tryLock() { lockSlowly() }
  }

  @inline(__always)
  func tryLock() -> Bool {
    holder.compareExchange(expected: 0, desired: thread_number(), ordering: .acquiring).exchanged
  }

  @inline(__always)
  func unlock() {
    holder.store(0, ordering: .releasing)
    if sleepers.load(ordering: .relaxed) > 0 { wakeOne() }
  }

  @inline(never)
  private func lockSlowly() {
    precondition(!isHeldHere, "a thread enters a partition that it is in already")
    contentions.add(1, ordering: .relaxed)
    for _ in 0..<Self.spins {
      if holder.load(ordering: .relaxed) == 0, tryLock() { return }
      relax()
    }
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while !parking.wait(for: { tryLock() }, until: MonotonicClock.now() + Self.patience) {}
    sleepers.subtract(1, ordering: .relaxed)
  }

  @inline(never)
  private func wakeOne() { parking.signal() }
}
