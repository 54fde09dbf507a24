import Dispatch
import Foundation
import Synchronization
package import Testing

/// Runs tests that block, because they wait for servers or other programs, on threads of their own. Swift's pool has one
/// thread for each core, and a test that blocks one keeps it from all other tests, many of which need it for moments only.
package struct BlockingTests: SuiteTrait, TestTrait, TestScoping {
  package var isRecursive: Bool { true }

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(BlockedThreads.shared) { try await function() }
  }
}

extension Trait where Self == BlockingTests {
  /// For tests that block their thread.
  package static var blocking: BlockingTests { BlockingTests() }
}

/// The threads of tests that block. There are few: each test keeps a server busy, too, and all share the cores.
private final class BlockedThreads: TaskExecutor {
  static let shared = BlockedThreads(count: 4)

  private let jobs = Mutex<[UnownedJob]>([])
  private let available = DispatchSemaphore(value: 0)

  private init(count: Int) {
    for _ in 0..<count {
      let thread = Thread { [unowned self] in
        while true {
          available.wait()
          jobs.withLock { $0.removeFirst() }.runSynchronously(on: asUnownedTaskExecutor())
        }
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
    available.signal()
  }
}
