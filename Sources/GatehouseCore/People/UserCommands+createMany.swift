/// P5: several users in one command, all or none.
extension CommandTable {
  static let createManyCommands: [CommandSpec] = [
    CommandSpec(
      "USER.CREATEMANY", .people, "Add several users, all or none, as one record",
      [
        .option("WORKSPACE", "workspace"), .counted("FIELDS", "field", isOptional: false),
        .counted("ROWS", "value", isOptional: false, secretBeside: NewUserPassword.secretColumns), .flag("WITHIN"),
        .flag("NOINVITE"), .option("MESSAGE", "text"), .flag("ACCEPT-BILLING"),
      ],
      reply: "an array of maps `id, contact, username, status`, in the order of the rows. FIELDS names what each row"
        + " has: `username`, options of USER.CREATE in lower case, and fields of the workspace; `product`, `role` and"
        + " `licence` may be there several times, and a licence is `product:type`. ROWS are the values, one row after the"
        + " other; an empty one says nothing. \(NewUserRows.cells.keys.sorted().joined(separator: ", ")) are cells as"
        + " `gatehousectl import` takes them, with their marks; `manages` may name users of other rows. At most"
        + " \(Limits.usersOfCreateMany) rows, \(Limits.passwordsOfCreateMany) of"
        + " them with a `password`; a refusal names the row",
      effect: .write, rights: .admin, needs: .permission(.userCreate, over: .namedWorkspace), route: .directory,
      body: .decide(userCreateMany))
  ]

  @Sendable private static func userCreateMany(_ turn: Turn) throws(Halt) {
    let rows = try NewUserRows(turn)
    // Held at once, because the decision starts over with each owner that is missing.
    try turn.hold(rows.partitions(turn))
    turn.reply.array(rows.count)
    var ids: [UserID] = []
    try turn.hashingTogether { () throws(Halt) in
      for row in 0..<rows.count {
        try rows.naming(row) { () throws(Halt) in
          let before = turn.changes.count
          try turn.performInside(try rows.command(row)) {}
          let created = turn.changes[before...].lazy.compactMap { $0.as(UserCreated.self) }.first
          ids.append(created?.user ?? UserID.none)
        }
      }
    }
    for row in 0..<rows.count {
      try rows.naming(row) { () throws(Halt) in try rows.link(row, ids, turn) }
    }
  }
}

/// The words of `USER.CREATEMANY`, as one `USER.CREATE` for each row.
private struct NewUserRows {
  private let fields: [String]
  private let values: [String]
  private let workspace: Workspace
  /// The options that hold for all rows, but for `WITHIN`.
  private let shared: [String]
  private let isWithin: Bool
  /// The rows by their usernames.
  private let users: [String: Int]

  var count: Int { values.count / fields.count }

  init(_ turn: Turn) throws(Halt) {
    workspace = try turn.workspace()
    fields = (try turn.options("FIELDS").first ?? []).map(\.folded)
    values = try turn.options("ROWS", limit: Limits.cellBytes).first ?? []
    var shared = ["WORKSPACE", workspace.name]
    for flag in ["NOINVITE", "ACCEPT-BILLING"] where turn.has(flag) { shared.append(flag) }
    if let message = try turn.option("MESSAGE") { shared += ["MESSAGE", message] }
    self.shared = shared
    isWithin = turn.has("WITHIN")
    let name = fields.firstIndex(of: "username")
    var users: [String: Int] = [:]
    if let name, !fields.isEmpty {
      for row in 0..<values.count / fields.count {
        users[FoldedName(values[row * fields.count + name]).text] = row
      }
    }
    self.users = users
    guard values.count.isMultiple(of: fields.count) else {
      throw .refused(
        .syntax(
          "\(values.count) values are no whole rows of \(fields.count) fields; give a value for every field of every row"
        ))
    }
    guard values.count / fields.count <= Limits.usersOfCreateMany else {
      throw .refused(.limit("rows: at most \(Limits.usersOfCreateMany) users in one command"))
    }
    try checkFields(turn)
    if let column = fields.firstIndex(of: NewUserPassword.column) {
      guard (0..<count).count(where: { !value($0, column).isEmpty }) <= Limits.passwordsOfCreateMany else {
        throw .refused(
          .limit("rows: at most \(Limits.passwordsOfCreateMany) users with a password in one command; give fewer rows"))
      }
    }
    try requireDifferent()
  }

  private func value(_ row: Int, _ column: Int) -> String { values[row * fields.count + column] }

  /// Says of a refusal which row it is about.
  func naming(_ row: Int, _ body: () throws(Halt) -> Void) throws(Halt) {
    do throws(Halt) {
      try body()
    } catch {
      guard case .refused(let refusal) = error else { throw error }
      throw .refused(Refusal(refusal.code, "row \(row + 1): \(refusal.message)"))
    }
  }

  /// The `USER.CREATE` of a row.
  func command(_ row: Int) throws(Halt) -> [String] {
    var username = ""
    var words: [String] = []
    let given = try ties(row)
    for (column, field) in fields.enumerated() {
      let value = value(row, column)
      if field == "username" {
        username = value
      } else if !value.isEmpty, Self.cells[field] == nil, given == nil || field != "account" {
        words += try Self.words(field, value)
      }
    }
    guard let ties = given else { return ["USER.CREATE", username] + shared + within + words }
    // Roles in a cell say themselves over what they are.
    return ["USER.CREATE", username] + shared + (ties.roles.isEmpty ? within : []) + words
      + ties.words(linking: { users[FoldedName($0.name).text] == nil })
  }

  private var within: [String] { isWithin ? ["WITHIN"] : [] }

  // MARK: Cells

  /// The columns of a file of people that have several values in a cell, with marks.
  static let cells = Dictionary(
    uniqueKeysWithValues: PersonColumn.ofUsers.filter { $0.form != nil }.map { ($0.name, $0) })

  /// What the cells of a row say; nil if it has none, or they are empty.
  private func ties(_ row: Int) throws(Halt) -> PersonTies? {
    var texts: [PersonColumn: String] = [:]
    for (column, field) in fields.enumerated() {
      let value = value(row, column)
      if !value.isEmpty, let cell = Self.cells[field] ?? (field == "account" ? PersonColumn.account : nil) {
        texts[cell] = value
      }
    }
    guard texts.keys.contains(where: { $0 != .account }) else { return nil }
    do throws(ColumnFault) {
      return try PersonTies(in: workspace.name) { texts[$0] }
    } catch {
      throw .refused(.syntax("\(error.column.name): \(error.reason)", of: error.column.name))
    }
  }

  /// Has the user of a row look after those of other rows. It gives no right over them (L9).
  ///
  /// - Parameter ids: those of the new users, by row.
  func link(_ row: Int, _ ids: [UserID], _ turn: Turn) throws(Halt) {
    guard let given = try ties(row) else { return }
    var linked: Set<Int> = []
    for value in given.managed where value.kind == .user {
      guard let other = users[FoldedName(value.name).text] else { continue }
      guard other != row else { throw .refused(.syntax("manages: nobody looks after themselves", of: "manages")) }
      if !linked.insert(other).inserted { continue }
      guard given.managed.count <= Limits.managementOfUser else {
        throw .refused(.limit("management: a user looks after at most \(Limits.managementOfUser)"))
      }
      try turn.require(.employmentManage, over: Site.workspace(workspace.id))
      turn.emit(ManagementAdded(ids[row], ManagementLink(.user(ids[other]), in: workspace.id)))
    }
  }

  private static func words(_ field: String, _ value: String) throws(Halt) -> [String] {
    switch field {
    case "licence":
      let parts = value.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw .refused(.syntax("the licence '\(value)' does not say of which product; write product:\(value)"))
      }
      return ["LICENCE"] + parts
    case UserField.authority.name, UserField.restrictBookings.name:
      return try Turn.value(value, of: UserField(name: field) ?? .authority) == "1" ? [field.uppercased()] : []
    default: return options.contains(field) ? [field.uppercased(), value] : ["FIELD", field, value]
    }
  }

  /// What says the same as a cell, without marks.
  private static let plain = [("product", "products"), ("licence", "licences"), ("role", "roles")]

  /// What a row can have several of.
  private static let repeating: Set<String> = ["product", "licence", "role"]
  /// The options of `USER.CREATE` that a row can give.
  private static let options: Set<String> =
    Set(ContactCard.options.compactMap { $0.token?.lowercased() })
    .union(["contact", "status", "product", "licence", "role", "account", "initials", "reference", "division"])
    .union([
      UserField.authority.name, UserField.restrictBookings.name, NewUserPassword.column, NewUserPassword.hashColumn,
    ])

  /// An unknown name is refused before any row is looked at.
  private func checkFields(_ turn: Turn) throws(Halt) {
    guard fields.contains("username") else { throw .refused(.syntax("FIELDS must name username")) }
    var seen: Set<String> = []
    for field in fields {
      guard seen.insert(field).inserted || Self.repeating.contains(field) else {
        throw .refused(.syntax("FIELDS names \(field) twice"))
      }
      if field != "username", !Self.options.contains(field), Self.cells[field] == nil {
        _ = try turn.field(named: field, in: workspace)
      }
    }
    if let both = Self.plain.first(where: { seen.contains($0.0) && seen.contains($0.1) }) {
      throw .refused(.syntax("FIELDS names \(both.0) and \(both.1), which say the same; give one of them"))
    }
  }

  /// Compares the rows with each other, because the state does not have them yet.
  private func requireDifferent() throws(Halt) {
    try requireDifferent("username") { FoldedName($0).text }
    // One id has several spellings.
    try requireDifferent("contact") { Self.contact($0).map { String($0.raw) } ?? $0 }
    if workspace.policies.requiredFields.contains("reference") { try requireDifferent("reference") { $0.folded } }
    try requireDifferent(PersonColumn.provisioned.name, in: ProvisionedValue.externalID) { Self.externalID(in: $0) }
  }

  /// - Parameters:
  ///   - part: what of a cell is compared; nil for all of it.
  ///   - key: what is the same of two values that mean the same; nil where there is none.
  private func requireDifferent(
    _ field: String, in part: String? = nil, by key: (String) -> String?
  ) throws(Halt) {
    guard let column = fields.firstIndex(of: field) else { return }
    var rows: [String: Int] = [:]
    for row in 0..<count {
      let text = value(row, column)
      guard !text.isEmpty, let key = key(text), let other = rows.updateValue(row, forKey: key) else { continue }
      let same = part.map { "\($0) " } ?? ""
      throw .refused(
        .conflict(
          "\(field): row \(row + 1) has the same \(same)as row \(other + 1), \(part == nil ? text : key)"))
    }
  }

  /// Cells that cannot be read are refused with their row.
  private static func externalID(in cell: String) -> String? {
    (try? PersonColumn.provisioned(in: cell))?.first { $0.attribute == ProvisionedValue.externalID }?.value
  }

  private static func contact(_ text: String) -> ContactID? {
    var text = text
    return text.withUTF8 { Turn.identifier(UnsafeRawBufferPointer($0)) }.map { ContactID(raw: $0) }
  }

  /// The partitions of all names, and of the contacts that are named.
  func partitions(_ turn: Turn) -> Set<Int> {
    var partitions: Set<Int> = []
    for (column, field) in fields.enumerated() {
      for row in 0..<count {
        let text = value(row, column)
        switch field {
        case "username": partitions.insert(NameKey(text, turn.partitioning).partition)
        case "contact":
          if let contact = Self.contact(text) { partitions.insert(turn.partitioning.partition(of: contact)) }
        default: break
        }
      }
    }
    return partitions
  }
}
