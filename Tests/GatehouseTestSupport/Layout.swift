import Foundation

/// Over how many threads and partitions a server under test is spread. Whatever it answers must not depend on that.
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

  /// How a test's server is laid out that is not about lanes or partitions: one lane, unless the environment names
  /// another number (`GATEHOUSE_TEST_LANES=4 GATEHOUSE_TEST_PARTITIONS=1024 tools/test`).
  package static let usual = Layout(
    lanes: number("GATEHOUSE_TEST_LANES") ?? 1, partitions: number("GATEHOUSE_TEST_PARTITIONS"))

  /// For tests that are about lanes and partitions: each number of either, and as few partitions as can be.
  package static let several = [
    Layout(lanes: 1, partitions: 1024), Layout(lanes: 2, partitions: 64), Layout(lanes: 4, partitions: 1024),
    Layout(lanes: 4, partitions: 4),
  ]

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }
}
