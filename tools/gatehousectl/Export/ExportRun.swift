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
  /// The names of the other workspaces, which stand in front of those of their accounts.
  private let otherWorkspaces: [String]
  private let output: ([UInt8]) throws -> Void
  private var csv: CSVWriter
  private var lines: [UInt8] = []
  private(set) var count = 0
  /// How many grants were left out, because they hold elsewhere than in the workspace: import could not give them back.
  private(set) var narrowGrants = 0
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
    fields = options.fields?.map { ExportedField.named($0, among: known + [.name]) } ?? known.map(ExportedField.init)
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
      let roles = try roles(of: people)
      // The server works on the next page while this one is written.
      if next != "0" { send(next) }
      for (person, roles) in zip(people, roles) {
        if isOfOthers(person) {
          peopleOfOthers += 1
        } else if isNameless(person) {
          namelessContacts += 1
        } else {
          write(person, roles)
        }
      }
      try output(options.format == .csv ? csv.take() : lines)
      lines.removeAll(keepingCapacity: true)
      count += people.count
      try progress(count)
      if next == "0" { return }
    }
  }

  private func send(_ cursor: String) {
    // The id finds the roles of a user.
    let id = options.kind == .users ? "id" : "contact"
    let asked = (fields.map(\.field) + [Self.home]).filter { $0 != id }
    let names = Set(asked).count == asked.count ? asked : Array(Set(asked)).sorted()
    let conditions = [["workspace", "=", options.workspace]] + options.conditions
    client.send(
      [options.kind.command] + conditions.flatMap { ["WHERE"] + $0 }
        + ["COUNT", String(Self.pageSize), "CURSOR", cursor, "FIELDS", String(names.count + 1), id] + names)
  }

  // MARK: Roles

  /// The roles of each person that hold in the whole workspace, or everywhere, the main one first.
  private func roles(of people: [RESPValue]) throws -> [[String]?] {
    guard options.kind == .users, fields.contains(where: { $0.column == .roles }) else {
      return people.map { _ in nil }
    }
    let asked = people.map { !($0["role"]?.elements ?? []).isEmpty }
    for (person, isAsked) in zip(people, asked) where isAsked {
      client.send(["ROLE.LIST", "#\(person["id"]?.integer ?? 0)"])
    }
    return try zip(people, asked).map { person, isAsked in
      isAsked ? wideRoles(try client.reply(), account: account(of: person)) : []
    }
  }

  private func wideRoles(_ grants: RESPValue, account: String?) -> [String] {
    var roles: [(name: String, isMain: Bool)] = []
    for grant in grants.elements ?? [] {
      let scope = grant["scope"]?.string
      let hasEnd = grant["from"]?.isNull == false || grant["until"]?.isNull == false
      let isWide = scope == "everywhere"
      // The framework of a manager is the main account, if there is one (L22), as it is for import.
      let isOfAccount = account != nil && grant["role"]?.string == Role.manager.name
      let within = isOfAccount ? "account \(account ?? "")" : "workspace \(options.workspace)"
      guard isWide || scope == within, !hasEnd, let name = grant["role"]?.string else {
        narrowGrants += 1
        continue
      }
      roles.append((isWide ? name + PersonRequests.Role.wideMark : name, grant["main"]?.integer == 1))
    }
    return (roles.filter(\.isMain) + roles.filter { !$0.isMain }).map(\.name)
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

  /// Whether import would make somebody of this workspace of a person who is only a member here. A list of chosen fields
  /// has all members.
  private func isOfOthers(_ person: RESPValue) -> Bool {
    options.fields == nil && person[Self.home]?.string != options.workspace
  }

  private func isNameless(_ person: RESPValue) -> Bool {
    options.kind == .contacts && options.fields == nil
      && ["first", "middle", "last", "email"].allSatisfy { person[$0]?.string ?? "" == "" }
  }

  private func write(_ person: RESPValue, _ roles: [String]?) {
    var values: [String: RESPValue] = [:]
    for pair in person.pairs ?? [] { values[pair.key.string ?? ""] = pair.value }
    if let roles { values["role"] = .array(roles.map { .bulk($0) }) }
    if values["account"] != nil { values["account"] = account(of: person).map { .bulk($0) } ?? .null }
    for field in ["product", "licence"] { if let words = values[field] { values[field] = own(words) } }
    switch options.format {
    case .csv:
      for field in fields { csv.add(FormulaGuard.guarded(Self.cell(values[field.field] ?? .null))) }
      csv.endRow()
    case .jsonl:
      var object = JSONObject()
      for field in fields { object.add(field.name, values[field.field] ?? .null) }
      lines.append(contentsOf: object.line.utf8)
      lines.append(0x0a)
    }
  }

  /// The products of this workspace. Access to those of others is theirs to give. Those of `main` have no workspace in
  /// front.
  private func own(_ words: RESPValue) -> RESPValue {
    .array(
      (words.elements ?? []).filter { word in
        let text = word.string ?? ""
        return options.workspace == "main" ? !text.contains("/") : text.hasPrefix("\(options.workspace)/")
      })
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
