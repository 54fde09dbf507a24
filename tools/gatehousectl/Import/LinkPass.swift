import Foundation
import GatehouseCore
import GatehouseWire

/// The management links between users (L9), which are made after all rows: a manager may stand in the file before those
/// whom they look after. Links to accounts and groups give rights and come with the user; one to a user gives none.
///
/// The check looks for everybody who is not in the file, so that an import without `--keep-going` does not begin where a link
/// would be refused. A link that is there already is none to make, so an interrupted import goes on with those that are missing.
///
/// Memory grows with the links of the file.
final class LinkPass {
  struct Entry {
    /// The row without the cells that are done.
    let row: PersonRow
    /// As the file calls the column.
    let header: String
    let managed: [String]
    /// What becomes of the row without them.
    let outcome: RowOutcome
  }

  private let settings: ImportSettings
  private let client: BlockingClient
  private var entries: [Entry] = []

  /// Links that are asked about before the answers are read.
  private static let atOnce = 500

  init(_ settings: ImportSettings, _ client: BlockingClient) {
    self.settings = settings
    self.client = client
  }

  func add(_ row: PersonRow, _ outcome: RowOutcome) {
    guard let cell = row.cell(.manages), let values = try? PersonColumn.managed(in: cell.text) else { return }
    let managed = values.filter { $0.kind == .user }.map(\.name)
    guard !managed.isEmpty, let username = row.cell(.username) else { return }
    entries.append(
      Entry(
        row: PersonRow(line: row.line, cells: [username]), header: cell.source.header, managed: managed,
        outcome: outcome))
  }

  func removeAll() { entries = [] }

  // MARK: Checking

  /// Tells of each row whose links would be refused.
  ///
  /// - Parameter isInFile: whether the file has a user of that name.
  /// - Returns: how many links are not there yet.
  func check(isInFile: (String) -> Bool, _ refuse: (Entry, RowFault) throws -> Void) throws -> Int {
    var missing = 0
    try inTurns { entry, managed in
      guard entry.outcome == .created else { return command(entry, managed) + ["DRYRUN"] }
      if !isInFile(managed) { return ["USER.GET", managed] }
      missing += 1
      return nil
    } take: { entry, managed, answer in
      // Who is in the file alone is not there yet.
      let isToCome = answer.errorText?.hasPrefix("NOTFOUND user") == true && isInFile(managed)
      if !isToCome, let fault = fault(entry, managed, answer) {
        try refuse(entry, fault)
        return false
      }
      if isToCome || entry.outcome == .created || answer["changes"]?.elements?.isEmpty == false { missing += 1 }
      return true
    }
    return missing
  }

  /// What is wrong with somebody who is there, or is not in the file.
  private func fault(_ entry: Entry, _ managed: String, _ answer: RESPValue) -> RowFault? {
    if let error = answer.errorText {
      let note = error.hasPrefix("NOTFOUND user") ? ", and nobody of that name is in the file" : ""
      return RowFault(column: entry.header, reason: error + note)
    }
    guard entry.outcome == .created else { return nil }
    if answer["status"]?.string == "deleted" {
      return RowFault(column: entry.header, reason: "\(managed) was deleted")
    }
    let workspaces = (answer["workspaces"]?.elements ?? []).compactMap(\.string)
    if workspaces.contains(settings.workspace.caseFolded) { return nil }
    return RowFault(
      column: entry.header,
      reason: "REFUSED member: \(managed) is not a member of \(settings.workspace); make the user one first with"
        + " WORKSPACE.MEMBER \(settings.workspace) user")
  }

  // MARK: Making

  /// Makes the links.
  ///
  /// - Parameter refuse: tells of one that is refused, and says whether to go on.
  /// - Returns: how many were not there.
  func make(_ refuse: (Entry, RowFault) throws -> Bool) throws -> Int {
    var made = 0
    var goesOn = true
    try inTurns { entry, managed in
      goesOn ? command(entry, managed) : nil
    } take: { entry, _, answer in
      if answer.integer == 1 { made += 1 }
      if let error = answer.errorText {
        goesOn = try refuse(entry, RowFault(column: entry.header, reason: error)) && goesOn
      }
      return true
    }
    return made
  }

  private func command(_ entry: Entry, _ managed: String) -> [String] {
    ["MANAGE.ADD", entry.row.username, "USER", managed, "WORKSPACE", settings.workspace]
      + (settings.reason.map { ["REASON", $0] } ?? [])
  }

  // MARK: Asking

  /// Asks about each link, some at a time.
  ///
  /// - Parameters:
  ///   - words: the command; nil for none.
  ///   - take: takes the answer, and says whether the other links of the row are still of interest.
  private func inTurns(
    _ words: (Entry, String) -> [String]?, take: (Entry, String, RESPValue) throws -> Bool
  ) throws {
    var asked: [(entry: Int, managed: String, words: [String])] = []
    var done = -1
    func collect() throws {
      let answers = try client.pipeline(asked.map(\.words))
      for (question, answer) in zip(asked, answers) where question.entry != done {
        let answer = try settled(answer, question.words)
        if try !take(entries[question.entry], question.managed, answer) { done = question.entry }
      }
      asked = []
    }
    for (index, entry) in entries.enumerated() {
      for managed in entry.managed {
        guard let words = words(entry, managed) else { continue }
        asked.append((index, managed, words))
        if asked.count == Self.atOnce { try collect() }
      }
    }
    try collect()
  }

  /// The answer, once the server is not too busy for it.
  private func settled(_ answer: RESPValue, _ words: [String]) throws -> RESPValue {
    var answer = answer
    while let error = answer.errorText, error.hasPrefix("BUSY") {
      usleep(50_000)
      answer = try client.command(words)
    }
    if let error = answer.errorText, ServerTrouble.isMeant(by: error) { throw ServerTrouble(text: error) }
    return answer
  }
}
