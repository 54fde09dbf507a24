import GatehouseWire
import Logging

/// One log event as a line.
struct LogLine {
  let time: String
  let level: Logger.Level
  let label: String
  let message: String
  let fields: [(key: String, value: String)]

  /// `2026-03-01T08:00:00.000Z info gatehouse: message key=value`. Line ends within texts become spaces, so that
  /// nothing a client sends can forge a line.
  var text: String {
    var line = "\(time) \(level) \(label): \(Self.onOneLine(message))"
    for (key, value) in fields {
      let value = Self.onOneLine(value)
      line += value.contains(" ") || value.isEmpty ? " \(key)=\(Self.quoted(value))" : " \(key)=\(value)"
    }
    return line + "\n"
  }

  /// `{"time":…,"level":…,"logger":…,"message":…,"key":…}`. A field never hides one of the four own keys: its name
  /// then gets an underscore in front.
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

  private static func onOneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value < 0x20 }) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
  }
}
