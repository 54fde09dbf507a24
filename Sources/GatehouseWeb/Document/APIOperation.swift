import HTTPTypes

/// What `/openapi.json` says of one route. Each family of routes describes its own, beside its handlers.
struct APIOperation: Sendable {
  /// Who may ask.
  enum Authentication: Sendable {
    case nobody
    /// A service, by its secret or certificate.
    case service
    /// A user, by the token of a session.
    case session
    /// A service or a user.
    case either

    /// The names of the security schemes in the document; nil for none that is shown, such as a certificate.
    fileprivate var schemes: [String?] {
      switch self {
      case .nobody: []
      case .service: ["secret", "password", nil]
      case .session: ["session"]
      case .either: ["secret", "password", "session", nil]
      }
    }
  }

  struct Parameter: Sendable {
    enum Place: String, Sendable {
      case query, header, path, cookie
    }

    let name: String
    let place: Place
    let description: String
    var isRequired = false
    var schema = JSON.type("string")
  }

  /// A body, of a request or an answer.
  struct Content: Sendable {
    let mediaType: String
    let schema: JSON

    static let text = Content(mediaType: "text/plain", schema: .type("string"))

    static let problem = Content(mediaType: "application/problem+json", schema: .type("object"))

    static func json(_ schema: JSON) -> Content { Content(mediaType: "application/json", schema: schema) }
  }

  struct Header: Sendable {
    let name: String
    let description: String
  }

  struct Answer: Sendable {
    let status: Int
    let description: String
    var contents: [Content] = []
    var headers: [Header] = []
  }

  let method: HTTPRequest.Method
  /// As the router has it: `/scim/v2/Users/{id}`.
  let path: String
  let tag: String
  let summary: String
  var description: String?
  var authentication = Authentication.service
  /// Those in the path need not be listed.
  var parameters: [Parameter] = []
  var body: [Content] = []
  /// Answers that are not errors, and errors that need a word of their own. All others are problems (RFC 9457).
  let answers: [Answer]
  /// What errors are written as, where a standard has a form of its own; else they are problems.
  var refusal: Content?
  /// The statuses of errors, where they are known one by one; else the document says `default`.
  var refusals: [Int] = []
}

// MARK: As JSON

extension APIOperation {
  var json: JSON {
    var members: [JSON.Member] = [
      ("tags", .array([.string(tag)])), ("operationId", .string(identifier)), ("summary", .string(summary)),
    ]
    if let description { members.append(("description", .string(description))) }
    let schemes = authentication.schemes.map { name in JSON.object(name.map { [($0, .array([]))] } ?? []) }
    members.append(("security", .array(schemes)))
    let all = pathParameters + parameters
    if !all.isEmpty { members.append(("parameters", .array(all.map(\.json)))) }
    if !body.isEmpty {
      members.append(("requestBody", .object([("required", .bool(true)), ("content", Self.json(body))])))
    }
    let answers = answers.map { answer in
      var members: [JSON.Member] = [("description", .string(answer.description))]
      if !answer.headers.isEmpty {
        let headers = answer.headers.map { header in
          (
            header.name,
            JSON.object([("description", .string(header.description)), ("schema", .type("string"))])
          )
        }
        members.append(("headers", .object(headers)))
      }
      if !answer.contents.isEmpty { members.append(("content", Self.json(answer.contents))) }
      return ("\(answer.status)", JSON.object(members))
    }
    let problem = JSON.object([("$ref", .string("#/components/responses/Problem"))])
    let own = refusal.map { content in
      JSON.object([("description", .string("what was wrong")), ("content", Self.json([content]))])
    }
    let known = Set(self.answers.map(\.status))
    let errors = refusals.isEmpty ? ["default"] : refusals.filter { !known.contains($0) }.map(String.init)
    members.append(("responses", .object(answers + errors.map { ($0, own ?? problem) })))
    return .object(members)
  }

  /// `getScimV2UsersId`, unique because method and path are.
  private var identifier: String {
    let words = path.split { !$0.isLetter && !$0.isNumber }
    return method.rawValue.lowercased() + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// The parameters that the path names, as far as they are not described.
  private var pathParameters: [Parameter] {
    path.split(separator: "/").compactMap { segment in
      guard let start = segment.firstIndex(of: "{"), let end = segment.firstIndex(of: "}") else { return nil }
      let name = String(segment[segment.index(after: start)..<end])
      guard !parameters.contains(where: { $0.place == .path && $0.name == name }) else { return nil }
      return Parameter(name: name, place: .path, description: "the \(name) of what is asked for", isRequired: true)
    }
  }

  private static func json(_ contents: [Content]) -> JSON {
    .object(contents.map { ($0.mediaType, .object([("schema", $0.schema)])) })
  }
}

extension APIOperation.Parameter {
  fileprivate var json: JSON {
    .object([
      ("name", .string(name)), ("in", .string(place.rawValue)), ("description", .string(description)),
      ("required", .bool(isRequired || place == .path)), ("schema", schema),
    ])
  }
}

extension JSON {
  /// A JSON schema of one type.
  static func type(_ name: String, _ more: Member...) -> JSON { .object([("type", .string(name))] + more) }
}
