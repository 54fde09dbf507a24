import GatehouseCore

/// What the address of the list of people asks for: conditions, columns, order and the size of a page. All of it stays in
/// the address, so that a bookmark is a view.
struct PeopleQuery {
  private let fields: FormFields
  let workspace: String
  private let now: Milliseconds

  static let sizes = ["25", "50", "100", "200"]
  static let statuses = ["active", "new", "import", "temporary", "pending", "inactive", "locked", "deleted"]
  private static let usual = ["username", "name", "email", "status", "department", "last-login"]
  private static let sortable: Set<String> = [
    "username", "name", "email", "status", "department", "division", "last-login", "created", "hired", "released",
    "last",
    "first", "id",
  ]

  /// Columns that can be chosen, with their headings.
  static let columns: [(name: String, title: String)] = [
    ("username", "Username"), ("name", "Name"), ("email", "E-mail"), ("status", "Status"), ("last-login", "Last login"),
    ("department", "Department"), ("division", "Division"), ("role", "Roles"), ("product", "Products"),
    ("licence", "Licences"), ("account", "Account"), ("employer", "Employers"), ("workspace", "Workspaces"),
    ("phone", "Phone"), ("hired", "Hired"), ("released", "Released"), ("created", "Created"), ("sessions", "Sessions"),
    ("initials", "Initials"), ("reference", "Reference"), ("language", "Language"), ("timezone", "Time zone"),
  ]

  init(_ fields: FormFields, workspace: String, now: Milliseconds) {
    self.fields = fields
    self.workspace = workspace
    self.now = now
  }

  // MARK: Conditions

  /// The values of the filter form.
  var status: String { Self.statuses.contains(fields["status"]) ? fields["status"] : "" }
  var product: String { fields["product"] }
  var role: String { fields["role"] }
  var department: String { fields["department"] }
  /// `never`, or for how many days somebody has not logged in.
  var dormant: String { fields["dormant"] }
  var isEverywhere: Bool { fields["everywhere"] == "1" }
  /// A condition of one's own: any field that lists have.
  var custom: (field: String, comparison: String, value: String) { (fields["field"], fields["op"], fields["value"]) }

  /// `WHERE field op value …`.
  var conditions: [String] {
    var words: [String] = []
    func add(_ field: String, _ comparison: String, _ value: String) { words += ["WHERE", field, comparison, value] }
    if !isEverywhere { add("workspace", "=", workspace) }
    if !status.isEmpty { add("status", "=", status) }
    if !product.isEmpty { add("product", "=", product) }
    if !role.isEmpty { add("role", "=", role) }
    if !department.isEmpty { add("department", "=", department) }
    if dormant == "never" {
      add("last-login", "=", "")
    } else if let days = Int64(dormant), (1...36500).contains(days) {
      add("last-login", "<", String(now - days * TimeText.day))
    }
    if !custom.field.isEmpty { add(custom.field, custom.comparison.isEmpty ? "=" : custom.comparison, custom.value) }
    return words
  }

  // MARK: Columns, order, pages

  var columns: [String] {
    let chosen = fields.all("column").filter { !$0.isEmpty && $0.utf8.count <= 128 }
    return chosen.isEmpty ? Self.usual : Array(chosen.prefix(30))
  }

  var hasChosenColumns: Bool { !fields.all("column").isEmpty }
  /// By last name unless something else is asked for: the index has that order. Where a condition makes the server look at
  /// everybody, the first who are found are shown, in no order, because a page in order would need all of them.
  var sort: String { fields["sort"].nonEmpty ?? (isIndexed ? "last" : "") }
  private var isIndexed: Bool { department.isEmpty && dormant.isEmpty && custom.field.isEmpty && status != "deleted" }
  var isDescending: Bool { fields["desc"] == "1" }
  var size: String { Self.sizes.contains(fields["size"]) ? fields["size"] : "50" }
  var cursor: String { fields["cursor"] }

  /// The command that lists them; status and id are always there.
  var command: [String] { command(from: cursor, count: size) }

  func command(from cursor: String, count: String) -> [String] {
    var words = ["USER.LIST"] + conditions
    if !sort.isEmpty { words += ["SORT", sort] }
    if !sort.isEmpty, isDescending { words.append("DESC") }
    if !cursor.isEmpty { words += ["CURSOR", cursor] }
    let shown = ["id", "username", "status"] + columns.filter { !["id", "username", "status"].contains($0) }
    return words + ["COUNT", count, "FIELDS", String(shown.count)] + shown
  }

  // MARK: Addresses

  /// What stands in the address but for the page that is shown.
  var pairs: [(name: String, value: String)] { fields.pairs.filter { $0.name != "cursor" && !$0.value.isEmpty } }

  /// The same list on another page, or from its beginning.
  func address(cursor: String?) -> Address { PeoplePages.address.adding(pairs).adding("cursor", cursor) }

  /// The same list in the order of a column; once more turns it round.
  func address(sortedBy column: String) -> Address? {
    guard Self.sortable.contains(column) else { return nil }
    let column = Self.key(of: column)
    let rest = pairs.filter { $0.name != "sort" && $0.name != "desc" }
    let turns = sort == column && !isDescending
    return PeoplePages.address.adding(rest).adding("sort", column).adding("desc", turns ? "1" : nil)
  }

  /// The field that orders a column: names are in the order of last names, for which there is an index.
  private static func key(of column: String) -> String { column == "name" ? "last" : column }

  /// The order in words.
  var orderText: String {
    guard !sort.isEmpty else { return ", in no order; a heading sorts them" }
    let title = sort == "last" ? "last name" : Self.columns.first { $0.name == sort }?.title.lowercased() ?? sort
    return ", by \(title)" + (isDescending ? " backwards" : "")
  }

  func order(of column: String) -> Table.Column.Order? {
    guard sort == Self.key(of: column) else { return nil }
    return isDescending ? .descending : .ascending
  }

  /// As one text, for a hidden field or a saved view.
  var text: String { String(address(cursor: nil).text.dropFirst(PeoplePages.address.text.count).drop { $0 == "?" }) }
}
