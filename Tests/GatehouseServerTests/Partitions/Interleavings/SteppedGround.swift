@testable import GatehouseServer

/// The memory and sleep primitives of an explored lock: its two words, and the door to its sleepers, on a stepped
/// machine.
struct SteppedGround: LockGround, ~Copyable, @unchecked Sendable {
  /// A bug that the lock or its ground could have, planted to see that it is found.
  enum Mistake: CaseIterable {
    /// Checks whether it is free, then takes it.
    case takesInTwoSteps
    /// Frees it with a plain, unordered store.
    case freesWithoutOrder
    case neverWakes
    /// Checks for sleepers before it frees the lock.
    case looksTooEarly
    /// Sleepers do not announce themselves.
    case sleepsUnannounced
  }

  private unowned let explorer: Interleavings
  private let mistake: Mistake?
  private let holding: Int
  private let sleepers: Int
  private let door: Int
  let spins: Int
  private let foundEarly: Box

  private final class Box { var hasSleepers = false }

  init(_ explorer: Interleavings, spins: Int, mistake: Mistake? = nil) {
    self.explorer = explorer
    self.spins = spins
    self.mistake = mistake
    holding = explorer.machine.newCell()
    sleepers = explorer.machine.newCell()
    door = explorer.machine.newDoor()
    foundEarly = Box()
  }

  private var thread: UInt { UInt(explorer.running + 1) }

  var isHolder: Bool { explorer.look(at: holding) == thread }

  var isFree: Bool { explorer.take(.load(cell: holding)) == 0 }

  func take() -> Bool {
    guard mistake == .takesInTwoSteps else { return explorer.take(.take(cell: holding, thread)) == 1 }
    guard isFree else { return false }
    _ = explorer.take(.store(cell: holding, thread, isRelease: true))
    return true
  }

  func free() {
    if mistake == .looksTooEarly { foundEarly.hasSleepers = explorer.take(.load(cell: sleepers)) > 0 }
    _ = explorer.take(.store(cell: holding, 0, isRelease: mistake != .freesWithoutOrder))
  }

  var hasSleepers: Bool {
    switch mistake {
    case .neverWakes: false
    case .looksTooEarly: foundEarly.hasSleepers
    default: explorer.take(.load(cell: sleepers)) > 0
    }
  }

  func addSleeper() { if mistake != .sleepsUnannounced { _ = explorer.take(.add(cell: sleepers, 1)) } }

  func removeSleeper() { if mistake != .sleepsUnannounced { _ = explorer.take(.add(cell: sleepers, -1)) } }

  /// The steps of a `ThreadCondition`.
  func sleep(until isDone: () -> Bool) {
    _ = explorer.take(.closeDoor(door))
    while !isDone() { _ = explorer.take(.sleep(door: door)) }
    _ = explorer.take(.openDoor(door))
  }

  func wakeOne() {
    _ = explorer.take(.closeDoor(door))
    _ = explorer.take(.openDoor(door))
    _ = explorer.take(.wakeOne(door: door))
  }

  var contentions: Int { 0 }

  func noteContention() {}

  func relax() {}
}
