import Hummingbird
import NIOCore

/// Runs tasks on an event loop's thread, so that a request is read, decided and answered on one thread, without a hop
/// for each `await`.
final class LoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}

/// The thread on which decisions are answered.
final class DecisionThread: Sendable {
  let executor: LoopExecutor
  private let loop: any EventLoop
  private let unsent: NIOLoopBoundBox<[DecisionHandler]>

  init(_ loop: any EventLoop) {
    executor = LoopExecutor(loop)
    self.loop = loop
    unsent = .makeBoxSendingValue([], eventLoop: loop)
  }

  /// Sends a connection's answers after all that has arrived by now, on whichever connection, is decided: a proxy that has
  /// several connections is then woken once.
  func flushLater(_ handler: DecisionHandler) {
    unsent.value.append(handler)
    guard unsent.value.count == 1 else { return }
    loop.execute { [self] in
      let handlers = unsent.value
      unsent.value = []
      for handler in handlers { handler.flush() }
    }
  }
}

/// Has requests answered on another thread than that of the connections, so that those which take long do not delay the
/// decisions that proxies wait for.
struct OtherThread: RouterMiddleware {
  let executor: LoopExecutor

  func handle(
    _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
  ) async throws -> Response {
    try await withTaskExecutorPreference(executor) { try await next(request, context) }
  }
}
