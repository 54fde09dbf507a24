import ArgumentParser
import Foundation
import GatehouseCore
import GatehouseServer
import GatehouseStorage
import GatehouseWeb
import Glibc
import Logging
import ServiceLifecycle

/// `gatehouse serve`: runs a server until it is told to stop.
struct Serve: AsyncParsableCommand, CustomReflectable {
  static let configuration = CommandConfiguration(
    abstract: "Run a server.",
    discussion: """
      EXAMPLES:
        gatehouse serve
        gatehouse serve --data /srv/gatehouse --port 7000 --lanes 4
        gatehouse serve --config /etc/gatehouse.json --check
        GATEHOUSE_LOG_FORMAT=json gatehouse serve

      Every setting can be given as a flag (--max-connections 500), in the
      environment (GATEHOUSE_MAX_CONNECTIONS=500), or in a JSON file
      ({"max-connections": 500}). The first of these that has it decides.

      SIGTERM and SIGINT stop it: no new connections, requests in flight are
      answered, the log is synced. SIGHUP reads the configuration again and applies
      the settings that can change in a running server.

      \(ExitStatus.help)
      """)

  @Option(help: ArgumentHelp("JSON file of settings (or GATEHOUSE_CONFIG)", valueName: "file"))
  var config: String?

  @Flag(help: "show the settings and where each comes from, and exit")
  var check = false

  let settings: SettingFlags

  init() {
    settings = SettingFlags()
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: ArgumentKey.self)
    _config = try container.decode(Option<String?>.self, forKey: ArgumentKey(stringValue: "config"))
    _check = try container.decode(Flag<Bool>.self, forKey: ArgumentKey(stringValue: "check"))
    settings = try SettingFlags(from: container)
  }

  /// The argument parser finds flags among a command's properties. Those of the settings come from a table.
  var customMirror: Mirror {
    let own: [Mirror.Child] = [("config", _config), ("check", _check)]
    return Mirror(self, children: own + settings.children)
  }

  func run() async throws {
    Backtraces.leaveOutMemory()
    // Before anything copies the environment.
    EnvironmentKey.take()
    let loader = ConfigurationLoader(
      flags: settings.given, environment: ProcessInfo.processInfo.environment, filePath: config)
    let loaded = try load(loader)
    if check {
      StandardStream.output(Self.table(of: loaded))
      return
    }

    let output = LogOutput(format: loaded.configuration.logFormat, level: loaded.configuration.logLevel)
    let logger = output.logger(label: "gatehouse")
    do {
      try await Self.serve(loaded, loader: loader, logger: logger)
    } catch {
      logger.critical("stopped: \(error)")
      throw ExitCode(ExitStatus.of(error))
    }
  }

  /// A mistake on the command line is reported like the argument parser's own errors; one in the environment or the
  /// file has an exit code of its own.
  private func load(_ loader: ConfigurationLoader) throws -> ConfigurationLoader.Loaded {
    do {
      return try loader.load()
    } catch let error as SettingError where error.source?.hasPrefix("--") == true {
      throw ValidationError(ShownText.line(error.description))
    } catch {
      StandardStream.message("gatehouse: \(error)")
      throw ExitCode(ExitStatus.of(error))
    }
  }

  private static func serve(
    _ loaded: ConfigurationLoader.Loaded, loader: ConfigurationLoader, logger: Logger
  ) async throws {
    let configuration = loaded.configuration
    // Without this, writing to a closed connection would end the process by a signal instead of an error.
    signal(SIGPIPE, SIG_IGN)
    let signals = ProcessSignals([SIGTERM, SIGINT, SIGHUP])

    let notify = NotifySocket(environment: loader.environment)
    let server = GatehouseServer(
      configuration: configuration, given: Set(loaded.given.map(\.setting.name)), fronts: [WebFront(), WebhookFront()],
      provider: SharedLogs.provider, logger: logger,
      whenReady: { notify.ready() })
    let asked = SignalService(signals: signals, server: server, loader: loader, notify: notify, logger: logger)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(
            service: server, successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .cancelGroup, serviceName: "server"),
          .init(service: asked, successTerminationBehavior: .gracefullyShutdownGroup, serviceName: "signals"),
        ],
        logger: logger))
    try await group.run()
  }

  /// One line a setting: name, value, where it comes from.
  static func table(of loaded: ConfigurationLoader.Loaded) -> String {
    let sources = Dictionary(uniqueKeysWithValues: loaded.given.map { ($0.setting.name, $0.source) })
    let rows = Setting.all.map { setting in
      [setting.name, setting.text(in: loaded.configuration), sources[setting.name] ?? "default"].map {
        ShownText.line($0)
      }
    }
    let widths = [0, 1].map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = [0, 1].map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }
      return "\(cells[0])  \(cells[1])  \(row[2])\n"
    }.joined()
  }
}
