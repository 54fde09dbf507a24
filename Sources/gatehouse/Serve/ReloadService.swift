import GatehouseServer
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again on each SIGHUP, and applies the settings that can change in a running server.
struct ReloadService: Service {
  let server: GatehouseServer
  let loader: ConfigurationLoader
  let notify: NotifySocket
  let logger: Logger

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
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
    notify.stopping()
  }
}
