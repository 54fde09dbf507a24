import Logging

import Glibc
import GatehouseServer
import Synchronization

/// Writes each log event as one line on standard error, as text or as JSON.
///
/// All loggers of one `LogOutput` share its level. With a level of their own, `CONFIG SET log-level` would not reach
/// the copies that were handed out before.
struct LineLogHandler: LogHandler {
  private let output: LogOutput
  private let label: String
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  init(label: String, output: LogOutput) {
    self.label = label
    self.output = output
  }

  var logLevel: Logger.Level {
    get { output.level }
    nonmutating set { output.level = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { _, new in new } }
    if let own = event.metadata { fields.merge(own) { _, new in new } }
    if let error = event.error { fields["error"] = "\(error)" }
    let sorted = fields.map { (key: $0.key, value: $0.value.description) }.sorted { $0.key < $1.key }
    output.write(
      LogLine(
        time: Timestamp.now(), level: event.level, label: label, message: event.message.description, fields: sorted))
  }
}

/// Where log lines go, in which form, and from which level on.
final class LogOutput: Sendable {
  private let format: ServerConfiguration.LogFormat
  private let levelIndex: Atomic<Int>
  private let sink: @Sendable (String) -> Void

  init(
    format: ServerConfiguration.LogFormat, level: Logger.Level,
    sink: @escaping @Sendable (String) -> Void = StandardStream.error
  ) {
    self.format = format
    self.levelIndex = Atomic(Self.levels.firstIndex(of: level)!)
    self.sink = sink
  }

  private static let levels = Logger.Level.allCases

  var level: Logger.Level {
    get { Self.levels[levelIndex.load(ordering: .relaxed)] }
    set { levelIndex.store(Self.levels.firstIndex(of: newValue)!, ordering: .relaxed) }
  }

  func logger(label: String) -> Logger {
    Logger(label: label) { LineLogHandler(label: $0, output: self) }
  }

  func write(_ line: LogLine) {
    switch format {
    case .text: sink(line.text)
    case .json: sink(line.json)
    }
  }
}
