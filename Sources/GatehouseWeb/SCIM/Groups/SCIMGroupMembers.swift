import GatehouseServer
import GatehouseWire
import HTTPTypes

/// Who is in the groups of a workspace, and the commands that change it. One notion of membership holds for the group's
/// members, for the groups of a user, and for what a change takes away: the role over the workspace itself, or an
/// employment at an account of the group, in force at this moment.
struct SCIMGroupMembers {
  let tenant: SCIMTenant

  /// Members that one answer shows; more would be an answer that nobody reads.
  static let mostShown = 100_000
  /// Up to so many users are asked about one by one, so that a large group costs nothing.
  private static let few = 50

  /// What a user is to a group.
  enum Standing {
    /// There is no such user.
    case unknown
    case outside
    /// - Parameter lasts: whether it has no end.
    case inside(lasts: Bool)
  }

  // MARK: Reading

  /// The ids of the users in a group.
  func all(of group: SCIMGroupName, most: Int = mostShown) async throws -> [String] {
    let condition =
      tenant.hasAccountGroups
      ? ["WHERE", "group", "=", group.key] : ["WHERE", "role", "=", "\(group.id)@\(tenant.workspace)"]
    var ids: [String] = []
    var cursor = "0"
    repeat {
      let words = ["USER.LIST"] + condition + ["CURSOR", cursor, "COUNT", "5000", "FIELDS", "1", "id"]
      let page = try await tenant.ask(words).elements ?? []
      cursor = page.first?.string ?? "0"
      ids += (page.dropFirst().first?.elements ?? []).compactMap { $0["id"]?.integer.map(String.init) }
      guard ids.count <= most else {
        throw SCIMError.invalid(
          .tooMany, "there are more than \(Self.mostShown) members; ask with excludedAttributes=members")
      }
      await Task.yield()
    } while cursor != "0"
    return ids
  }

  /// The keys of the groups in which a user is, and whether that has no end, as far as the user's card says so.
  static func held(by user: RESPValue, in tenant: SCIMTenant) -> [String: Bool] {
    if tenant.hasAccountGroups {
      return (user["groups"]?.elements ?? []).compactMap(\.string).reduce(into: [:]) { $0[$1] = true }
    }
    let scope = "workspace \(tenant.workspace)"
    let now = tenant.door.now
    return (user["roles"]?.elements ?? []).reduce(into: [:]) { held, grant in
      guard grant["scope"]?.string == scope, let role = grant["role"]?.string,
        grant["from"]?.integer ?? 0 <= now, grant["until"]?.integer.map({ $0 > now }) ?? true
      else { return }
      held[role] = grant["until"]?.integer == nil
    }
  }

  /// The keys of the groups of a user; nil if there is no such user.
  func groups(ofUser id: String) async throws -> Set<String>? {
    guard let user = try await user(id) else { return nil }
    return Set(Self.held(by: user, in: tenant).keys)
  }

  /// - Parameter accounts: those of an account group.
  private func standing(of id: String, in group: SCIMGroupName, _ accounts: Set<String>) async throws -> Standing {
    guard let user = try await user(id) else { return .unknown }
    guard let lasts = Self.held(by: user, in: tenant)[group.key] else { return .outside }
    guard tenant.hasAccountGroups else { return .inside(lasts: lasts) }
    let employments = try await employments(of: id)
    return .inside(lasts: employments.contains { $0.isCurrent && !$0.ends && accounts.contains($0.account) })
  }

  /// Who has this id, and no other: one that was merged into another is not that other.
  private func user(_ id: String) async throws -> RESPValue? {
    guard SCIMUsers.isID(id), let user = try await tenant.find("USER.GET", "#\(id)"),
      user["id"]?.integer.map(String.init) == id, user["status"]?.string != "deleted"
    else { return nil }
    return user
  }

  // MARK: Changing

  /// The commands that put people into a group and take them out.
  func commands(for change: SCIMGroupChange, of group: SCIMGroupName) async throws -> [[String]] {
    guard change.isWhole || !change.leaving.isEmpty || !change.joining.isEmpty else { return [] }
    let accounts = tenant.hasAccountGroups ? Set(try await accounts(of: group).map(\.id)) : []
    let isFew = !change.isWhole && change.leaving.count + change.joining.count <= Self.few
    let held = isFew ? nil : Set(try await all(of: group))
    var joining: [String] = []
    for id in change.joining {
      switch try await standing(of: id, in: group, accounts) {
      case .unknown: throw Self.unknown(id)
      case .inside(lasts: true): continue
      case .inside(lasts: false), .outside: joining.append(id)
      }
      await Task.yield()
    }
    var leaving: Set<String> = []
    if let held {
      leaving = change.isWhole ? held.subtracting(change.joining) : change.leaving.intersection(held)
    } else {
      for id in change.leaving {
        if case .inside = try await standing(of: id, in: group, accounts) { leaving.insert(id) }
      }
    }
    guard leaving.count <= SCIMGroupChange.mostMembers else {
      throw SCIMError.invalid(
        .tooMany, "more than \(SCIMGroupChange.mostMembers) members would leave; remove them in several requests")
    }
    return try await self.joining(joining, group) + (try await self.leaving(leaving, group, accounts))
  }

  static func unknown(_ id: String) -> SCIMError {
    .invalid(.invalidValue, "there is no user \(id) to add to the group")
  }

  /// Refuses ids that no user has.
  func requireUsers(_ ids: [String]) async throws {
    for id in ids {
      guard try await user(id) != nil else { throw Self.unknown(id) }
      await Task.yield()
    }
  }

  private func joining(_ ids: [String], _ group: SCIMGroupName) async throws -> [[String]] {
    if ids.isEmpty { return [] }
    guard tenant.hasAccountGroups else { return ids.map { granting($0, group.id) } }
    guard let account = try await ownAccount(of: group) else {
      throw SCIMError(
        .conflict, nil,
        "people are in an account group by the accounts that employ them, and \(group.displayName) has no account of"
          + " its own name: ACCOUNT.CREATE and GROUP.ADD make one")
    }
    var commands: [[String]] = []
    for id in ids {
      // Who is employed there until some day, or is to begin, is employed from now on without an end.
      let held = try await employments(of: id).first { $0.account == account && !$0.isOver }
      let place = ["#\(id)", "#\(account)"]
      guard let held else {
        commands.append(["EMPLOY.ADD"] + place)
        continue
      }
      commands.append(["EMPLOY.SET"] + place + (held.isCurrent ? [] : ["FROM", "none"]) + ["TO", "none"])
    }
    return commands
  }

  private func leaving(
    _ ids: Set<String>, _ group: SCIMGroupName, _ accounts: Set<String>
  ) async throws -> [[String]] {
    if ids.isEmpty { return [] }
    guard tenant.hasAccountGroups else {
      return ids.sorted().map { ["ROLE.REVOKE", "#\($0)", group.id, "WORKSPACE", tenant.workspace] }
    }
    var commands: [[String]] = []
    for user in ids.sorted() { commands += try await ending(user, at: accounts) }
    return commands
  }

  func granting(_ user: String, _ role: String) -> [String] {
    ["ROLE.GRANT", "#\(user)", role, "WORKSPACE", tenant.workspace]
  }

  // MARK: Account groups

  /// The account through which SCIM puts people into an account group: the one of the same name.
  func ownAccount(of group: SCIMGroupName) async throws -> String? {
    try await accounts(of: group).first { $0.name == group.displayName }?.id
  }

  private func accounts(of group: SCIMGroupName) async throws -> [(id: String, name: String)] {
    var accounts: [(String, String)] = []
    var cursor = "0"
    repeat {
      let page =
        try await tenant.ask(
          "ACCOUNT.LIST", "GROUP", "#\(group.id)", "CURSOR", cursor, "COUNT", "1000"
        ).elements ?? []
      cursor = page.first?.string ?? "0"
      for account in page.dropFirst().first?.elements ?? [] {
        guard let id = account["id"]?.integer, let name = account["name"]?.string else { continue }
        accounts.append((String(id), name))
      }
    } while cursor != "0"
    return accounts
  }

  /// The commands that end what employs a user at accounts today.
  func ending(_ user: String, at accounts: Set<String>) async throws -> [[String]] {
    try await employments(of: user).filter { $0.isCurrent && accounts.contains($0.account) }
      .map { ["EMPLOY.END", "#\(user)", "#\($0.account)"] }
  }

  private struct Employment {
    let account: String
    let isCurrent: Bool
    /// Whether it has a last day.
    let ends: Bool
    /// Whether it had a last day that is past.
    let isOver: Bool
  }

  private func employments(of user: String) async throws -> [Employment] {
    let all = try await tenant.ask("EMPLOY.LIST", "#\(user)", "WORKSPACE", tenant.workspace).elements ?? []
    let today = String(SCIMTime.text(tenant.door.now).prefix(10))
    return all.compactMap { employment in
      guard let id = employment["id"]?.integer else { return nil }
      let isCurrent = employment["current"]?.integer == 1
      let end = employment["to"]?.string
      let isOver = !isCurrent && end.map { $0 < today } ?? false
      return Employment(account: String(id), isCurrent: isCurrent, ends: end != nil, isOver: isOver)
    }
  }
}
