import GatehouseCore
import GatehouseWire
import Logging

/// One log event as a line.
struct LogLine {
  let time: String
  let level: Logger.Level
  let label: String
  let message: String
  let fields: [(key: String, value: String)]

  /// `2026-03-01T08:00:00.000Z info gatehouse: message key=value`. A value that is not a single word is quoted as in
  /// JSON, so nothing that a client sends can end the line.
  var text: String {
    var line = "\(time) \(level) \(ShownText.line(label)): \(ShownText.line(message))"
    for (key, value) in fields { line += " \(ShownText.line(key))=\(Self.isWord(value) ? value : Self.quoted(value))" }
    return line + "\n"
  }

  private static func isWord(_ value: String) -> Bool {
    !value.isEmpty
      && !value.unicodeScalars.contains { "\" \\".unicodeScalars.contains($0) || ShownText.isUnprintable($0) }
  }

  /// `{"time":…,"level":…,"logger":…,"message":…,"key":…}`. A field with the name of one of the first four gets an
  /// underscore in front.
  var json: String {
    var line = "{\"time\":\"\(time)\",\"level\":\"\(level)\",\"logger\":\(Self.quoted(label))"
    line += ",\"message\":\(Self.quoted(message))"
    for (key, value) in fields {
      let name = Self.ownKeys.contains(key) ? "_" + key : key
      line += ",\(Self.quoted(name)):\(Self.quoted(value))"
    }
    return line + "}\n"
  }

  private static let ownKeys: Set = ["time", "level", "logger", "message"]

  private static func quoted(_ text: String) -> String { RESPValue.bulk(text).json() }
}
