import GatehouseServer
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again on each SIGHUP and gives the server what it can change while it runs.
struct ReloadService: Service {
  let server: GatehouseServer
  let running: ServerConfiguration
  let loader: ConfigurationLoader
  let notify: NotifySocket
  let logger: Logger

  func run() async throws {
    var current = running
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      notify.reloading()
      do {
        let wanted = try loader.load().configuration
        let (adopted, waiting) = current.adoptingLiveSettings(of: wanted)
        await server.reload(adopted)
        var logger = logger
        logger.logLevel = adopted.logLevel
        current = adopted
        logger.info("configuration read again")
        if !waiting.isEmpty {
          logger.warning(
            "some settings take effect at the next start only",
            metadata: ["settings": "\(waiting.map(\.name).joined(separator: " "))"])
        }
      } catch {
        logger.error("the configuration is left as it was: \(error)")
      }
      notify.ready()
    }
    notify.stopping()
  }
}
