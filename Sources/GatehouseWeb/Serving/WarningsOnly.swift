import Logging

/// Passes a library's warnings and errors on to our log, and drops what it tells about each step.
struct WarningsOnly: LogHandler {
  private let logger: Logger
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .warning

  private init(_ logger: Logger) { self.logger = logger }

  static func logger(over logger: Logger) -> Logger { Logger(label: logger.label) { _ in WarningsOnly(logger) } }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    logger.log(level: event.level, event.message, metadata: event.metadata)
  }
}
