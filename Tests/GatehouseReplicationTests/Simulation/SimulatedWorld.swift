import GatehouseTestSupport
import Synchronization

@testable import GatehouseReplication

/// A world on one thread, whose time and order of events depend only on a seed.
///
/// Every machine has an executor of its own, so that it can stop as a whole (a process that is stopped, a machine that is
/// cut from power) while the others go on. Time jumps to the next timer once nothing else is to be done.
final class SimulatedWorld: @unchecked Sendable {
  // Only the thread in `run` uses what follows, and the tasks that it runs.
  private(set) var now: UInt64 = 1_000_000_000
  var random: SeededRandom
  fileprivate var ready: [(machine: Machine, job: UnownedJob)] = []
  private var timers: [Timer] = []

  private struct Timer {
    var at: UInt64
    var fire: () -> Void
  }

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// A machine with a clock that runs a little too fast or too slow.
  final class Machine: TaskExecutor, @unchecked Sendable {
    let name: String
    unowned let world: SimulatedWorld
    private let clockOffset: UInt64
    /// In millionths.
    private let clockRate: UInt64
    /// What it would do if it were not stopped.
    private var parked: [UnownedJob] = []
    var isStopped = false {
      didSet {
        if isStopped {
          parked += world.ready.filter { $0.machine === self }.map(\.job)
          world.ready.removeAll { $0.machine === self }
        } else {
          world.ready += parked.map { (self, $0) }
          parked = []
        }
      }
    }

    fileprivate init(_ name: String, _ world: SimulatedWorld) {
      self.name = name
      self.world = world
      clockOffset = world.random.next() % 1_000_000_000_000
      clockRate = 980_000 + world.random.next() % 40_000
    }

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      if isStopped { parked.append(job) } else { world.ready.append((self, job)) }
    }

    var clock: UInt64 { clockOffset + world.now / 1_000 * clockRate / 1_000 }

    func spawn(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
      Task(executorPreference: self) { await work() }
    }

    var surroundings: Surroundings {
      Surroundings(
        now: { [self] in clock },
        sleep: { [self] nanoseconds in await world.sleep(nanoseconds / clockRate * 1_000_000 + 1) },
        spawn: { [self] work in spawn(work) }, random: { [self] in world.random.next() })
    }
  }

  func machine(_ name: String) -> Machine { Machine(name, self) }

  func after(_ nanoseconds: UInt64, _ fire: @escaping () -> Void) {
    let at = now + nanoseconds
    // In order; of two at the same time, the older one first.
    let place = timers.lastIndex { $0.at <= at }.map { $0 + 1 } ?? 0
    timers.insert(Timer(at: at, fire: fire), at: place)
  }

  /// Sleeps in the world's time, or until the task is cancelled.
  func sleep(_ nanoseconds: UInt64) async {
    let waiter = Waiter()
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        waiter.begin(continuation)
        after(nanoseconds) { waiter.end() }
      }
    } onCancel: {
      waiter.end()
    }
  }

  /// Resumes once, whoever comes first.
  private final class Waiter: @unchecked Sendable {
    private var continuation: UnsafeContinuation<Void, Never>?
    private var hasEnded = false

    func begin(_ continuation: UnsafeContinuation<Void, Never>) {
      if hasEnded { continuation.resume() } else { self.continuation = continuation }
    }

    func end() {
      hasEnded = true
      continuation?.resume()
      continuation = nil
    }
  }

  /// A number from 0 to below `count`.
  func pick(_ count: UInt64) -> UInt64 { random.next() % count }

  func happens(oneIn count: UInt64) -> Bool { pick(count) == 0 }

  /// Runs everything until a time.
  func run(until end: UInt64) {
    while now < end {
      if !ready.isEmpty {
        // Which of those that came first, chance says.
        let (machine, job) = ready.remove(at: Int(pick(UInt64(min(ready.count, 4)))))
        job.runSynchronously(on: machine.asUnownedTaskExecutor())
      } else if let timer = timers.first, timer.at <= end {
        timers.removeFirst()
        now = max(now, timer.at)
        timer.fire()
      } else {
        now = end
      }
    }
  }

  /// Drops everything that has not happened yet.
  func clear() {
    ready = []
    timers = []
  }
}
