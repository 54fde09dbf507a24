import GatehouseCore
import Testing

@testable import GatehouseServer

/// The lock of a partition under every interleaving of a few threads (`Interleavings`), with delayed stores.
@Suite("The lock of a partition, in every interleaving")
struct HoldLockTests {
  /// Locks, each with a number that it guards.
  private final class Stage {
    private let explorer: Interleavings
    private let locks: UnsafeMutablePointer<OwnedLock<SteppedGround>>
    private let count: Int
    private let numbers: [Int]

    init(_ explorer: Interleavings, locks count: Int = 1, spins: Int = 0, mistake: SteppedGround.Mistake? = nil) {
      self.explorer = explorer
      self.count = count
      locks = .allocate(capacity: count)
      for index in 0..<count {
        (locks + index).initialize(to: OwnedLock(on: SteppedGround(explorer, spins: spins, mistake: mistake)))
      }
      numbers = (0..<count).map { _ in explorer.machine.newDatum() }
    }

    deinit {
      locks.deinitialize(count: count)
      locks.deallocate()
    }

    /// Takes all locks, counts under each, and releases them.
    func visit(_ order: [Int]) {
      for index in order { locks[index].lock() }
      for index in order { explorer.count(datum: numbers[index]) }
      for index in order.reversed() { locks[index].unlock() }
    }

    /// Like a prefetch: only if the lock is free.
    func visitIfFree() {
      guard locks[0].tryLock() else { return }
      explorer.count(datum: numbers[0])
      locks[0].unlock()
    }

    /// The error in the counts, if any.
    func verdict(_ expected: [ClosedRange<Int>]) -> String? {
      let found = numbers.map { Int(explorer.machine.value(ofDatum: $0)) }
      return zip(expected, found).allSatisfy { $0.contains($1) } ? nil : "counted \(found) instead of \(expected)"
    }
  }

  /// Threads that each take the one lock a few times.
  private static func explore(
    _ rounds: [Int], isBuffered: Bool, patience: Int?, spins: Int = 0, mistake: SteppedGround.Mistake? = nil
  ) -> Interleavings.Outcome {
    Interleavings.explore(threads: rounds.count, isBuffered: isBuffered, patience: patience) { explorer in
      let stage = Stage(explorer, spins: spins, mistake: mistake)
      let visits = rounds.reduce(0, +)
      return Interleavings.Scenario(
        bodies: rounds.map { rounds in { for _ in 0..<rounds { stage.visit([0]) } } },
        verdict: { stage.verdict([visits...visits]) })
    }
  }

  @Test(
    "mutual exclusion, visibility and progress",
    arguments: [(rounds: [2, 1], patience: 1, spins: 1), ([2, 2], 0, 0), ([1, 1, 1], 0, 0)])
  func exclusion(rounds: [Int], patience: Int, spins: Int) {
    let outcome = Self.explore(rounds, isBuffered: true, patience: patience, spins: spins)
    #expect(outcome.fault == nil)
  }

  @Test(
    "without delayed stores no timeout is needed: unlocking wakes a sleeper", arguments: [[2, 2], [1, 1, 1]])
  func wakes(rounds: [Int]) {
    let outcome = Self.explore(rounds, isBuffered: false, patience: nil)
    #expect(outcome.fault == nil)
  }

  @Test("with delayed stores a sleeper may be missed, and its timeout wakes it")
  func patience() {
    #expect(Self.explore([1, 1], isBuffered: true, patience: nil).fault?.hasPrefix("threads wait for ever") == true)
    #expect(Self.explore([1, 1], isBuffered: true, patience: 0).fault == nil)
  }

  @Test("each planted bug is found", arguments: SteppedGround.Mistake.allCases)
  func mistakes(mistake: SteppedGround.Mistake) throws {
    let fault = try #require(Self.explore([1, 1], isBuffered: false, patience: nil, mistake: mistake).fault)
    switch mistake {
    case .takesInTwoSteps, .freesWithoutOrder: #expect(fault.hasPrefix("race"))
    case .neverWakes, .looksTooEarly, .sleepsUnannounced: #expect(fault.hasPrefix("threads wait for ever"))
    }
  }

  @Test("tryLock neither waits nor breaks mutual exclusion")
  func tries() {
    let outcome = Interleavings.explore(threads: 3, isBuffered: true, patience: 0) { explorer in
      let stage = Stage(explorer)
      return Interleavings.Scenario(
        bodies: [{ stage.visit([0]) }, { stage.visit([0]) }, { stage.visitIfFree() }],
        verdict: { stage.verdict([2...3]) })
    }
    #expect(outcome.fault == nil)
  }

  // MARK: Several owners

  /// Two partitions, and the directory last.
  private static func order(_ set: OwnerSet) -> [Int] { set.partitions + (set.directory ? [2] : []) }

  private static func exploreOwners(_ orders: [[Int]], isBuffered: Bool, patience: Int?) -> Interleavings.Outcome {
    Interleavings.explore(threads: orders.count, isBuffered: isBuffered, patience: patience) { explorer in
      let stage = Stage(explorer, locks: 3)
      return Interleavings.Scenario(
        bodies: orders.map { order in { stage.visit(order) } },
        verdict: {
          stage.verdict(
            (0..<3).map { lock in
              let visits = orders.count { $0.contains(lock) }
              return visits...visits
            })
        })
    }
  }

  @Test("several owners are taken in order, the directory last: no deadlock")
  func severalOwners() {
    var all = OwnerSet(partition: 1)
    all.insert(0)
    all.directory = true
    var last = OwnerSet(partition: 1)
    last.directory = true
    var first = OwnerSet(partition: 0)
    first.directory = true
    let zeroOne = OwnerSet(partition: 1).union(OwnerSet(partition: 0))
    for sets in [[all, all], [all, last], [first, last], [all, first]] {
      let outcome = Self.exploreOwners(sets.map(Self.order), isBuffered: true, patience: 0)
      #expect(outcome.fault == nil)
    }
    let three = Self.exploreOwners([zeroOne, first, last].map(Self.order), isBuffered: false, patience: nil)
    #expect(three.fault == nil)
  }

  @Test("owners taken in another order would deadlock")
  func otherOrder() {
    let outcome = Self.exploreOwners([[0, 2], [2, 0]], isBuffered: false, patience: nil)
    #expect(outcome.fault?.hasPrefix("threads wait for ever") == true)
  }
}
