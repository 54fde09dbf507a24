import GatehouseCore
import GatehouseServer
import GatehouseWire
import HTTPTypes

/// The answer to one question of the Authorization API.
///
/// - `login` to a `product`: the login rules.
/// - `impersonate` a `user`: the rules of impersonation.
/// - Any permission by its name (`user.rename`) over a `user`, `workspace`, `product`, `account` or `group`, or over
///   the whole `server`.
struct AccessDecision {
  let isAllowed: Bool
  /// Why not, or more about it.
  private let context: [JSON.Member]

  var json: JSON {
    var members: [JSON.Member] = [("decision", .bool(isAllowed))]
    if !context.isEmpty { members.append(("context", .object(context))) }
    return .object(members)
  }

  /// A question that could not be answered.
  init(failed problem: Problem) {
    isAllowed = false
    let error: [JSON.Member] = [
      ("status", .integer(Int64(problem.status.code))), ("message", .string("\(problem.code) \(problem.detail)")),
    ]
    context = [("error", .object(error))]
  }

  /// - Throws: `Problem` if the question is not understood or may not be asked.
  init(_ question: JSON, _ door: CommandDoor, _ caller: Caller) async throws {
    let question = try Question(question)
    do {
      try await self.init(question, door, caller)
    } catch let problem as Problem where problem.status == .notFound {
      // Whoever or whatever is not there, or not to be seen, may do nothing, and nothing may be done to it.
      self.init(isAllowed: false, context: [("reason", .string("unknown \(problem.detail)"))])
    }
  }

  private init(isAllowed: Bool, context: [JSON.Member]) {
    self.isAllowed = isAllowed
    self.context = context
  }

  private init(_ question: Question, _ door: CommandDoor, _ caller: Caller) async throws {
    func ask(_ words: [String]) async throws -> RESPValue {
      let reply = await door.execute(words, for: caller)
      if let error = reply.errorText { throw Problem(error: error) }
      return reply
    }
    switch (question.action, question.resourceType) {
    case ("login", "product"):
      let reply = try await ask(["LOGIN.CHECK", question.subject, question.resource])
      isAllowed = reply.string == "ALLOW"
      context =
        isAllowed ? [] : Self.reasons(reply, try await ask(["LOGIN.EXPLAIN", question.subject, question.resource]))
    case ("login", _):
      isAllowed = false
      context = [("reason", .string("`login` is to a resource of the type product"))]
    case ("impersonate", "user"):
      let reply = try await ask(["IMPERSONATE.CAN", question.subject, question.resource])
      isAllowed = reply.string == "ALLOW"
      context = isAllowed ? [] : Self.reasons(reply, nil)
    case (let action, _) where Permission(name: action) == nil:
      // It is not asked about: the command could read it as one of its options.
      isAllowed = false
      context = [("reason", .string("unknown permission \(action)"))]
    default:
      let reply = try await ask(["PERMISSION.CHECK", question.subject, question.action] + question.place)
      isAllowed = reply.elements?.first?["allowed"]?.integer == 1
      context = reply.elements?.first?["detail"]?.string.map { [("reason", .string($0))] } ?? []
    }
  }

  /// The reason of `DENY reason`, and every rule.
  private static func reasons(_ denial: RESPValue, _ explanation: RESPValue?) -> [JSON.Member] {
    let reason = denial.string?.split(separator: " ").dropFirst().joined(separator: " ") ?? ""
    guard let rules = explanation?.elements else { return [("reason", .string(reason))] }
    let shown = rules.map { rule in
      let members: [JSON.Member] = [
        ("rule", rule["rule"].map(JSON.init) ?? .null), ("passed", .bool(rule["passed"]?.integer == 1)),
        ("detail", rule["detail"].map(JSON.init) ?? .null), ("remedy", rule["remedy"].map(JSON.init) ?? .null),
      ]
      return JSON.object(members)
    }
    return [("reason", .string(reason)), ("rules", .array(shown))]
  }

  /// Who would do what to what.
  struct Question {
    /// A username, or `#id`.
    let subject: String
    let action: String
    let resourceType: String
    let resource: String

    init(_ question: JSON) throws {
      subject = try Self.text(question, "subject", "id")
      guard try Self.text(question, "subject", "type") == "user" else {
        throw Problem(.badRequest, "ERR", "`subject.type` must be user; its `id` is a username or #id")
      }
      action = try Self.text(question, "action", "name")
      resourceType = try Self.text(question, "resource", "type")
      resource = try Self.text(question, "resource", "id")
      guard Self.options.keys.contains(resourceType) else {
        throw Problem(
          .badRequest, "ERR",
          "`resource.type` is one of \(Self.options.keys.sorted().joined(separator: ", ")), not \(resourceType)")
      }
    }

    /// By the type of resource, the option of `PERMISSION.CHECK` that names it; empty for the whole server.
    static let options = [
      "user": "OVER", "workspace": "WORKSPACE", "product": "PRODUCT", "account": "ACCOUNT", "group": "GROUP",
      "server": "",
    ]

    /// The words with which `PERMISSION.CHECK` names the resource.
    var place: [String] {
      let option = Self.options[resourceType] ?? ""
      return option.isEmpty ? [] : [option, resource]
    }

    private static func text(_ question: JSON, _ member: String, _ name: String) throws -> String {
      guard let text = question[member]?[name]?.string, !text.isEmpty else {
        throw Problem(.badRequest, "ERR", "`\(member).\(name)` is missing, or no text")
      }
      return text
    }
  }
}
