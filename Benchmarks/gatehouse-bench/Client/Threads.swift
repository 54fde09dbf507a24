import Glibc
import Synchronization

/// Runs `body` once for each input, each on a thread of its own, and waits for all.
///
/// A single input runs on the calling thread. The first error, in input order, is thrown.
func onThreads<Input: Sendable, Output: Sendable>(
  _ inputs: [Input], _ body: @escaping @Sendable (Input) throws -> Output
) throws -> [Output] {
  if inputs.count == 1 { return [try body(inputs[0])] }
  let threads = try inputs.map { input in try Thread { Result { try body(input) } } }
  return try threads.map { $0.join() }.map { try $0.get() }
}

/// One thread that computes one value.
private final class Thread<Value: Sendable>: Sendable {
  private final class Job: Sendable {
    let body: @Sendable () -> Value
    let value = Mutex<Value?>(nil)

    init(_ body: @escaping @Sendable () -> Value) { self.body = body }

    func run() {
      let result = body()
      value.withLock { $0 = result }
    }
  }

  private let job: Job
  private let identifier: pthread_t

  init(_ body: @escaping @Sendable () -> Value) throws {
    let job = Job(body)
    // A closure that C calls cannot be generic, so it receives the call as a boxed closure.
    let call = Unmanaged.passRetained(Call { job.run() })
    var identifier = pthread_t()
    let failure = pthread_create(
      &identifier, nil,
      { argument in
        Unmanaged<Call>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, call.toOpaque())
    guard failure == 0 else {
      call.release()
      throw BenchError("pthread_create: \(String(cString: strerror(failure)))")
    }
    self.job = job
    self.identifier = identifier
  }

  func join() -> Value {
    pthread_join(identifier, nil)
    return job.value.withLock { $0! }
  }
}

private final class Call: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
