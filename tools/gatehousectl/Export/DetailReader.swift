import GatehouseCore
import GatehouseWire

/// Asks about what lists do not show of users, or not with its days, limits and scopes: employments, access to products,
/// roles, whom they look after, and what provisioning systems keep. One after another in a pipeline, for those columns only
/// that are wanted.
final class DetailReader {
  private let client: BlockingClient
  private let workspace: String
  /// The names of the other workspaces, which stand in front of those of their accounts.
  private let otherWorkspaces: [String]
  private let columns: Set<PersonColumn>
  /// Whether people whose home is another workspace are in the file.
  private let hasMembers: Bool
  private let now: Milliseconds
  /// Of accounts by their ids: whether they are there, and not deleted.
  private var isAccountThere: [Int64: Bool] = [:]
  /// Of users by their ids: whether they are in the file, as far as conditions let them.
  private var isInFile: [Int64: Bool] = [:]

  /// How many grants were left out, because they are over another workspace or a part of it.
  private(set) var foreignGrants = 0
  /// How many links were left out, because they are to people who are not in the file.
  private(set) var foreignLinks = 0

  /// How many employments were left out, because their accounts were deleted.
  private(set) var employmentsGone = 0

  private static let peopleKept = 100_000

  /// The columns that are read in this way.
  static let columns: Set<PersonColumn> = [.employments, .products, .licences, .roles, .manages, .provisioned]

  init(
    _ client: BlockingClient, _ workspace: String, otherWorkspaces: [String], _ columns: [PersonColumn],
    hasMembers: Bool
  ) throws {
    self.client = client
    self.workspace = workspace
    self.otherWorkspaces = otherWorkspaces
    self.columns = Self.columns.intersection(columns)
    self.hasMembers = hasMembers
    // The server's clock, by which limits begin.
    now = (try client.command("TIME").elements?.first?.integerOfText ?? 0) * 1000
  }

  typealias Values = [PersonColumn: [CellValue]]

  /// What there is of each person; nil of one who is gone.
  ///
  /// - Parameter people: the id of each, and the account in the column `account`.
  func read(_ people: [(id: Int64, account: String?)]) throws -> [Values?] {
    if columns.isEmpty { return people.map { _ in [:] } }
    let questions = people.map { self.questions("#\($0.id)") }
    for question in questions.joined() { client.send(question) }
    var answers: [[RESPValue]] = []
    for question in questions { answers.append(try question.map { _ in try client.reply() }) }
    try findOut(about: answers)
    try findOutAccounts(of: answers)
    return try zip(people, answers).map { person, answers in
      if let error = answers.compactMap(\.errorText).first {
        guard error.hasPrefix("NOTFOUND") else { throw ServerRefusal(text: error) }
        return nil
      }
      return values(person.account, answers)
    }
  }

  private var asksUser: Bool { !columns.isDisjoint(with: [.products, .licences, .roles, .provisioned]) }
  /// The role of a manager depends on the account, too.
  private var asksEmployments: Bool { columns.contains(.employments) }

  private func questions(_ user: String) -> [[String]] {
    (asksUser ? [["USER.GET", user]] : [])
      + (asksEmployments ? [["EMPLOY.LIST", user, "WORKSPACE", workspace]] : [])
      + (columns.contains(.manages) ? [["MANAGE.LIST", user, "WORKSPACE", workspace]] : [])
  }

  private func values(_ account: String?, _ answers: [RESPValue]) -> Values {
    var rest = answers[...]
    let user = asksUser ? rest.popFirst() : nil
    let employments = (asksEmployments ? rest.popFirst() : nil).map { self.employments($0, account) } ?? []
    var values: Values = [:]
    values[.employments] = employments.map(\.value)
    if let user {
      let accesses = accesses(user)
      values[.products] = accesses.map(\.value.value)
      values[.licences] = accesses.compactMap(\.licence).map { CellValue($0) }
      values[.roles] = roles(user, frame: account ?? employments.first?.account).map(\.value)
      values[.provisioned] = provisioned(user).map(\.cell)
    }
    if columns.contains(.manages), let links = rest.popFirst() { values[.manages] = managed(links).map(\.value) }
    return values
  }

  // MARK: Employments

  /// The main one comes first. It says so of itself only where the account of the row is another: that of today, while the
  /// main employment has not begun or is over.
  private func employments(_ answer: RESPValue, _ account: String?) -> [EmploymentValue] {
    let all = answer.elements ?? []
    let held = all.filter { isAccountThere[$0["id"]?.integer ?? 0] != false }
    employmentsGone += all.count - held.count
    let ordered = held.filter { $0["main"]?.integer == 1 } + held.filter { $0["main"]?.integer != 1 }
    return ordered.enumerated().map { index, employment in
      let name = employment["account"]?.string ?? ""
      return EmploymentValue(
        account: name, days: CellRange(from: employment["from"]?.string, until: employment["to"]?.string),
        isMain: index == 0 && account != nil && account != name)
    }
  }

  /// Asks about the accounts: only the name of one that was deleted is left, and another may have it by now.
  private func findOutAccounts(of answers: [[RESPValue]]) throws {
    guard asksEmployments else { return }
    let place = asksUser ? 1 : 0
    var unknown: [Int64] = []
    for employment in answers.compactMap({ $0[place].elements }).joined() {
      guard let id = employment["id"]?.integer, isAccountThere[id] == nil else { continue }
      isAccountThere[id] = true
      unknown.append(id)
    }
    for (id, account) in zip(unknown, try client.pipeline(unknown.map { ["ACCOUNT.GET", "#\($0)"] })) {
      isAccountThere[id] = account.errorText?.hasPrefix("NOTFOUND") != true
    }
  }

  // MARK: Products

  /// The products of this workspace that are enabled, or will be, or are off and keep something. Access to those of others is
  /// theirs to give.
  private func accesses(_ user: RESPValue) -> [(value: AccessValue, licence: String?)] {
    (user["products"]?.elements ?? []).compactMap { access in
      let product = access["product"]?.string ?? ""
      let isOpen = access["enabled"]?.integer == 1
      let isToCome = access["from"]?.integer.map { $0 > now } ?? false
      let isAdministrator = access["admin"]?.integer == 1
      let licence = access["licence"]?.string
      let isOff = !isOpen && !isToCome
      guard isOfWorkspace(product), !isOff || isAdministrator || licence != nil else { return nil }
      let value = AccessValue(
        product: product, isOff: isOff, isAdministrator: isAdministrator,
        limits: isOff ? .open : Self.limits(access))
      return (value, licence.map { "\(product):\($0)" })
    }
  }

  /// Products of `main` have no workspace in front.
  private func isOfWorkspace(_ product: String) -> Bool {
    workspace == "main" ? !product.contains("/") : product.hasPrefix("\(workspace)/")
  }

  private static func limits(_ entry: RESPValue) -> CellRange {
    func text(_ name: String) -> String? { entry[name]?.integer.map { TimeText.text(of: $0) } }
    return CellRange(from: text("from"), until: text("until"))
  }

  // MARK: Roles

  /// The roles in this workspace, or everywhere, the main one first.
  ///
  /// - Parameter frame: the account over which a manager's role holds if it does not say more (L22), as it is for import.
  private func roles(_ user: RESPValue, frame: String?) -> [RoleValue] {
    let grants = user["roles"]?.elements ?? []
    let ordered = grants.filter { $0["main"]?.integer == 1 } + grants.filter { $0["main"]?.integer != 1 }
    return ordered.compactMap { grant in
      guard let role = grant["role"]?.string,
        let scope = scope(grant["scope"]?.string ?? "", isManager: role == Role.manager.name, frame)
      else {
        foreignGrants += 1
        return nil
      }
      return RoleValue(role: role, scope: scope, limits: Self.limits(grant))
    }
  }

  private func scope(_ text: String, isManager: Bool, _ frame: String?) -> RoleValue.Scope? {
    if text == "everywhere" { return .everywhere }
    let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return nil }
    switch parts[0] {
    case "workspace" where parts[1] == workspace: return isManager && frame != nil ? .workspace : .usual
    case "product" where isOfWorkspace(parts[1]): return .part("product", of: parts[1])
    case "account" where isNameHere(parts[1]):
      return isManager && parts[1] == frame ? .usual : .part("account", of: parts[1])
    case "group" where isNameHere(parts[1]): return .part("group", of: parts[1])
    default: return nil
    }
  }

  /// Whether the name of an account or a group is one of this workspace.
  private func isNameHere(_ name: String) -> Bool {
    (workspace == "main" || name.hasPrefix("\(workspace)/"))
      && !otherWorkspaces.contains { name.hasPrefix("\($0)/") }
  }

  // MARK: Provisioning systems

  /// What that of this workspace keeps of the user; what those of others do is theirs to send.
  private func provisioned(_ user: RESPValue) -> [ProvisionedCell] {
    let prefix = "\(workspace)/"
    return (user["provisioned"]?.pairs ?? []).compactMap { pair in
      guard let key = pair.key.string, let value = pair.value.string, key.utf8.starts(with: prefix.utf8) else {
        return nil
      }
      return ProvisionedCell(String(decoding: key.utf8.dropFirst(prefix.utf8.count), as: UTF8.self), value)
    }
  }

  // MARK: Management links

  /// Those to users come last, as import makes them.
  private func managed(_ answer: RESPValue) -> [ManagedValue] {
    let links = (answer.elements ?? []).compactMap { link -> ManagedValue? in
      guard let kind = link["kind"]?.string.flatMap(ManagedValue.Kind.init(rawValue:)), let name = link["name"]?.string,
        kind != .user || isInFile[link["id"]?.integer ?? 0] == true
      else {
        foreignLinks += 1
        return nil
      }
      return ManagedValue(kind, name)
    }
    return links.filter { $0.kind != .user } + links.filter { $0.kind == .user }
  }

  /// Asks about the people to whom links are: import into another server would not find those who are not in the file.
  private func findOut(about answers: [[RESPValue]]) throws {
    guard columns.contains(.manages) else { return }
    if isInFile.count > Self.peopleKept { isInFile = [:] }
    var unknown: [Int64] = []
    for link in answers.compactMap({ $0.last?.elements }).joined() where link["kind"]?.string == "user" {
      guard let id = link["id"]?.integer, isInFile[id] == nil else { continue }
      isInFile[id] = false
      unknown.append(id)
    }
    for (id, user) in zip(unknown, try client.pipeline(unknown.map { ["USER.GET", "#\($0)"] })) {
      let isHere = hasMembers || user["home"]?.string == workspace
      isInFile[id] = user.errorText == nil && user["status"]?.string != "deleted" && isHere
    }
  }
}

extension RESPValue {
  /// A number that is sent as text.
  fileprivate var integerOfText: Int64? { integer ?? string.flatMap { Int64($0) } }
}
