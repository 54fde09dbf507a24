import GatehouseStorage
import NIOCore
import Synchronization

/// A lane's thread, and what wakes it: sockets, a timer, and work submitted by other threads.
///
/// It is a Swift executor too: an actor on it runs on the lane's thread.
final class LaneLoop: SerialExecutor, @unchecked Sendable {
  private let poller: Poller
  private let submitted = Mutex<[@Sendable () -> Void]>([])
  /// Whether any work was submitted; readable without the lock.
  private let hasSubmitted = Atomic<Bool>(false)
  /// Whether the thread sleeps, or is about to, and must be woken.
  private let isAsleep = Atomic<Bool>(false)
  private let thread = Mutex<PosixThread?>(nil)
  private let isOver = Atomic<Bool>(false)

  /// - Parameter interval: milliseconds between two calls of the timer.
  init(timerInterval interval: Int) throws(IOError) { poller = try Poller(timerInterval: interval) }

  // MARK: From any thread

  /// Runs work on the lane's thread, soon and in order.
  func execute(_ work: @escaping @Sendable () -> Void) {
    submitted.withLock { $0.append(work) }
    hasSubmitted.store(true, ordering: .sequentiallyConsistent)
    // Order matters: after the work is queued, either the thread sees it before it sleeps, or we see that it sleeps.
    if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { poller.ring() }
  }

  /// Runs work on the lane's thread and returns its result.
  func submit<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
    await Guest(self).run(work)
  }

  /// An actor that runs on the lane's thread.
  private actor Guest {
    private let loop: LaneLoop

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(_ loop: LaneLoop) { self.loop = loop }

    func run<Result>(_ work: @Sendable () -> Result) -> Result { work() }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    execute { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  // MARK: The thread

  /// Calls `tick` in a loop on a thread of its own, until `stop`.
  func start(_ tick: @escaping @Sendable () -> Void) {
    thread.withLock { thread in
      precondition(thread == nil, "a loop is started once")
      thread = PosixThread(priority: .prompt) { [self] in while !isOver.load(ordering: .relaxed) { tick() } }
    }
  }

  /// Ends the thread after the current tick and waits for it. Work submitted before this call is done.
  func stop() {
    execute { self.isOver.store(true, ordering: .relaxed) }
    thread.withLock { $0.take() }?.join()
  }

  // MARK: A tick

  /// Waits until there is something to do, and passes on the events of sockets and the timer.
  ///
  /// - Parameter mayWait: false if other work is left; the sockets are then polled without waiting.
  @inline(__always)
  func poll(mayWait: Bool, _ body: (Poller.Event) -> Void) {
    if mayWait { isAsleep.store(true, ordering: .sequentiallyConsistent) }
    let waits = mayWait && !hasSubmitted.load(ordering: .sequentiallyConsistent)
    poller.wait(waits, body) { if mayWait { isAsleep.store(false, ordering: .relaxed) } }
  }

  /// Runs the work that other threads have submitted so far.
  @inline(__always)
  func runSubmitted() {
    if hasSubmitted.load(ordering: .relaxed) { runAllSubmitted() }
  }

  private func runAllSubmitted() {
    // Cleared before the work is taken: work submitted later sets it again.
    hasSubmitted.store(false, ordering: .sequentiallyConsistent)
    let work = submitted.withLock { submitted in
      defer { submitted = [] }
      return submitted
    }
    for item in work { item() }
  }

  // MARK: Sockets

  /// - Returns: false if the kernel has no memory for it.
  func add(_ socket: LaneSocket, _ interest: UInt32) -> Bool { poller.add(socket, interest) }

  func change(_ socket: LaneSocket, _ interest: UInt32) { poller.change(socket, interest) }
}
