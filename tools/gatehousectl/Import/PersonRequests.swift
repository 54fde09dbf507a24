import GatehouseCore
import GatehouseStorage
import GatehouseWire

/// The requests for one row: to create the person, to find out whether an existing user already has all that the row
/// says, and to change that user.
struct PersonRequests {
  let settings: ImportSettings
  let nameFormat: String

  // MARK: Creating

  /// Refuses what the server need not be asked about.
  func create(_ row: PersonRow, isDryRun: Bool, occurrence: (Hash128) -> UInt32) throws(RowFault) -> RequestBuilder {
    for cell in row.cells {
      if let fault = cell.source.column.fault(of: cell.text) {
        throw RowFault(column: cell.source.header, reason: fault)
      }
    }
    return settings.makesContacts
      ? createContact(row, isDryRun: isDryRun, occurrence: occurrence) : try createUser(row, isDryRun: isDryRun)
  }

  private func createUser(_ row: PersonRow, isDryRun: Bool) throws(RowFault) -> RequestBuilder {
    guard let username = row.cell(.username) else { throw RowFault(column: "username", reason: "it is missing") }
    var request = RequestBuilder()
    request.add("USER.CREATE")
    request.add(username.value)
    addCells(row, to: &request)
    addReason(to: &request)
    let ties = try ties(row)
    if ties.managed.contains(where: { $0.kind == .user && $0.name.caseFolded == row.username.caseFolded }) {
      throw RowFault(column: row.cell(.manages)?.source.header, reason: "nobody looks after themselves")
    }
    for word in ties.words() { request.add(word) }
    if !settings.invites { request.add("NOINVITE") }
    if settings.acceptsBilling { request.add("ACCEPT-BILLING") }
    if isDryRun { request.add("DRYRUN") }
    return request
  }

  /// Contacts have no name by which a second import would find them, so the key of the first attempt does.
  private func createContact(
    _ row: PersonRow, isDryRun: Bool, occurrence: (Hash128) -> UInt32
  ) -> RequestBuilder {
    var request = RequestBuilder()
    request.add("CONTACT.CREATE")
    addCells(row, to: &request)
    let hash = request.words.withUnsafeBytes { Hash128(of: $0) }
    addReason(to: &request)
    if isDryRun {
      request.add("DRYRUN")
      return request
    }
    request.add("IDEM")
    request.add("import-\(hash)-\(occurrence(hash))")
    return request
  }

  private func addCells(_ row: PersonRow, to request: inout RequestBuilder) {
    request.add("WORKSPACE")
    request.add(settings.workspace)
    // The account is given with the other employments.
    for cell in row.cells where cell.source.optionWords > 0 && cell.source.column != .account {
      if cell.source.column.isFlag {
        if Turn.flag(cell.text) == true {
          request.add(encoded: cell.source.option, words: cell.source.optionWords)
        }
        continue
      }
      request.add(encoded: cell.source.option, words: cell.source.optionWords)
      request.add(cell.value)
    }
  }

  private func addReason(to request: inout RequestBuilder) {
    guard let reason = settings.reason else { return }
    request.add("REASON")
    request.add(reason)
  }

  // MARK: Existing users

  /// `USER.SET` of all fields that the row gives, or `USER.BULK` if it gives a status too, which is set with the fields or
  /// not at all; nil if it gives neither.
  func set(_ row: PersonRow, user: String, isDryRun: Bool) -> [String]? {
    var fields: [(String, String)] = []
    for cell in row.cells {
      if let field = cell.source.column.field { fields.append((field, cell.text)) }
    }
    if let text = row.text(.name) {
      let name = PersonName(typed: text, format: nameFormat)
      for (field, part) in [(ContactField.first, name.first), (.middle, name.middle), (.last, name.last)]
      where !part.isEmpty && row.cell(.contact(field)) == nil { fields.append((field.name, part)) }
    }
    let status = row.text(.status)
    guard !fields.isEmpty || status != nil else { return nil }
    let options = (settings.reason.map { ["REASON", $0] } ?? []) + (isDryRun ? ["DRYRUN"] : [])
    let words = fields.flatMap { [$0.0, $0.1] }
    guard let status else { return ["USER.SET", user] + words + options }
    return ["USER.BULK", "SET"] + words + ["status", status, "IDS", "1", user] + options
  }

  /// What is asked about a user who is there.
  struct Questions {
    fileprivate let user: [String]
    fileprivate let trial: [String]?
    fileprivate let employments: [String]?
    fileprivate let managed: [String]?

    var all: [[String]] { [user, trial, employments, managed].compactMap { $0 } }

    /// - Parameter next: the next answer, in the order of the questions.
    func answers(_ next: () throws -> RESPValue) throws -> ExistingUser.Shown {
      let user = try next()
      let trial = try self.trial.map { _ in try next() }
      let employments = try self.employments.map { _ in try next() }
      let managed = try self.managed.map { _ in try next() }
      return ExistingUser.Shown(user: user, trial: trial, employments: employments, managed: managed)
    }
  }

  func questions(about name: TakenName) -> Questions {
    func list(_ command: String, _ column: PersonColumn) -> [String]? {
      name.row.cell(column) == nil ? nil : [command, name.user, "WORKSPACE", settings.workspace]
    }
    return Questions(
      user: ["USER.GET", name.user], trial: set(name.row, user: name.user, isDryRun: true),
      employments: list("EMPLOY.LIST", .employments), managed: list("MANAGE.LIST", .manages))
  }

  // MARK: Several values in one cell

  func ties(_ row: PersonRow) throws(RowFault) -> PersonTies {
    do throws(ColumnFault) {
      return try PersonTies(
        in: settings.workspace, products: settings.products, roles: settings.roles, { row.text($0) })
    } catch {
      throw RowFault(column: row.cell(error.column)?.source.header, reason: error.reason)
    }
  }
}
