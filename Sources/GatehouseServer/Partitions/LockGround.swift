import CPrefetch
import GatehouseStorage
import Synchronization

/// What an `OwnedLock` stands on: two words of memory, and a place to sleep.
protocol LockGround: ~Copyable, Sendable {
  /// How often to look again before sleeping.
  var spins: Int { get }

  /// Whether the calling thread is the holder, which nobody but itself can change.
  var isHolder: Bool { get }
  /// Whether nobody is; by the time the caller knows, it may be otherwise.
  var isFree: Bool { get }
  /// Makes the calling thread the holder where there is none. Who succeeds sees what was done before the last `free`.
  func take() -> Bool
  func free()

  /// Whether anybody sleeps or is about to, as far as is known without a fence: who came just now may be missed.
  var hasSleepers: Bool { get }
  /// With a fence: whoever leaves after this knows of it, or has left before the sleeper's next look.
  func addSleeper()
  func removeSleeper()

  /// Sleeps until `isDone` says so, which is asked behind a door that one thread at a time passes: first, whenever the
  /// sleeper is woken, and when it has lost its patience.
  func sleep(until isDone: () -> Bool)
  /// Passes the door, and wakes one who sleeps: who has found the lock taken either sleeps by then or asks again.
  func wakeOne()

  var contentions: Int { get }
  func noteContention()
  func relax()
}

/// Real threads.
struct ThreadGround: LockGround, ~Copyable, Sendable {
  /// The thread that has the lock; 0 where it is free.
  private let holder = Atomic<UInt>(0)
  private let sleepers = Atomic<Int>(0)
  private let contended = Atomic<Int>(0)
  private let parking = ThreadCondition()

  /// Nanoseconds that a thread sleeps at most before it looks again.
  private static let patience: UInt64 = 200_000

  /// Some microseconds, as a hold takes one at most.
  var spins: Int { 200 }

  var isHolder: Bool { holder.load(ordering: .relaxed) == thread_number() }

  var isFree: Bool { holder.load(ordering: .relaxed) == 0 }

  @inline(__always)
  func take() -> Bool { holder.compareExchange(expected: 0, desired: thread_number(), ordering: .acquiring).exchanged }

  @inline(__always)
  func free() { holder.store(0, ordering: .releasing) }

  @inline(__always)
  var hasSleepers: Bool { sleepers.load(ordering: .relaxed) > 0 }

  func addSleeper() { sleepers.add(1, ordering: .sequentiallyConsistent) }

  func removeSleeper() { sleepers.subtract(1, ordering: .relaxed) }

  func sleep(until isDone: () -> Bool) {
    while !parking.wait(for: isDone, until: MonotonicClock.now() + Self.patience) {}
  }

  func wakeOne() { parking.signal() }

  var contentions: Int { contended.load(ordering: .relaxed) }

  func noteContention() { contended.add(1, ordering: .relaxed) }

  func relax() { CPrefetch.relax() }
}
