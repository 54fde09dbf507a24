import GatehouseCore

/// A moment that somebody types. Where scripts run, a field shows it in the reader's zone and sends it in UTC; without
/// them it is shown and typed in UTC, and its label says so.
enum Moment {
  /// As a field of the kind `moment` shows it: `2026-11-30T17:30:00`, in UTC.
  static func field(_ time: Int64?) -> String {
    time.map { String(TimeText.text(of: $0).prefix(19)) } ?? ""
  }

  /// For files: `2026-11-30T17:30:00Z`.
  static func text(_ time: Int64) -> String { TimeText.text(of: time) }

  /// `2026-11-30T17:30`, also with a blank, with seconds, or with a zone; UTC unless it says otherwise.
  static func time(_ text: String) -> Int64? {
    let iso = text.replacing(" ", with: "T", maxReplacements: 1)
    return [iso, iso + "Z", iso + ":00Z"].lazy.compactMap { TimeText.time($0) }.first
  }
}

extension FormFields {
  /// A moment as commands take it. What is not understood stays as it is, so that the server's refusal names it.
  func moment(_ name: String) -> String {
    let text = self[name]
    return Moment.time(text).map { TimeText.text(of: $0) } ?? text
  }
}
