import GatehouseCore
import GatehouseStorage

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
    let products = products(row)
    for product in products {
      request.add("PRODUCT")
      request.add(product)
    }
    for licence in try licences(row, products) {
      request.add("LICENCE")
      request.add(licence.product)
      request.add(licence.type)
    }
    let roles = roles(row)
    for role in roles {
      request.add("ROLE")
      request.add(role.name)
    }
    // An import into a workspace gives nobody power over others, unless the row says so.
    let wide = roles.count(where: \.isWide)
    if wide == 0, !roles.isEmpty { request.add("WITHIN") }
    guard wide == 0 || wide == roles.count else {
      throw RowFault(
        column: row.cell(.roles)?.source.header,
        reason: "one command gives roles in the workspace, or everywhere; give the others with ROLE.GRANT")
    }
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
    for cell in row.cells where cell.source.optionWords > 0 {
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

  // MARK: Several words in one cell

  struct Licence {
    let product: String
    let type: String
  }

  func products(_ row: PersonRow) -> [String] {
    let words = row.words(.products)
    return words.isEmpty ? settings.products : words
  }

  struct Role {
    /// What is written behind the name of a role that holds everywhere, and not in the workspace.
    static let wideMark = "@everywhere"

    let name: String
    let isWide: Bool

    init(_ word: String) {
      isWide = word.hasSuffix(Self.wideMark)
      name = isWide ? String(word.dropLast(Self.wideMark.count)) : word
    }
  }

  func roles(_ row: PersonRow) -> [Role] {
    let words = row.words(.roles)
    return (words.isEmpty ? settings.roles : words).map(Role.init)
  }

  /// Each is `product:type`, or the type alone in a row with one product.
  func licences(_ row: PersonRow, _ products: [String]) throws(RowFault) -> [Licence] {
    var licences: [Licence] = []
    for word in row.words(.licences) {
      let parts = word.split(separator: ":", maxSplits: 1).map(String.init)
      if parts.count == 2 {
        licences.append(Licence(product: parts[0], type: parts[1]))
      } else if products.count == 1 {
        licences.append(Licence(product: products[0], type: word))
      } else {
        throw RowFault(
          column: row.cell(.licences)?.source.header,
          reason: "the licence '\(word)' does not say of which product; write product:\(word)")
      }
    }
    return licences
  }
}
