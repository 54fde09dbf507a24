import GatehouseServer
import HTTPTypes
import Hummingbird

/// The Authorization API of AuthZEN 1.0: may this subject do this to that? `POST /access/v1/evaluation`, several at once
/// with `POST /access/v1/evaluations`, and where to find them.
struct AccessRoutes {
  private let door: CommandDoor

  init(_ door: CommandDoor) { self.door = door }

  private static let mostBytes = 1024 * 1024
  /// Questions of one request.
  private static let mostQuestions = 1000
  private static let questionsAtOnce = 16
  private static let single = "/access/v1/evaluation"
  private static let several = "/access/v1/evaluations"

  func add(to router: Router<WebContext>) {
    router.post(RouterPath(Self.single)) { request, context in
      try await answer(request, context) { question, caller in
        try await AccessDecision(question, door, caller).json
      }
    }
    router.post(RouterPath(Self.several)) { request, context in try await answer(request, context, evaluations) }
    router.get(".well-known/authzen-configuration") { request, context in
      Response(json: configuration(at: request.origin(context)))
    }
  }

  static let operations = [
    APIOperation(
      method: .post, path: single, tag: "Decisions", summary: "May this subject do this to that (AuthZEN 1.0)",
      body: [.json(question)],
      answers: [
        .init(
          status: 200, description: "`decision`, and why not in `context`",
          contents: [.json(.type("object", ("required", .array([.string("decision")]))))])
      ]),
    APIOperation(
      method: .post, path: several, tag: "Decisions", summary: "Several questions at once (AuthZEN 1.0)",
      body: [.json(questions)],
      answers: [
        .init(status: 200, description: "`evaluations`, an answer for each", contents: [.json(.type("object"))])
      ]
    ),
    APIOperation(
      method: .get, path: "/.well-known/authzen-configuration", tag: "Decisions",
      summary: "Where the Authorization API is", authentication: .nobody,
      answers: [.init(status: 200, description: "its addresses", contents: [.json(.type("object"))])]),
  ]

  /// The JSON schema of a question.
  private static var question: JSON {
    func text(_ choices: [String] = []) -> JSON {
      choices.isEmpty
        ? .type("string", ("minLength", .integer(1)))
        : .type("string", ("enum", .array(choices.map { .string($0) })))
    }
    func object(_ properties: (String, JSON)...) -> JSON {
      .type(
        "object", ("required", .array(properties.map { .string($0.0) })),
        ("properties", .object(properties.map { (name: $0.0, value: $0.1) })))
    }
    let kinds = AccessDecision.Question.options.keys.sorted()
    return .type(
      "object", ("required", .array(["subject", "action", "resource"].map { .string($0) })),
      (
        "properties",
        .object([
          ("subject", object(("type", text(["user"])), ("id", text()))), ("action", object(("name", text()))),
          ("resource", object(("type", text(kinds)), ("id", text()))),
        ])
      ))
  }

  /// The JSON schema of several questions; without any, the question of the body itself is answered.
  private static var questions: JSON {
    let several = JSON.type(
      "object", ("required", .array([.string("evaluations")])),
      ("properties", .object([("evaluations", .type("array", ("minItems", .integer(1))))])))
    return .object([("anyOf", .array([several, question]))])
  }

  private func answer(
    _ request: Request, _ context: WebContext, _ decide: (JSON, Caller) async throws -> JSON
  ) async throws -> Response {
    let caller = try await Authentication(door: door).service(request, context)
    try request.requirePlainBody()
    let question = try JSON(parsing: try await request.body.collect(upTo: Self.mostBytes))
    guard case .object = question else { throw Problem(.badRequest, "ERR", "the body must be a JSON object") }
    var response = Response(json: try await decide(question, caller))
    response.headers[.cacheControl] = "no-store"
    if let id = request.headers[.requestID] { response.headers[.requestID] = id }
    return response
  }

  // MARK: Several questions

  /// When to stop.
  private enum Semantic: String {
    case all = "execute_all"
    case untilDenied = "deny_on_first_deny"
    case untilPermitted = "permit_on_first_permit"

    init(_ options: JSON?) throws {
      switch options {
      case nil, .null:
        self = .all
        return
      case .object: break
      default: throw Problem(.badRequest, "ERR", "`options` must be a JSON object")
      }
      let given = options?["evaluations_semantic"] ?? .string(Semantic.all.rawValue)
      guard let semantic = given.string.flatMap(Semantic.init(rawValue:)) else {
        throw Problem(
          .badRequest, "ERR",
          "`evaluations_semantic` is execute_all, deny_on_first_deny or permit_on_first_permit, not \(given.text)")
      }
      self = semantic
    }

    func ends(after decision: Bool) -> Bool {
      switch self {
      case .all: false
      case .untilDenied: !decision
      case .untilPermitted: decision
      }
    }
  }

  private func evaluations(_ body: JSON, _ caller: Caller) async throws -> JSON {
    // Without a list it is one question.
    guard let questions = body["evaluations"], questions.array?.isEmpty != true else {
      return try await AccessDecision(body, door, caller).json
    }
    guard let questions = questions.array else { throw Problem(.badRequest, "ERR", "`evaluations` must be an array") }
    guard questions.count <= Self.mostQuestions else {
      throw Problem(.badRequest, "LIMIT", "`evaluations` has more than \(Self.mostQuestions) entries; ask in parts")
    }
    let semantic = try Semantic(body["options"])
    var answers: [JSON] = []
    for (index, question) in questions.enumerated() {
      // Others come in between.
      if index % Self.questionsAtOnce == Self.questionsAtOnce - 1 { await Task.yield() }
      let decision = try await decide(question.withDefaults(of: body), caller)
      answers.append(decision.json)
      if semantic.ends(after: decision.isAllowed) { break }
      // Other requests have their turn between two questions.
      await Task.yield()
    }
    return .object([("evaluations", .array(answers))])
  }

  /// One of several questions. One that cannot be answered is denied, and the others are answered.
  private func decide(_ question: JSON, _ caller: Caller) async throws -> AccessDecision {
    do {
      return try await AccessDecision(question, door, caller)
    } catch let problem as Problem where problem.status != .unauthorized && problem.status != .serviceUnavailable {
      return AccessDecision(failed: problem)
    }
  }

  // MARK: Discovery

  private func configuration(at address: String) -> JSON {
    .object([
      ("policy_decision_point", .string(address)),
      ("access_evaluation_endpoint", .string(address + Self.single)),
      ("access_evaluations_endpoint", .string(address + Self.several)),
    ])
  }
}

extension JSON {
  /// A question, with the members of the request that it leaves out itself.
  fileprivate func withDefaults(of request: JSON) -> JSON {
    .object(
      ["subject", "action", "resource", "context"].compactMap { name in
        (self[name] ?? request[name]).map { (name, $0) }
      })
  }
}

extension HTTPField.Name {
  fileprivate static let requestID = Self("X-Request-ID")!
}
