import GatehouseServer
import Logging
import ServiceLifecycle

final class GatehouseServer: Service {
  let logger: Logger
  let whenReady: @Sendable () -> Void
  init(configuration: ServerConfiguration, logger: Logger, whenReady: @escaping @Sendable () -> Void) {
    self.logger = logger
    self.whenReady = whenReady
  }
  func run() async throws {
    whenReady()
    logger.info("shim")
    try await gracefulShutdown()
  }
  func reload(_ configuration: ServerConfiguration) async {}
}
