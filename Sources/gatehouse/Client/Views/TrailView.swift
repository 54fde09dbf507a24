import GatehouseCore
import GatehouseWire

/// Records of the audit trail: a line for who did what when, and one for each change.
///
///     #1752  2026-11-28 12:25:44  TIMER.STOP  by sam as ana  service web  "left running since Monday"
///       entry-corrected  user #107 ana  start 2026-11-25 13:25:44 → 2026-11-25 14:00:00
struct TrailView {
  private let records: [RESPValue]
  private let names: UserNames
  private let field: ShownField

  /// Nil if the maps are not records.
  init?(_ maps: [[RESPValue.Pair]], names: UserNames, field: ShownField) {
    let records = maps.map { RESPValue.map($0) }
    let areRecords = records.allSatisfy {
      $0["lsn"]?.integer != nil && $0["command"]?.string != nil && $0["changes"]?.elements != nil
    }
    guard areRecords else { return nil }
    self.records = records
    self.names = names
    self.field = field
  }

  /// For the changes alone.
  init(names: UserNames, field: ShownField) {
    records = []
    self.names = names
    self.field = field
  }

  func lines(style: TextStyle) -> [String] {
    records.flatMap { record -> [String] in
      [style.heading(heading(of: record))] + (record["changes"]?.elements ?? []).map { "  " + line(of: $0) }
    }
  }

  private func heading(of record: RESPValue) -> String {
    var parts = ["#\(record["lsn"]?.integer ?? 0)", field.text(record["time"] ?? .null, field: "time")]
    parts.append(ShownText.line(record["command"]?.string ?? ""))
    let actor = record["actor"]?.string.map { names.naming($0) }
    let subject = record["subject"]?.string.map { names.naming($0) }
    if let actor { parts.append(subject == nil || subject == actor ? "by \(actor)" : "by \(actor) as \(subject!)") }
    if let service = record["service"]?.string { parts.append("service \(ShownText.line(service))") }
    if let reason = record["reason"]?.string { parts.append(ShownText.quoted(reason)) }
    return parts.joined(separator: "  ")
  }

  func line(of change: RESPValue) -> String {
    var parts = [ShownText.line(change["change"]?.string ?? "")]
    if let entity = change["entity"]?.string { parts.append(names.naming(entity)) }
    let fields = (change["fields"]?.elements ?? []).map { fieldText($0) }
    if !fields.isEmpty { parts.append(fields.joined(separator: ", ")) }
    return parts.joined(separator: "  ")
  }

  private func fieldText(_ change: RESPValue) -> String {
    let name = change["name"]?.string ?? ""
    let old = value(change["old"], of: name)
    let new = value(change["new"], of: name)
    switch (old, new) {
    case (nil, let new): return "\(ShownText.line(name)) \(new ?? "-")"
    case (let old?, let new) where old == new: return "\(ShownText.line(name)) \(old)"
    case (let old?, let new): return "\(ShownText.line(name)) \(old) → \(new ?? "-")"
    }
  }

  private func value(_ value: RESPValue?, of name: String) -> String? {
    guard let value, !value.isNull else { return nil }
    let text = field.text(value, field: name)
    return UserNames.fields.contains(name) ? names.naming(text) : text
  }
}
