package import GatehouseServer
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// HTTP: the routes of `WebRoutes`, on an event loop of their own, so that no page ever delays a login check.
///
/// Decisions (forward auth, introspection) are answered on that thread, and pages, lists and figures on another one: a page
/// of two hundred people takes as long as a thousand decisions.
package final class WebFront: Front {
  /// From `open` to `close`: a server that begins anew opens its fronts again.
  private let groups = Mutex<Groups?>(nil)
  private let running = Mutex<[Running]>([])
  private let open = OpenChannels()

  /// How long answers may take that are under way when the server is told to stop, such as streams of events. What waits
  /// for nothing is closed at once.
  private static let grace = Duration.seconds(3)

  private struct Groups: Sendable {
    let requests = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let pages = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  }

  /// A listener that serves.
  private struct Running: Sendable {
    let services: ServiceGroup
    let task: Task<Void, Never>
  }

  package init() {}

  // MARK: Front

  package func open(_ door: CommandDoor) async throws {
    let settings = door.configuration
    // Threads and routes are only for listeners.
    guard settings.httpPort > 0 || settings.httpsPort > 0 else { return }
    let groups = Groups()
    self.groups.withLock { $0 = groups }
    let routes = WebRoutes(door, pages: LoopExecutor(groups.pages.next()))
    let answering = Answering(
      routes.responder(), decisions: routes.decisions, DateHeader(door), WarningsOnly.logger(over: door.logger))
    if settings.httpPort > 0 {
      try door.allowPlain(settings.httpHost)
      try await listen(door, settings.httpHost, settings.httpPort, isSealed: false, answering, groups.requests)
    }
    if settings.httpsPort > 0 {
      try await listen(door, settings.httpsHost, settings.httpsPort, isSealed: true, answering, groups.requests)
    }
  }

  package func close() async {
    let running = running.withLock { running in
      defer { running = [] }
      return running
    }
    for one in running { await one.services.triggerGracefulShutdown() }
    let end = Task { [open] in
      try await Task.sleep(for: Self.grace)
      open.closeAll()
      for one in running { one.task.cancel() }
    }
    for one in running { await one.task.value }
    end.cancel()
    let groups = groups.withLock { groups in
      defer { groups = nil }
      return groups
    }
    try? await groups?.requests.shutdownGracefully()
    try? await groups?.pages.shutdownGracefully()
  }

  // MARK: Listening

  private func listen(
    _ door: CommandDoor, _ host: String, _ port: Int, isSealed: Bool, _ answering: Answering,
    _ group: MultiThreadedEventLoopGroup
  ) async throws {
    let logger = answering.logger
    let thread = DecisionThread(group.next())
    let listening = AsyncStream<Result<(any Channel)?, any Error>>.makeStream()
    let server = try HTTPServerBuilder { [open] in WebChannel(door, isSealed: isSealed, open, answering, on: thread, $0)
    }
    .buildServer(
      configuration: .init(address: .hostname(host, port: port)), eventLoopGroup: group, logger: logger,
      responder: { request, writer, channel in try await answering.answer(request, writer, channel) },
      onServerRunning: { listening.continuation.yield(.success($0)) })
    let services = ServiceGroup(configuration: .init(services: [server], logger: logger))
    let task = Task(executorPreference: thread.executor) {
      do {
        try await services.run()
        listening.continuation.yield(.success(nil))
      } catch {
        listening.continuation.yield(.failure(error))
      }
      listening.continuation.finish()
    }
    var results = listening.stream.makeAsyncIterator()
    do {
      guard let channel = try await results.next()?.get(), let address = channel.localAddress else { return }
      door.listens(at: address, isSealed: isSealed)
      running.withLock { $0.append(Running(services: services, task: task)) }
    } catch {
      throw StartFailure(error, listeningOn: host, port, prefix: isSealed ? "https-" : "http-")
    }
  }
}
