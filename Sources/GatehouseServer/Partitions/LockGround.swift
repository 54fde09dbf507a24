import CPrefetch
import GatehouseStorage
import Synchronization

/// What an `OwnedLock` is built on: two words of memory, and a way to sleep.
protocol LockGround: ~Copyable, Sendable {
  /// How many times to spin before sleeping.
  var spins: Int { get }

  /// Whether the calling thread is the holder, which only that thread can change.
  var isHolder: Bool { get }
  /// Whether there was no holder just now.
  var isFree: Bool { get }
  /// Makes the calling thread the holder if there is none. It then sees everything that was done before the last
  /// `free`.
  func take() -> Bool
  func free()

  /// Whether any thread sleeps or is about to. Read without a fence, so a thread that has only just come may be missed.
  var hasSleepers: Bool { get }
  /// With a fence: whoever unlocks after this sees the sleeper, or has unlocked before the sleeper checks again.
  func addSleeper()
  func removeSleeper()

  /// Sleeps until `isDone` returns true. It is evaluated under a mutex: first, whenever the sleeper is woken, and after
  /// its patience runs out.
  func sleep(until isDone: () -> Bool)
  /// Takes the same mutex, and wakes one sleeper: a thread that found the lock taken either sleeps by then or checks
  /// again.
  func wakeOne()

  var contentions: Int { get }
  func noteContention()
  func relax()
}

/// Threads of the operating system.
struct ThreadGround: LockGround, ~Copyable, Sendable {
  /// The thread that holds the lock; 0 if it is free.
  private let holder = Atomic<UInt>(0)
  private let sleepers = Atomic<Int>(0)
  private let contended = Atomic<Int>(0)
  private let parking = ThreadCondition()

  /// How many nanoseconds a thread sleeps at most before it checks again.
  private static let patience: UInt64 = 200_000

  /// A few microseconds; a hold takes one at most.
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
