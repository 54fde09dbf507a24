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
  /// Whose changes come first: of a record about thousands, only some are shown.
  private let person: Person?
  /// The records that can be taken back.
  private let undoable: Set<Int64>

  /// Commands that *Undo* can take back.
  private static let undoableCommands: Set<String> = ["USER.DELETE", "USER.MERGE", "USER.BULK"]
  /// The newest records of which the server is asked whether they can be.
  private static let mostAsked = 10

  init(_ records: [RESPValue], about person: Person? = nil) {
    self.records = records
    self.person = person
    undoable = []
  }

  /// With *Undo* where the server would take a record back.
  init(_ records: [RESPValue], about person: Person? = nil, for visit: Visit) async {
    var undoable: Set<Int64> = []
    let asked = records.filter { Self.undoableCommands.contains($0.shown("command")) }.prefix(Self.mostAsked)
    for record in asked {
      guard let lsn = record["lsn"]?.integer else { continue }
      if await visit.verdict("UNDO", String(lsn), "REASON", "trial").isAllowed { undoable.insert(lsn) }
    }
    self.records = records
    self.person = person
    self.undoable = undoable
  }

  var block: Block {
    Block("timeline", ["records": records.map { values($0) }])
  }

  /// The changes of a record, those about a person first.
  static func changes(of record: RESPValue, about person: Person?) -> [RESPValue] {
    // That the answer is kept for a repeat is no change of anything that readers know.
    let changes = (record["changes"]?.elements ?? []).filter { $0.shown("change") != "answer-kept" }
    guard let person else { return changes }
    let names: Set<String> = ["user " + person.word, "contact " + person.contact]
    func isOwn(_ change: RESPValue) -> Bool {
      names.contains(change.shown("entity"))
        || (change["fields"]?.elements ?? []).contains { field in
          [field.shown("old"), field.shown("new")].contains { $0 == person.word || names.contains($0) }
        }
    }
    return changes.filter(isOwn) + changes.filter { !isOwn($0) }
  }

  private func values(_ record: RESPValue) -> Values {
    let changes = Self.changes(of: record, about: person)
    let lsn = record["lsn"]?.integer ?? 0
    let actor = record["actor"]?.string.map { named($0, record) }
    let subject = record["subject"]?.string.map { named($0, record) }
    var who: [Cell] = [.strong(actor ?? record["service"]?.string ?? "the server")]
    if let subject, subject != actor { who += [.text(" as "), .strong(subject)] }
    if actor != nil, let service = record["service"]?.string { who += [.muted(" · service \(service)")] }
    return [
      "lsn": String(lsn),
      "undo": undoable.contains(lsn)
        ? [Block.buttons([.link("Undo", HomePages.undo.adding("lsn", String(lsn)))]).values] : nil,
      "when": [Cell.time(record["time"]?.integer).values],
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
