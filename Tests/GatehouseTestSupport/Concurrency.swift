import Foundation
import Glibc
import Synchronization

/// Runs `body` on `count` threads at once and waits for all of them; rethrows the first error.
///
/// The clients of these tests block, so they get their own threads: blocking the few threads of Swift's pool would let
/// tests starve each other.
package func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
  let failure = Mutex<(any Error)?>(nil)
  let group = DispatchGroup()
  for index in 0..<count {
    group.enter()
    let thread = Thread {
      do {
        try body(index)
      } catch {
        failure.withLock { $0 = $0 ?? error }
      }
      group.leave()
    }
    thread.stackSize = 1 << 20
    thread.start()
  }
  group.wait()
  if let error = failure.withLock({ $0 }) { throw error }
}

/// Retries until `condition` holds; throws if it does not within `limit` (times `Patience.factor`).
package func eventually(
  _ what: String, within limit: Duration = .seconds(10), file: StaticString = #fileID, line: UInt = #line,
  _ condition: () throws -> Bool
) throws {
  let deadline = ContinuousClock.now + limit * Patience.factor
  while try !condition() {
    guard ContinuousClock.now < deadline else {
      throw TestFailure("\(what): not within \(limit)", file: file, line: line)
    }
    usleep(5_000)
  }
}

/// Sleeps; for tests that need time to pass on the server.
package func pause(_ time: Duration) {
  let parts = time.components
  usleep(useconds_t(parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000))
}

/// Unix time in milliseconds.
package func nowMilliseconds() -> Int64 {
  Int64(Date().timeIntervalSince1970 * 1_000)
}

/// How many open files this process may have.
package func openFileLimit() -> Int {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
  return Int(clamping: limit.rlim_cur)
}

/// Lets this process, and the servers it starts, have as many open files as the system permits.
package func raiseOpenFileLimit() {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
