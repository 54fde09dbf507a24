import GatehouseCore
import GatehouseWire

/// Tells every refused row: on standard output, and in a CSV file if one is wanted.
final class ImportReport {
  private let isJSON: Bool
  private let meter: ProgressMeter
  private let file: OutputFile?
  private var table = CSVWriter()
  private(set) var count = 0

  private static let pieceSize = 64 * 1024

  /// - Parameter path: of the file, which must not exist: it could be the one that is imported.
  init(path: String?, isJSON: Bool, _ meter: ProgressMeter) throws {
    self.isJSON = isJSON
    self.meter = meter
    file = try path.map { path in try OutputFile(path) }
    add(["line", "column", "username", "reason"])
  }

  func refuse(line: Int, username: String, _ fault: RowFault) throws {
    count += 1
    meter.erase()
    if isJSON {
      var object = JSONObject()
      object.add("line", line)
      object.add("column", fault.column)
      object.add("username", username.isEmpty ? nil : username)
      object.add("refused", fault.reason)
      Console.result(object.line)
    } else {
      let column = fault.column.map { ", column \($0)" } ?? ""
      Console.result(ShownText.line("line \(line)\(column): \(fault.reason)"))
    }
    add([String(line), fault.column ?? "", username, fault.reason])
    if table.bytes.count >= Self.pieceSize { try write() }
  }

  /// Writes what is left.
  func end() throws { try write() }

  /// Removes the file, where the import could not even begin.
  func discard() { file?.remove() }

  private func add(_ cells: [String]) {
    guard file != nil else { return }
    table.guardedRow(cells)
  }

  private func write() throws { try file?.write(table.take()) }
}

/// What became of a row that was not refused.
enum RowOutcome {
  case created
  case updated
  /// The user was there and has everything that the row says.
  case unchanged
}

/// How many rows an import read, and what became of them.
struct ImportSummary {
  var rows = 0
  var created = 0
  var updated = 0
  /// Users who were there and have everything that their row says.
  var unchanged = 0
  var refused = 0
  /// Links between users that were made, or are to be made, and that were refused although their rows were not.
  var links = 0
  var refusedLinks = 0

  var hasRefused: Bool { refused + refusedLinks > 0 }

  mutating func count(_ outcome: RowOutcome, _ number: Int) {
    switch outcome {
    case .created: created += number
    case .updated: updated += number
    case .unchanged: unchanged += number
    }
  }

  func text(_ settings: ImportSettings, isWritten: Bool) -> String {
    let noun = settings.makesContacts ? "contact" : "user"
    var parts = ["\(Figures.count(created, noun)) \(isWritten ? "created" : "to create")"]
    if updated > 0 { parts.append("\(updated) \(isWritten ? "changed" : "to change")") }
    if unchanged > 0 { parts.append("\(unchanged) already there") }
    if links > 0 { parts.append("\(Figures.count(links, "management link")) \(isWritten ? "made" : "to make")") }
    if refusedLinks > 0 { parts.append("\(Figures.count(refusedLinks, "management link")) refused") }
    parts.append("\(Figures.count(refused, "row")) refused")
    return "\(Figures.count(rows, "row")): \(parts.joined(separator: ", "))"
      + (isWritten ? "" : "; nothing was written")
  }

  func json(isWritten: Bool) -> String {
    var object = JSONObject()
    object.add("rows", rows)
    object.add("created", created)
    object.add("updated", updated)
    object.add("unchanged", unchanged)
    object.add("refused", refused)
    object.add("links", links)
    object.add("refused-links", refusedLinks)
    object.add("written", isWritten)
    return object.line
  }
}
