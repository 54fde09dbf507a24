import Foundation
import GatehouseCore
import GatehouseWire

/// A field's value in readable form: times as local time, flags as words, null as nothing.
struct ShownField {
  private static let times: Set<String> = [
    "created", "expires", "start", "end", "time", "last-seen", "last-login", "last-change", "old-secret-until", "since",
    "from", "until", "at", "next",
    "requested",
  ]
  private static let flags: Set<String> = [
    "enabled", "admin", "authority", "restrict-bookings", "needs-licence", "main", "deleted", "bound", "current",
    "mandatory", "own", "ok",
  ]

  let zone: TimeZone

  init(zone: TimeZone = .current) { self.zone = zone }

  /// A value that is not a list.
  func text(_ value: RESPValue, field: String) -> String {
    switch value {
    case .null: return ""
    case .integer(let number):
      // Milliseconds from 1973 on; an idle limit in seconds or a count is never that large.
      if Self.times.contains(field), number >= 100_000_000_000 { return time(number) }
      if Self.flags.contains(field), number == 0 || number == 1 { return number == 1 ? "yes" : "no" }
      return "\(number)"
    case .bulk(let bytes): return text(String(decoding: bytes, as: UTF8.self))
    default: return String(decoding: value.plain(), as: UTF8.self)
    }
  }

  /// A text on one line; a time in RFC 3339 is shown as local time.
  func text(_ text: String) -> String {
    if text.utf8.count >= 20, text.hasSuffix("Z"), let moment = TimeText.time(text) { return time(moment) }
    return ShownText.line(text)
  }

  /// `2026-03-01 10:30:00`.
  func time(_ milliseconds: Int64) -> String {
    let seconds = milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
    let offset = Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    let shown = TimeText.text(of: (seconds + offset) * 1000)
    // `2026-03-01T10:30:00.000Z`, whose parts are at fixed offsets.
    return "\(shown.prefix(10)) \(shown.dropFirst(11).prefix(8))"
  }
}
