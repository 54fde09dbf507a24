import GatehouseServer
import GatehouseWire

/// Lists of users: by indexes where a filter allows, in pages that begin anywhere.
struct SCIMUserList {
  let tenant: SCIMTenant
  let marks: SCIMMarks

  /// The people whom a filter looks at that no index and no condition of the server tells.
  private static let mostScanned = 20_000
  /// The people whom `USER.LIST` passes over at once, on the way to a page.
  private static let stride = 10_000

  func query(_ query: SCIMQuery) async throws -> SCIMPage {
    try query.check(tenant.users)
    switch SCIMUserPlan(query.filter) {
    case .candidates(let lookups): return try await atHand(try await found(by: lookups, query.filter), query)
    case .conditions(let conditions):
      if let sortBy = query.sortBy, Self.sortField(sortBy) == nil { return try await scanned(conditions, query) }
      return try await listed(conditions, query)
    case .scan(let conditions): return try await scanned(conditions, query)
    }
  }

  // MARK: Candidates

  private func found(by lookups: Set<SCIMUserPlan.Lookup>, _ filter: SCIMFilter?) async throws -> [SCIMUserResource] {
    guard lookups.count <= SCIMQuery.standardCount else {
      throw SCIMError.invalid(
        .tooMany, "a filter names at most \(SCIMQuery.standardCount) people; ask in several requests")
    }
    let groups = try await tenant.groups()
    var found: [SCIMUserResource] = []
    for lookup in lookups {
      for words in try await self.words(for: lookup) {
        guard let answer = try await tenant.find("USER.GET", words) else { continue }
        let user = SCIMUserResource(answer, tenant, groups)
        guard user.isThere, filter?.matches(user.json, tenant.users) ?? true else { continue }
        if !found.contains(where: { $0.id == user.id }) { found.append(user) }
      }
    }
    return found.sorted { (Int64($0.id) ?? 0) < (Int64($1.id) ?? 0) }
  }

  /// How `USER.GET` names those whom a look-up finds.
  private func words(for lookup: SCIMUserPlan.Lookup) async throws -> [String] {
    switch lookup {
    case .id(let id): return SCIMUsers.isID(id) ? ["#\(id)"] : []
    case .username(let name): return name.hasPrefix("#") ? [] : [name]
    case .externalID(let external):
      let user = try await tenant.find("USER.EXTERNAL", external, "WORKSPACE", tenant.workspace)
      return (user?["id"]?.integer).map { ["#\($0)"] } ?? []
    case .email(let email):
      return try await ids(["WHERE", "email", "==", email], [], from: "0", count: SCIMQuery.standardCount).ids
        .map { "#\($0)" } + (try await addressed(email))
    }
  }

  /// Those who have an address among others, of which the card has only one.
  private func addressed(_ email: String) async throws -> [String] {
    (try await tenant.ask("USER.ADDRESSED", email, "WORKSPACE", tenant.workspace).elements ?? [])
      .compactMap { $0["id"]?.integer.map { "#\($0)" } }
  }

  private func atHand(_ users: [SCIMUserResource], _ query: SCIMQuery) async throws -> SCIMPage {
    var users = users
    query.sort(&users, tenant.users) { $0.json }
    let (part, page) = try query.part(of: users.count)
    return page.with(users[part].map { query.projection.applied(to: $0.json, tenant.users) })
  }

  // MARK: Lists of the server

  /// The field by which the server sorts.
  private static func sortField(_ path: SCIMAttributePath) -> String? {
    switch (path.name.lowercased(), path.sub?.lowercased()) {
    case ("id", nil): "id"
    case ("username", nil): "username"
    case ("name", "familyname"): "last"
    case ("name", "givenname"): "first"
    case ("emails", nil), ("emails", "value"): "email"
    case ("meta", "created"): "created"
    case ("meta", "lastmodified"): "last-change"
    default: nil
    }
  }

  private func key(_ query: SCIMQuery) -> SCIMMarks.Key {
    SCIMMarks.Key(service: tenant.caller.service, workspace: tenant.workspace, list: query.identity)
  }

  private func listed(_ conditions: [SCIMUserPlan.Condition], _ query: SCIMQuery) async throws -> SCIMPage {
    let order =
      query.sortBy.flatMap(Self.sortField).map { ["SORT", $0] + (query.isDescending ? ["DESC"] : []) } ?? []
    let words = conditions.flatMap(\.words)
    let key = key(query)
    var page = SCIMPage(total: try await total(words, key, isNew: query.isFirstPage), position: query.position)
    var start: Int?
    let cursor: String
    var rest = 0
    switch query.position {
    case .index(let index):
      // What was counted a while ago does not say that there is nothing.
      if index > page.total, !query.isFirstPage {
        page = SCIMPage(total: try await total(words, key, isNew: true), position: query.position)
      }
      guard query.count > 0, index <= page.total else { return page }
      start = index - 1
      (cursor, rest) = try await self.cursor(near: index - 1, words, order, key)
    case .cursor(""):
      guard query.count > 0 else { return page }
      (start, cursor) = (0, "0")
    case .cursor(let text):
      guard let known = SCIMCursor(text, of: query) else {
        throw SCIMError.invalid(.invalidCursor, "the cursor does not come from this list; begin again without one")
      }
      cursor = known.inner
    }
    guard cursor != Self.end else { return page }
    let (next, ids) = try await ids(words, order, from: cursor, passing: rest, count: query.count)
    if let start, next != "0" { marks.note(next, at: start + ids.count, of: key) }
    if case .cursor = query.position, next != "0" { page.next = SCIMCursor(inner: next).text(of: query) }
    return page.with(try await resources(ids, query))
  }

  /// How many meet the conditions. With conditions it is not counted for each page anew, but for the first one it always
  /// is: whoever has just made somebody and looks again must find them.
  private func total(_ words: [String], _ key: SCIMMarks.Key, isNew: Bool) async throws -> Int {
    if !isNew, !words.isEmpty, let known = marks.total(of: key) { return known }
    let total = Int(try await tenant.ask(["USER.COUNT"] + words).integer ?? 0)
    if !words.isEmpty { marks.note(total: total, of: key) }
    return total
  }

  /// The cursor of a list that is over.
  private static let end = "end"

  /// A cursor shortly before a position, and how many are left to be passed over. On the way there it leaves marks. A sorted
  /// list goes to any position at once.
  private func cursor(
    near position: Int, _ words: [String], _ order: [String], _ key: SCIMMarks.Key
  ) async throws -> (cursor: String, rest: Int) {
    var (reached, cursor) = marks.place(before: position, of: key)
    while order.isEmpty, position - reached > Self.stride {
      let (next, ids) = try await ids(words, order, from: cursor, passing: Self.stride - 1, count: 1)
      guard next != "0", !ids.isEmpty else { return (Self.end, 0) }
      reached += Self.stride
      cursor = next
      marks.note(cursor, at: reached, of: key)
      await Task.yield()
    }
    return (cursor, position - reached)
  }

  private func ids(
    _ words: [String], _ order: [String], from cursor: String, passing offset: Int = 0, count: Int
  ) async throws -> (cursor: String, ids: [String]) {
    let passing = offset > 0 ? ["OFFSET", String(offset)] : []
    let page =
      try await tenant.ask(
        ["USER.LIST"] + words + order + passing + ["CURSOR", cursor, "COUNT", String(count), "FIELDS", "1", "id"]
      ).elements ?? []
    let ids = (page.dropFirst().first?.elements ?? []).compactMap { $0["id"]?.integer.map(String.init) }
    return (page.first?.string ?? "0", ids)
  }

  private func resources(_ ids: [String], _ query: SCIMQuery) async throws -> [JSON] {
    let groups = query.projection.has("groups") ? try await tenant.groups() : []
    var resources: [JSON] = []
    for (index, id) in ids.enumerated() {
      // Between two pages of the server somebody may have been deleted.
      guard let answer = try await tenant.find("USER.GET", "#\(id)") else { continue }
      let user = SCIMUserResource(answer, tenant, groups)
      guard user.isThere else { continue }
      resources.append(query.projection.applied(to: user.json, tenant.users))
      if index % 50 == 49 { await Task.yield() }
    }
    return resources
  }

  // MARK: Scans

  /// Looks at everybody who meets the conditions, if they are few enough.
  private func scanned(_ conditions: [SCIMUserPlan.Condition], _ query: SCIMQuery) async throws -> SCIMPage {
    let key = key(query)
    if !query.isFirstPage, let known = marks.found(of: key) {
      let (part, page) = try query.part(of: known.count)
      // What was found a while ago does not say that there is nothing more.
      if !part.isEmpty { return page.with(try await resources(Array(known[part]), query)) }
    }
    let found = try await scan(conditions, query)
    marks.note(found: found, of: key)
    let (part, page) = try query.part(of: found.count)
    return page.with(try await resources(Array(found[part]), query))
  }

  /// The ids of those who meet the filter, in the order that is asked for.
  private func scan(_ conditions: [SCIMUserPlan.Condition], _ query: SCIMQuery) async throws -> [String] {
    let words = conditions.flatMap(\.words)
    let total = Int(try await tenant.ask(["USER.COUNT"] + words).integer ?? 0)
    guard total <= Self.mostScanned else {
      throw SCIMError.invalid(
        .tooMany,
        "this would look at \(total) people, and at most \(Self.mostScanned) are looked at; ask by userName, externalId,"
          + " id or emails, or narrow it with and")
    }
    let groups = try await tenant.groups()
    var users: [SCIMUserResource] = []
    var cursor = "0"
    repeat {
      let (next, ids) = try await ids(words, [], from: cursor, count: 100)
      cursor = next
      for id in ids {
        guard let answer = try await tenant.find("USER.GET", "#\(id)") else { continue }
        let user = SCIMUserResource(answer, tenant, groups)
        if user.isThere, query.filter?.matches(user.json, tenant.users) ?? true { users.append(user) }
      }
      await Task.yield()
    } while cursor != "0"
    query.sort(&users, tenant.users) { $0.json }
    return users.map(\.id)
  }
}
