import GatehouseStorage
import NIOCore
import Synchronization

/// A lane's thread and what it waits for: sockets, a timer, and work that other threads bring.
///
/// It is an executor too: what is awaited of a lane runs on the lane's thread.
final class LaneLoop: SerialExecutor, @unchecked Sendable {
  private let poller: Poller
  private let brought = Mutex<[@Sendable () -> Void]>([])
  /// Whether anything was brought, to be seen without the lock.
  private let hasBrought = Atomic<Bool>(false)
  /// Whether the thread sleeps, or is about to, and must be woken.
  private let isAsleep = Atomic<Bool>(false)
  private let thread = Mutex<PosixThread?>(nil)
  private let isOver = Atomic<Bool>(false)

  /// - Parameter interval: milliseconds between two calls of the timer.
  init(timerInterval interval: Int) throws(IOError) { poller = try Poller(timerInterval: interval) }

  // MARK: From any thread

  /// Has the lane do something on its thread, soon and in order.
  func execute(_ work: @escaping @Sendable () -> Void) {
    brought.withLock { $0.append(work) }
    hasBrought.store(true, ordering: .sequentiallyConsistent)
    // After the work is there: either the thread sees it before it sleeps, or is seen to sleep.
    if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { poller.ring() }
  }

  /// Does something on the lane's thread, and waits for what comes of it.
  func submit<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
    await Guest(self).run(work)
  }

  /// An actor on the lane's thread.
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

  /// Calls `tick` again and again on a thread of its own, until `stop`.
  func start(_ tick: @escaping @Sendable () -> Void) {
    thread.withLock { thread in
      precondition(thread == nil, "a loop is started once")
      thread = PosixThread { [self] in while !isOver.load(ordering: .relaxed) { tick() } }
    }
  }

  /// Ends the thread after the tick at hand, and returns when it has ended. What was brought until now is done.
  func stop() {
    execute { self.isOver.store(true, ordering: .relaxed) }
    thread.withLock { $0.take() }?.join()
  }

  // MARK: A tick

  /// Waits until there is something to do, and hands over what sockets and the timer have to say.
  ///
  /// - Parameter mayWait: false where other work is left, so that the sockets are only looked at.
  @inline(__always)
  func poll(mayWait: Bool, _ body: (Poller.News) -> Void) {
    if mayWait { isAsleep.store(true, ordering: .sequentiallyConsistent) }
    let waits = mayWait && !hasBrought.load(ordering: .sequentiallyConsistent)
    poller.wait(waits, body) { if mayWait { isAsleep.store(false, ordering: .relaxed) } }
  }

  /// Does what others have brought until now.
  @inline(__always)
  func doBrought() {
    if hasBrought.load(ordering: .relaxed) { doAllBrought() }
  }

  private func doAllBrought() {
    // Before it is taken: what comes later says so again.
    hasBrought.store(false, ordering: .sequentiallyConsistent)
    let work = brought.withLock { brought in
      defer { brought = [] }
      return brought
    }
    for item in work { item() }
  }

  // MARK: Sockets

  /// - Returns: false where the kernel has no memory for it.
  func add(_ socket: LaneSocket, _ interest: UInt32) -> Bool { poller.add(socket, interest) }

  func change(_ socket: LaneSocket, _ interest: UInt32) { poller.change(socket, interest) }
}
