import GatehouseTestSupport
import GatehouseWire

/// The state according to the audit trail: rebuilt from its changes in order, up to a record. After every record the
/// invariants over all partitions are checked.
struct TrailPicture {
  struct Access: Equatable {
    var isEnabled = false
    var licence = ""
  }

  struct User: Equatable {
    var name: String
    var status: String
    var isSuperAdministrator = false
    /// By product.
    var accesses: [String: Access] = [:]
  }

  /// By their ids.
  private(set) var users: [String: User] = [:]
  /// Seats bought, by product and type.
  private(set) var bought: [String: [String: Int]] = [:]
  /// The last record included.
  private(set) var lsn: Int64 = 0
  private var hadSuperAdministrator = false

  var live: [String: User] { users.filter { $0.value.status != "deleted" } }

  func used(_ product: String, _ type: String) -> Int {
    users.values.count { user in
      guard let access = user.accesses[product], access.isEnabled else { return false }
      return type == "*" || access.licence == type
    }
  }

  // MARK: Reading

  /// Reads the records written since the last time.
  mutating func read(_ client: Client) throws {
    var news: [Fields] = []
    var cursor = "0"
    repeat {
      let page = try client.ok("AUDIT.LIST COUNT 200" + (cursor == "0" ? "" : " CURSOR \(cursor)")).items
      guard page.count == 2 else { throw TestFailure("AUDIT.LIST answered \(page)") }
      cursor = page[0].scalarText ?? "0"
      let records = page[1].items.compactMap { Fields($0) }
      news += records.prefix { $0.integer("lsn") ?? 0 > lsn }
      if records.contains(where: { $0.integer("lsn") ?? 0 <= lsn }) { break }
    } while cursor != "0"
    for record in news.reversed() { try add(record) }
  }

  private mutating func add(_ record: Fields) throws {
    guard let number = record.integer("lsn"), number > lsn else { throw TestFailure("out of order: \(record)") }
    for change in record.value("changes")?.items ?? [] { try apply(change) }
    lsn = number
    try check(record)
  }

  private mutating func apply(_ change: RESPValue) throws {
    guard let fields = Fields(change), let kind = fields["change"], let entity = fields["entity"] else {
      throw TestFailure("no change: \(change)")
    }
    let values = (fields.value("fields")?.items ?? []).compactMap { Fields($0) }
    func field(_ name: String) -> Fields? { values.first { $0["name"] == name } }
    func new(_ name: String) -> String? { field(name)?["new"] }
    let id = entity.hasPrefix("user #") ? String(entity.dropFirst(6)) : ""
    switch kind {
    case "user-created": users[id] = User(name: new("username") ?? "?", status: new("status") ?? "?")
    case "user-renamed": users[id]?.name = new("username") ?? "?"
    case "status-set": users[id]?.status = new("status") ?? "?"
    case "role-granted": if new("role") == "super-administrator" { users[id]?.isSuperAdministrator = true }
    case "role-revoked":
      if field("role")?["old"] == "super-administrator" { users[id]?.isSuperAdministrator = false }
    case "access-set":
      var access = users[id]?.accesses[new("product") ?? "?"] ?? Access()
      // A field without a new value is gone, and the access with it.
      if let state = field("access") { access.isEnabled = state["new"] == "enabled" }
      if let licence = field("licence") { access.licence = licence["new"] ?? "" }
      users[id]?.accesses[new("product") ?? "?"] = access
    case "pool-set":
      let product = String(entity.dropFirst("product ".count))
      bought[product, default: [:]][new("type") ?? "?"] = new("bought").flatMap { Int($0) }
    default: break
    }
  }

  // MARK: Invariants

  private mutating func check(_ record: Fields) throws {
    for (product, pools) in bought {
      for (type, seats) in pools where used(product, type) > seats {
        throw TestFailure("\(used(product, type)) of \(seats) seats \(type) of \(product) are taken after \(record)")
      }
    }
    let names = live.values.map(\.name)
    if Set(names).count != names.count { throw TestFailure("a name is taken twice after \(record)") }
    let isThere = users.values.contains { $0.isSuperAdministrator && $0.status == "active" }
    if hadSuperAdministrator && !isThere { throw TestFailure("the last super administrator is lost after \(record)") }
    hadSuperAdministrator = isThere
  }
}
