import GatehouseCore
import GatehouseWire

/// Lists people page by page, and writes each page before the next one is decoded, so that memory does not grow.
final class ExportRun {
  struct Options {
    var kind = ExportedKind.users
    var format = PersonRows.Format.csv
    var workspace = "main"
    var delimiter: UInt8?
    var hasMark = false
    /// `field op value`, three words each.
    var conditions: [[String]] = []
    /// nil for all that import takes.
    var fields: [String]?
  }

  private let options: Options
  private let client: BlockingClient
  private let fields: [ExportedField]
  private let details: DetailReader
  /// The names of the other workspaces, which stand in front of those of their accounts.
  private let otherWorkspaces: [String]
  private let output: ([UInt8]) throws -> Void
  private var csv: CSVWriter
  private var lines: [UInt8] = []
  private(set) var count = 0
  /// See `DetailReader`.
  var foreignGrants: Int { details.foreignGrants }
  var foreignLinks: Int { details.foreignLinks }
  var employmentsGone: Int { details.employmentsGone }
  /// How many contacts were left out, because they have neither a name nor an e-mail: import could not make them.
  private(set) var namelessContacts = 0
  /// How many people were left out, because another workspace is their home, where import would make them.
  private(set) var peopleOfOthers = 0

  private static let pageSize = 1000

  init(
    _ options: Options, _ client: BlockingClient, _ output: @escaping ([UInt8]) throws -> Void
  ) throws {
    self.options = options
    self.client = client
    self.output = output
    csv = CSVWriter(delimiter: options.delimiter ?? CSVReader.delimiters[0], hasMark: options.hasMark)
    let facts = try WorkspaceFacts(options.workspace, client)
    let known = options.kind.columns + facts.fields.map(PersonColumn.custom)
    let workspaces = try client.command("WORKSPACE.LIST").elements ?? []
    otherWorkspaces = workspaces.compactMap { $0["name"]?.string }.filter { $0 != options.workspace }
    fields =
      options.fields?.map { ExportedField.named($0, among: known + [.name], of: options.workspace) }
      ?? known.map { ExportedField($0, of: options.workspace) }
    details = try DetailReader(
      client, options.workspace, otherWorkspaces: otherWorkspaces,
      options.kind == .users ? fields.compactMap(\.column) : [], hasMembers: options.fields != nil)
  }

  /// - Parameter progress: called with the number of people written so far.
  func run(_ progress: (Int) throws -> Void) throws {
    if options.format == .csv { csv.guardedRow(fields.map(\.name)) }
    send("0")
    while true {
      let reply = try client.reply()
      if let error = reply.errorText { throw ServerRefusal(text: error) }
      guard let parts = reply.elements, parts.count == 2, let next = parts[0].string, let people = parts[1].elements
      else { throw ClientError.malformedReply(.malformed) }
      let exported = people.filter(isExported)
      let found = try details.read(exported.map { ($0["id"]?.integer ?? 0, account(of: $0)) })
      // The server works on the next page while this one is written.
      if next != "0" { send(next) }
      for (person, values) in zip(exported, found) {
        // Who is gone meanwhile is as if never listed.
        if let values { write(person, values) }
      }
      try output(options.format == .csv ? csv.take() : lines)
      lines.removeAll(keepingCapacity: true)
      count += people.count
      try progress(count)
      if next == "0" { return }
    }
  }

  private func send(_ cursor: String) {
    // The id finds the rest of a user.
    let id = options.kind == .users ? "id" : "contact"
    let asked = (fields.compactMap(\.field) + [Self.home]).filter { $0 != id }
    let names = Set(asked).count == asked.count ? asked : Array(Set(asked)).sorted()
    let conditions = [["workspace", "=", options.workspace]] + options.conditions
    client.send(
      [options.kind.command] + conditions.flatMap { ["WHERE"] + $0 }
        + ["COUNT", String(Self.pageSize), "CURSOR", cursor, "FIELDS", String(names.count + 1), id] + names)
  }

  // MARK: Accounts

  /// The main account of a person in the workspace; nil where nobody employs the person there.
  private func account(of person: RESPValue) -> String? {
    guard fields.contains(where: { $0.column == .account }) else { return nil }
    let prefix = options.workspace == "main" ? "" : "\(options.workspace)/"
    return (person["account"]?.elements ?? []).compactMap(\.string).first { name in
      name.hasPrefix(prefix) && !otherWorkspaces.contains { name.hasPrefix("\($0)/") }
        && name != prefix + GuestAccount.name
    }
  }

  // MARK: Writing

  /// The field with the workspace that is a person's home. A service that is bound to workspaces sees it only if it is one of
  /// these; another is not this one in any case.
  private static let home = "home"

  /// Whether a person is in the file; counts those who are not.
  private func isExported(_ person: RESPValue) -> Bool {
    if isOfOthers(person) {
      peopleOfOthers += 1
    } else if isNameless(person) {
      namelessContacts += 1
    } else {
      return true
    }
    return false
  }

  /// Whether import would make somebody of this workspace of a person who is only a member here. A list of chosen fields
  /// has all members.
  private func isOfOthers(_ person: RESPValue) -> Bool {
    options.fields == nil && person[Self.home]?.string != options.workspace
  }

  private func isNameless(_ person: RESPValue) -> Bool {
    options.kind == .contacts && options.fields == nil
      && ["first", "middle", "last", "email"].allSatisfy { person[$0]?.string ?? "" == "" }
  }

  private func write(_ person: RESPValue, _ details: DetailReader.Values) {
    var values: [String: RESPValue] = [:]
    for pair in person.pairs ?? [] { values[pair.key.string ?? ""] = pair.value }
    if values["account"] != nil { values["account"] = account(of: person).map { .bulk($0) } ?? .null }
    switch options.format {
    case .csv:
      for field in fields {
        let cell =
          if let column = field.column, let form = column.form, let several = details[column] {
            Array(CellValue.cell(several, form).utf8)
          } else {
            Self.cell(values[field.field ?? ""] ?? .null)
          }
        csv.add(FormulaGuard.guarded(cell))
      }
      csv.endRow()
    case .jsonl:
      var object = JSONObject()
      for field in fields {
        if let column = field.column, let form = column.form, let several = details[column] {
          object.add(field.name, texts: several.map { $0.word(form) })
        } else {
          object.add(field.name, values[field.field ?? ""] ?? .null)
        }
      }
      lines.append(contentsOf: object.line.utf8)
      lines.append(0x0a)
    }
  }

  private static func cell(_ value: RESPValue) -> [UInt8] {
    switch value {
    case .bulk(let bytes): bytes
    case .integer(let number): Array(String(number).utf8)
    case .boolean(let flag): [flag ? 0x31 : 0x30]
    case .null: []
    default:
      Array((value.elements ?? []).compactMap(\.string).joined(separator: ";").utf8)
    }
  }
}
