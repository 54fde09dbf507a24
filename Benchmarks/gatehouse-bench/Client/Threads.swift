import GatehouseStorage
import Synchronization

/// Runs `body` once for each input, each on a thread of its own, and waits for all. The first error, in input order, is
/// thrown.
func onThreads<Input: Sendable, Output: Sendable>(
  _ inputs: [Input], _ body: @escaping @Sendable (Input) throws -> Output
) throws -> [Output] {
  let jobs = inputs.map { input in
    let outcome = Outcome<Output>()
    let thread = PosixThread {
      let result = Result { try body(input) }
      outcome.result.withLock { $0 = result }
    }
    return (thread, outcome)
  }
  for (thread, _) in jobs { thread.join() }
  return try jobs.map { _, outcome in try outcome.result.withLock { $0! }.get() }
}

private final class Outcome<Value: Sendable>: Sendable {
  let result = Mutex<Result<Value, any Error>?>(nil)
}
