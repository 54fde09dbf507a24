import DequeModule
import GatehouseCore
import NIOCore

/// The owner of one share of the contacts. It runs on its lane's event loop: a connection of the same lane
/// enters it with `assumeIsolated`, without a task or a hop.
actor Partition {
  nonisolated let index: Int
  nonisolated let lane: Lane
  nonisolated let unownedExecutor: UnownedSerialExecutor
  private let cell: PartitionCell
  private var hold = Hold() {
    didSet { lane.free[index] = hold.isTaken ? nil : cell.held }
  }

  init(_ cell: PartitionCell, on lane: Lane) {
    self.index = cell.index
    self.lane = lane
    self.unownedExecutor = lane.executor
    self.cell = cell
  }

  /// The state, where no command over several owners holds it.
  ///
  /// For callers on the lane's loop, which a read checks once for all its commands: to ask the runtime again
  /// for each command (`assumeIsolated`) cost a twentieth of a login check.
  @inline(__always)
  nonisolated var free: HeldPartition? { lane.free[index] }

  /// Tells the lane of the partition, before the first command.
  func begin() { lane.free[index] = cell.held }

  /// Runs `work` once nobody holds the partition: now, or after those who came first.
  func whenFree(_ work: @escaping @Sendable (HeldPartition) -> Void) {
    if hold.enter({ work(self.cell.held) }) { work(cell.held) }
  }

  /// Takes the partition for a command over several owners.
  func take() async -> HeldPartition {
    await withCheckedContinuation { continuation in
      if hold.take({ continuation.resume() }) { continuation.resume() }
    }
    return cell.held
  }

  /// Gives it back and lets those who waited go on.
  func release() {
    hold.free()
    while let work = hold.next() { work() }
  }
}

/// The owner of what belongs to no one contact, on the first lane.
actor DirectoryOwner {
  nonisolated let lane: Lane
  nonisolated let unownedExecutor: UnownedSerialExecutor
  private let cell: DirectoryCell
  private var hold = Hold()

  init(_ cell: DirectoryCell, on lane: Lane) {
    self.lane = lane
    self.unownedExecutor = lane.executor
    self.cell = cell
  }

  var free: DirectoryCell? { hold.isTaken ? nil : cell }

  func whenFree(_ work: @escaping @Sendable (DirectoryCell) -> Void) {
    if hold.enter({ work(self.cell) }) { work(cell) }
  }

  func take() async -> DirectoryCell {
    await withCheckedContinuation { continuation in
      if hold.take({ continuation.resume() }) { continuation.resume() }
    }
    return cell
  }

  func release() {
    hold.free()
    while let work = hold.next() { work() }
  }
}

/// Who has an owner, and who waits for it, first come first served.
private struct Hold {
  private enum Waiter {
    /// Takes the owner until it is released.
    case holder(() -> Void)
    /// Runs at once when its turn comes.
    case visitor(() -> Void)
  }

  private(set) var isTaken = false
  private var waiting: Deque<Waiter> = []

  /// Takes the owner; false where it must wait, and `resume` is called when it has it.
  mutating func take(_ resume: @escaping () -> Void) -> Bool {
    guard isTaken else {
      isTaken = true
      return true
    }
    waiting.append(.holder(resume))
    return false
  }

  /// True where the owner is free; otherwise `work` is called later.
  mutating func enter(_ work: @escaping () -> Void) -> Bool {
    guard isTaken else { return true }
    waiting.append(.visitor(work))
    return false
  }

  mutating func free() {
    precondition(isTaken, "released by somebody who does not hold it")
    isTaken = false
  }

  /// What goes on now; nothing while the owner is taken.
  mutating func next() -> (() -> Void)? {
    guard !isTaken, let waiter = waiting.popFirst() else { return nil }
    switch waiter {
    case .holder(let resume):
      isTaken = true
      return resume
    case .visitor(let work): return work
    }
  }
}
