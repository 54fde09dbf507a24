import Foundation

/// How much longer than usual tests wait for answers: `GATEHOUSE_TEST_PATIENCE=10` for a server slowed down by a
/// sanitizer, or by other tests.
package enum Patience {
  package static let factor = ProcessInfo.processInfo.environment["GATEHOUSE_TEST_PATIENCE"].flatMap { Int($0) } ?? 1
}
