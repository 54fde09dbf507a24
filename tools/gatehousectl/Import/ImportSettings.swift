import GatehouseCore
import GatehouseWire

/// What an import does, besides the file.
struct ImportSettings {
  /// The home of new people.
  var workspace = "main"
  /// Products and roles of rows that name none.
  var products: [String] = []
  var roles: [String] = []
  /// Whether rows are contacts without a login.
  var makesContacts = false
  /// Whether users who are there are changed, and not refused.
  var updates = false
  /// Whether the good rows are written although others are refused.
  var keepsGoing = false
  var isDryRun = false
  var invites = false
  var acceptsBilling = false
  var reason: String?

  /// The columns that a file may have.
  var columns: [PersonColumn] { makesContacts ? PersonColumn.ofContacts : PersonColumn.ofImportedUsers }
}

/// What an import must know of its workspace.
struct WorkspaceFacts {
  /// The names of the fields that it has added.
  let fields: [String]
  let nameFormat: String
  /// Whether no two of its users have the same reference (S4).
  let hasUniqueReferences: Bool

  init(_ workspace: String, _ client: BlockingClient) throws {
    let policies = try Self.answer(client, "WORKSPACE.GET", workspace)
    nameFormat = policies["policy.contact.name-format"]?.string ?? ""
    let required = policies["policy.user.required-fields"]?.string ?? ""
    hasUniqueReferences = required.split(separator: ",").contains("reference")
    let fields = try Self.answer(client, "FIELD.LIST", "WORKSPACE", workspace)
    self.fields = (fields.elements ?? []).compactMap { $0["name"]?.string }
  }

  private static func answer(_ client: BlockingClient, _ words: String...) throws -> RESPValue {
    let reply = try client.command(words)
    if let error = reply.errorText { throw ServerRefusal(text: error) }
    return reply
  }
}
