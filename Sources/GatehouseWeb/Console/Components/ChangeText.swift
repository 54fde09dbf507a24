import GatehouseCore
import GatehouseWire

/// One change of a record or a trial: what, of whom, old → new.
struct ChangeText {
  private let change: RESPValue
  private let names: RESPValue?

  /// - Parameter names: the `names` of the record, the usernames of the people in it.
  init(_ change: RESPValue, names: RESPValue? = nil) {
    self.change = change
    self.names = names
  }

  var cells: [Cell] {
    var cells: [Cell] = [.code(change["change"]?.string ?? "")]
    if let entity = change["entity"]?.string { cells += [.text(" "), .text(named(entity))] }
    for (index, field) in (change["fields"]?.elements ?? []).enumerated() {
      cells.append(.text(index == 0 ? " · " : ", "))
      cells += self.field(field)
    }
    return cells
  }

  private func field(_ field: RESPValue) -> [Cell] {
    let name = field["name"]?.string ?? ""
    var cells: [Cell] = [.muted(name), .text(" ")]
    if let old = field["old"], !old.isNull, old != field["new"] { cells += [.gone(text(old, name)), .text(" → ")] }
    if let new = field["new"], !new.isNull {
      if let time = Self.time(new, name) { cells.append(.time(time)) } else { cells.append(.strong(text(new, name))) }
    } else {
      cells.append(.muted("–"))
    }
    return cells
  }

  private func text(_ value: RESPValue, _ name: String) -> String {
    if let time = Self.time(value, name) { return TimeText.text(of: time) }
    if let number = value.integer { return String(number) }
    if let elements = value.elements { return elements.map { text($0, name) }.joined(separator: ", ") }
    let shown = value.string ?? ""
    // A field that names a person says only `#107`.
    if Self.people.contains(name), let username = names?["user " + shown]?.string { return "\(shown) \(username)" }
    return named(shown)
  }

  private static let people: Set<String> = [
    "user", "actor", "subject", "owner", "started-by", "stopped-by", "requested-by", "approved-by", "merged-user",
  ]

  /// `user #107` with the name beside it.
  private func named(_ text: String) -> String {
    names?[text]?.string.map { "\(text) \($0)" } ?? text
  }

  /// Fields that have moments, as numbers.
  private static let times: Set<String> = [
    "start", "end", "at", "time", "created", "expires", "until", "from", "since", "last-login", "ended",
  ]

  private static func time(_ value: RESPValue, _ name: String) -> Int64? {
    if let text = value.string { return text.utf8.count >= 20 && text.hasSuffix("Z") ? TimeText.time(text) : nil }
    guard times.contains(name), let time = value.integer, time > 10_000_000_000 else { return nil }
    return time
  }
}

/// Records of the trail: who did what when, as whom and why, with old and new values.
struct Timeline {
  private let records: [RESPValue]
  /// Where the trail of a person is; nil for no links.
  private let person: (@Sendable (Int64) -> Address)?

  init(_ records: [RESPValue], person: (@Sendable (Int64) -> Address)? = nil) {
    self.records = records
    self.person = person
  }

  var block: Block {
    Block("timeline", ["records": records.map { values($0) }])
  }

  private func values(_ record: RESPValue) -> Values {
    // That the answer is kept for a repeat is no change of anything that readers know.
    let changes = (record["changes"]?.elements ?? []).filter { $0.shown("change") != "answer-kept" }
    let actor = record["actor"]?.string.map { named($0, record) }
    let subject = record["subject"]?.string.map { named($0, record) }
    var who: [Cell] = [.strong(actor ?? record["service"]?.string ?? "the server")]
    if let subject, subject != actor { who += [.text(" as "), .strong(subject)] }
    if actor != nil, let service = record["service"]?.string { who += [.muted(" · service \(service)")] }
    return [
      "lsn": String(record["lsn"]?.integer ?? 0), "when": [Cell.time(record["time"]?.integer).values],
      "command": record["command"]?.string ?? "", "actorLine": Values(dictionaryLiteral: ("cells", who.values)),
      "why": record["reason"]?.string,
      "changes": changes.prefix(20).map { change -> Values in
        ["cells": ChangeText(change, names: record["names"]).cells.values]
      },
      "left": changes.count > 20 ? "\(changes.count - 20)" : nil,
    ]
  }

  private func named(_ text: String, _ record: RESPValue) -> String {
    record["names"]?[text]?.string ?? record["names"]?["user \(text)"]?.string ?? text
  }
}
