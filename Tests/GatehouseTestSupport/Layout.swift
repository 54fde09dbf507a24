import Foundation

/// The threads and partitions of a server under test. No answer may depend on them.
package struct Layout: Sendable, CustomStringConvertible {
  /// Event-loop threads.
  package var lanes: Int
  /// Partitions of a new data folder; nil leaves the server its default.
  package var partitions: Int?

  package init(lanes: Int, partitions: Int? = usual.partitions) {
    self.lanes = lanes
    self.partitions = partitions
  }

  package var description: String { "\(lanes) lanes, \(partitions.map(String.init) ?? "as many") partitions" }

  /// The layout in tests that are not about lanes or partitions: one lane, unless the environment sets another number
  /// (`GATEHOUSE_TEST_LANES=4 GATEHOUSE_TEST_PARTITIONS=1024 tools/test`).
  package static let usual = Layout(
    lanes: number("GATEHOUSE_TEST_LANES") ?? 1, partitions: number("GATEHOUSE_TEST_PARTITIONS"))

  /// For tests about lanes and partitions: several numbers of each, including the fewest possible partitions.
  package static let several = [
    Layout(lanes: 1, partitions: 1024), Layout(lanes: 2, partitions: 64), Layout(lanes: 4, partitions: 1024),
    Layout(lanes: 4, partitions: 4),
  ]

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }
}
