import GatehouseServer
import Glibc
import Logging
import ServiceLifecycle

/// Does what signals ask of the process: SIGTERM and SIGINT stop it, on SIGHUP it reads the configuration again and applies
/// the settings that can change in a running server.
struct SignalService: Service {
  let signals: ProcessSignals
  let server: GatehouseServer
  let loader: ConfigurationLoader
  let notify: NotifySocket
  let logger: Logger

  /// Returns when the process is to stop.
  func run() async throws {
    for await signal in signals.taken.cancelOnGracefulShutdown() {
      if signal != SIGHUP { break }
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
