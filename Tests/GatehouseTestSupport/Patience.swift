import Foundation

/// How much longer than usual a test waits for an answer: `GATEHOUSE_TEST_PATIENCE=10` for a server that a sanitizer slows
/// down.
package enum Patience {
  package static let factor = ProcessInfo.processInfo.environment["GATEHOUSE_TEST_PATIENCE"].flatMap { Int($0) } ?? 1
}
