import GatehouseStorage
import Synchronization

/// A thread of its own as the executor of an actor that blocks, such as in a sync of the disk: Swift's cooperative threads
/// must not.
final class SerialThread: SerialExecutor, @unchecked Sendable {
  private struct State {
    var jobs: [UnownedJob] = []
    var isOver = false
  }

  private let state = Mutex(State())
  private let work = ThreadCondition()

  init() {
    PosixThread { [weak self] in
      while let self, let jobs = self.next() {
        for job in jobs { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
      }
    }.detach()
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    work.signal { state.withLock { $0.jobs.append(job) } }
  }

  /// Ends the thread once everything is done that was enqueued.
  func stop() { work.signal { state.withLock { $0.isOver = true } } }

  /// - Returns: nil at the end.
  private func next() -> [UnownedJob]? {
    var jobs: [UnownedJob] = []
    var isOver = false
    work.wait {
      state.withLock { state in
        swap(&jobs, &state.jobs)
        isOver = state.isOver
      }
      return !jobs.isEmpty || isOver
    }
    return jobs.isEmpty ? nil : jobs
  }
}
