import GatehouseServer
import Glibc
import Logging
import ServiceLifecycle

/// Stops the server at SIGTERM and SIGINT, by ending itself. At SIGHUP it reads the configuration again, and applies the
/// settings that can change in a running server.
struct SignalService: Service {
  let signals: AsyncStream<Int32>
  let server: GatehouseServer
  let loader: ConfigurationLoader
  let notify: NotifySocket
  let logger: Logger

  func run() async throws {
    for await number in signals.cancelOnGracefulShutdown() {
      guard number == SIGHUP else { break }
      reload()
    }
    notify.stopping()
  }

  private func reload() {
    notify.reloading()
    do {
      let wanted = try loader.load().configuration
      try server.reload(wanted)
      var logger = logger
      logger.logLevel = wanted.logLevel
    } catch {
      logger.error("the configuration is left as it was: \(error)")
    }
    notify.ready()
  }
}
