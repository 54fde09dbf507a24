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
