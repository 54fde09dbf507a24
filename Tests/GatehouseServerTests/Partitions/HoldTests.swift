import GatehouseCore
import GatehouseTestSupport
import Glibc
import Synchronization
import Testing

@testable import GatehouseServer

/// Holding partitions: by threads, by tasks, one at a time and several in order.
@Suite("Holds", .blocking)
struct HoldTests {
  private static let partitioning = Partitioning(count: 4, key: HashKey(low: 1, high: 2))

  private static func partition(_ index: Int = 0) -> Partition {
    Partition(PartitionCell(PartitionState(index: index, partitioning: partitioning)))
  }

  private static func isFree(_ handle: PartitionHandle) -> Bool {
    guard let hold = handle.tryEnter() else { return false }
    hold.leave()
    return true
  }

  /// A number that only the lock guards.
  private final class Tally: @unchecked Sendable {
    var count = 0
  }

  /// Relies on being isolated to the partition.
  private static func countIsolated(_ partition: Partition, _ tally: Tally) {
    partition.assumeIsolated { _ in tally.count += 1 }
  }

  @Test("threads, isolated calls and awaiting tasks exclude each other")
  func exclusion() async throws {
    let partition = Self.partition()
    let tally = Tally()
    let (threads, rounds, tasks) = (6, 20_000, 400)
    await withTaskGroup { group in
      for _ in 0..<threads {
        group.addTask {
          for round in 0..<rounds {
            let hold = Self.enter(partition.handle)
            if round.isMultiple(of: 8) { Self.countIsolated(partition, tally) } else { tally.count += 1 }
            hold.leave()
          }
        }
      }
      for _ in 0..<tasks {
        group.addTask { await partition.read { _ in tally.count += 1 } }
      }
    }
    #expect(tally.count == threads * rounds + tasks)
  }

  private static func enter(_ handle: PartitionHandle) -> Hold {
    var waited: UInt64 = 0
    return handle.enter(addingWaitTo: &waited)
  }

  @Test("a free owner is entered without waiting")
  func noWait() {
    let partition = Self.partition()
    let directory = DirectoryOwner(DirectoryCell(DirectoryState(created: 0)))
    // Handles do not keep their owners.
    defer { withExtendedLifetime((partition, directory)) {} }
    var waited: UInt64 = 0
    partition.handle.enter(addingWaitTo: &waited).leave()
    Holds(OwnerSet(partition: 0), [partition.handle], directory.handle, addingWaitTo: &waited).leave()
    #expect(waited == 0)
  }

  @Test("a hold ends with its scope, and with leave")
  func scope() {
    let partition = Self.partition()
    let handle = partition.handle
    defer { withExtendedLifetime(partition) {} }
    do {
      let hold = Self.enter(handle)
      #expect(!Self.isFree(handle))
      #expect(hold.cell.index == 0)
    }
    #expect(Self.isFree(handle))
    let hold = Self.enter(handle)
    #expect(!Self.isFree(handle))
    hold.leave()
    #expect(Self.isFree(handle))
  }

  @Test("the holder of a partition is isolated to it, and nobody else")
  func isolation() {
    let partition = Self.partition()
    let executor = HoldExecutor(partition.handle.lock)
    #expect(executor.isIsolatingCurrentContext() == false)
    let hold = Self.enter(partition.handle)
    #expect(executor.isIsolatingCurrentContext() == true)
    #expect(partition.assumeIsolated { isolated in isolated.handle.index } == 0)
    hold.leave()
    #expect(executor.isIsolatingCurrentContext() == false)
  }

  /// Whoever awaited a call may let go of the partition before the thread that ran it has left.
  @Test("partitions that go at once after their last call") func lastCalls() async {
    await withTaskGroup { group in
      for _ in 0..<200 {
        group.addTask {
          for index in 0..<20 {
            let number = await Self.partition(index % 4).read { $0.index }
            #expect(number == index % 4)
          }
        }
      }
    }
  }

  @Test("waiters of a long hold sleep, are woken when it ends, and are counted")
  func sleepers() throws {
    let partition = Self.partition()
    let tally = Tally()
    let isHeld = Atomic(false)
    let waiting = Atomic<Int>(0)
    let sleepers = 5
    try inParallel(sleepers + 1) { worker in
      if worker == 0 {
        let hold = Self.enter(partition.handle)
        isHeld.store(true, ordering: .releasing)
        while waiting.load(ordering: .acquiring) < sleepers { usleep(1000) }
        // Long enough for all to stop spinning.
        usleep(50_000)
        #expect(tally.count == 0)
        hold.leave()
      } else {
        while !isHeld.load(ordering: .acquiring) { usleep(1000) }
        waiting.add(1, ordering: .releasing)
        var waited: UInt64 = 0
        let hold = partition.handle.enter(addingWaitTo: &waited)
        #expect(waited >= 50_000_000)
        tally.count += 1
        hold.leave()
      }
    }
    #expect(tally.count == sleepers)
    #expect(partition.handle.lock.pointee.contended == sleepers)
  }

  @Test("several owners are taken in order: no deadlock")
  func severalOwners() throws {
    let partitions = (0..<4).map { Self.partition($0) }
    let handles = ContiguousArray(partitions.map(\.handle))
    let directory = DirectoryOwner(DirectoryCell(DirectoryState(created: 0)))
    let tallies = (0..<5).map { _ in Tally() }
    let taken = Atomic<Int>(0)
    try inParallel(6) { worker in
      var random = SeededRandom(seed: UInt64(worker))
      for _ in 0..<3000 {
        var set = OwnerSet()
        for index in 0..<4 where Bool.random(using: &random) { set.insert(index) }
        set.directory = Bool.random(using: &random)
        var waited: UInt64 = 0
        let holds = Holds(set, handles, directory.handle, addingWaitTo: &waited)
        for index in set.partitions { tallies[index].count += 1 }
        if holds.directory != nil { tallies[4].count += 1 }
        taken.add(set.partitions.count + (set.directory ? 1 : 0), ordering: .relaxed)
        holds.leave()
      }
    }
    #expect(tallies.reduce(0) { $0 + $1.count } == taken.load(ordering: .relaxed))
  }
}
