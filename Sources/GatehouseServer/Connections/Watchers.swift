import Synchronization

/// How many connections watch something, such as all commands (`MONITOR`).
final class Watchers: Sendable {
  private let current = Atomic<Int>(0)

  init() {}

  /// Whether anybody watches. `MONITOR` has it asked for every command, so it is one relaxed load.
  @inline(__always)
  var isWatched: Bool { count > 0 }

  @inline(__always)
  var count: Int { current.load(ordering: .relaxed) }

  func join() { current.add(1, ordering: .relaxed) }
  func leave() { current.subtract(1, ordering: .relaxed) }
}
