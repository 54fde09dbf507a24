import GatehouseServer
import GatehouseWire
import HTTPTypes

/// The workspace that a request is about, and who asks: a service that is bound to this workspace alone. Everything is
/// asked by commands, so whatever lies in other workspaces is out of reach by itself.
struct SCIMTenant: Sendable {
  let door: CommandDoor
  private(set) var caller: Caller
  let workspace: String
  /// Groups are account groups, not roles (`policy.scim.groups`).
  let hasAccountGroups: Bool
  let isStrict: Bool
  let takesPasswords: Bool
  /// The address of the service provider: `https://host/scim/v2`.
  let base: String
  let users: SCIMSchemaSet
  /// Who changes the same thing takes turns.
  let turns: SCIMTurns
  /// The workspace's fields by their types.
  let fieldKinds: [String: String]
  private let groupNames: DirectoryFacts<[SCIMGroupName]>

  init(_ door: CommandDoor, _ caller: Caller, base: String, _ turns: SCIMTurns) async throws {
    guard caller.isBound else {
      throw SCIMError(
        .forbidden, nil,
        "SCIM needs a service of its own that is bound to the workspace to provision:"
          + " SERVICE.CREATE name ADMIN READ WORKSPACE workspace; give the provider its secret as the bearer token")
    }
    let workspaces = try Self.answer(await door.execute(["WORKSPACE.LIST"], for: caller)).elements ?? []
    guard workspaces.count == 1, let name = workspaces[0]["name"]?.string else {
      // A service of products sees no workspace.
      let bounds = workspaces.isEmpty ? "products" : "\(workspaces.count) workspaces"
      throw SCIMError(
        .forbidden, nil,
        "the service is bound to \(bounds), and SCIM provisions one whole workspace: make a service for each with"
          + " SERVICE.CREATE name ADMIN READ WORKSPACE workspace")
    }
    try await self.init(door, caller, workspace: name, base: base, turns)
  }

  /// - Parameter workspace: one that the caller sees.
  init(
    _ door: CommandDoor, _ caller: Caller, workspace: String, base: String, _ turns: SCIMTurns = SCIMTurns()
  ) async throws {
    self.door = door
    self.turns = turns
    self.caller = caller
    self.workspace = workspace
    self.base = base
    groupNames = DirectoryFacts()
    let settings = try Self.answer(await door.execute(["WORKSPACE.GET", workspace], for: caller))
    hasAccountGroups = settings["policy.scim.groups"]?.string == "group"
    isStrict = settings["policy.scim.profile"]?.string == "strict"
    takesPasswords = settings["policy.scim.passwords"]?.string == "on"
    let required = settings["policy.user.required-fields"]?.string ?? ""
    let fields = try Self.answer(await door.execute(["FIELD.LIST", "WORKSPACE", workspace], for: caller))
    var kinds: [String: String] = [:]
    var attributes: [SCIMAttribute] = []
    for field in fields.elements ?? [] {
      guard let name = field["name"]?.string, let kind = field["type"]?.string else { continue }
      kinds[name] = kind
      attributes.append(Self.attribute(name, kind, field))
    }
    fieldKinds = kinds
    users = SCIMSchemas.users(
      fields: attributes, required: Set(required.split(separator: ",").map(String.init)))
  }

  /// The same tenant, asked about on another connection.
  func asked(by caller: Caller) -> SCIMTenant {
    var tenant = self
    tenant.caller = caller
    return tenant
  }

  private static func attribute(_ name: String, _ kind: String, _ field: RESPValue) -> SCIMAttribute {
    SCIMAttribute(name, "The field \(name) of the workspace").with {
      $0.isRequired = field["mandatory"]?.integer == 1
      switch kind {
      case "number": $0.kind = .integer
      case "flag": $0.kind = .boolean
      case "choice": $0.canonicalValues = field["choices"]?.elements?.compactMap(\.string) ?? []
      default: break
      }
    }
  }

  /// All groups of the workspace, in the order in which they were made.
  func groups() async throws -> [SCIMGroupName] {
    try await groupNames.current(door) { try await SCIMGroupName.all(in: self) }
  }

  // MARK: Commands

  /// Asks, and throws what was refused.
  func ask(_ words: String...) async throws -> RESPValue { try await ask(words) }

  func ask(_ words: [String]) async throws -> RESPValue {
    try Self.answer(await door.execute(words, for: caller))
  }

  /// Asks about something that may not be there: nil if it is not, or lies beyond the caller's reach.
  func find(_ words: String...) async throws -> RESPValue? {
    let answer = await door.execute(words, for: caller)
    if let error = answer.errorText, error.hasPrefix("NOTFOUND") || error.hasPrefix("NOPERM") { return nil }
    return try Self.answer(answer)
  }

  /// Carries out writes as one: all or none, in one record.
  ///
  /// - Parameter subject: by what the commands name the resource of the address. Only if that is not there, the answer is
  ///   404: what the body names is a wrong value.
  @discardableResult
  func write(_ commands: [[String]], about subject: String? = nil) async throws -> [RESPValue] {
    if commands.isEmpty { return [] }
    let refused: (index: Int, text: String)
    if commands.count == 1 {
      let answer = await door.execute(commands[0], for: caller)
      guard let text = answer.errorText else { return [answer] }
      refused = (0, text)
    } else {
      switch await door.execute(together: commands, for: caller) {
      case .success(let answers): return answers
      case .failure(let failure): refused = (failure.index, failure.text)
      }
    }
    let error = SCIMError(refusal: refused.text)
    let named = commands[refused.index].dropFirst().first ?? ""
    guard error.status == .notFound, named != subject else { throw error }
    throw SCIMError.invalid(.invalidValue, "there is no \(error.detail) (\(named)) any more, which the request names")
  }

  private static func answer(_ answer: RESPValue) throws -> RESPValue {
    if let text = answer.errorText { throw SCIMError(refusal: text) }
    return answer
  }
}
