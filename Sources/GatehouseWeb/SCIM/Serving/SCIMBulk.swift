import HTTPTypes

/// `/Bulk` (RFC 7644, section 3.7): operations one after another, each by itself. An operation may name what another one
/// makes by `bulkId:…`; it waits for that one.
struct SCIMBulk {
  static let mostOperations = 1000
  static let mostBytes = 1024 * 1024

  struct Operation {
    let index: Int
    let method: HTTPRequest.Method
    let path: String
    let bulkID: String?
    let version: String?
    let data: JSON

    /// The bulk ids that it names.
    fileprivate var references: Set<String> {
      var found: Set<String> = []
      SCIMBulk.collect(data, into: &found)
      for part in path.split(separator: "/") where part.hasPrefix("bulkId:") { found.insert(String(part.dropFirst(7))) }
      return found
    }
  }

  /// What one operation did.
  struct Outcome {
    let status: HTTPResponse.Status
    var id: String?
    var location: String?
    var version: String?
    var error: SCIMError?
  }

  let operations: [Operation]
  /// After so many errors the rest is left undone; 0 for never.
  let mostErrors: Int

  init(_ body: JSON) throws(SCIMError) {
    guard let list = body[any: "Operations"]?.array else {
      throw .invalid(.invalidSyntax, "the body has no Operations")
    }
    guard list.count <= Self.mostOperations else {
      throw SCIMError(
        .contentTooLarge, .tooMany, "more than \(Self.mostOperations) operations; send them in several requests")
    }
    mostErrors = try Self.mostErrors(body[any: "failOnErrors"])
    var operations: [Operation] = []
    var known: Set<String> = []
    for (index, item) in list.enumerated() {
      let name = item[any: "method"]?.string?.uppercased() ?? ""
      guard ["POST", "PUT", "PATCH", "DELETE"].contains(name), let method = HTTPRequest.Method(name) else {
        throw .invalid(.invalidSyntax, "operation \(index + 1): method must be POST, PUT, PATCH or DELETE")
      }
      guard let path = item[any: "path"]?.string, !path.isEmpty else {
        throw .invalid(.invalidSyntax, "operation \(index + 1) has no path")
      }
      let bulkID = item[any: "bulkId"]?.string
      if let bulkID, !known.insert(bulkID).inserted {
        throw .invalid(.invalidSyntax, "two operations have the bulkId \(bulkID)")
      }
      if method == .post, bulkID == nil {
        throw .invalid(.invalidSyntax, "operation \(index + 1): a POST needs a bulkId")
      }
      operations.append(
        Operation(
          index: index, method: method, path: path, bulkID: bulkID, version: item[any: "version"]?.string,
          data: item[any: "data"] ?? .null))
    }
    self.operations = operations
  }

  private static func mostErrors(_ value: JSON?) throws(SCIMError) -> Int {
    switch value {
    case nil, .null: return 0
    case .integer(let number) where number >= 1: return Int(clamping: number)
    default: throw .invalid(.invalidValue, "failOnErrors is a number of errors, at least 1; leave it out for no limit")
    }
  }

  /// Carries out all operations.
  ///
  /// - Parameter perform: carries out one, in which no bulk id is left.
  func run(_ perform: (Operation) async -> Outcome) async -> JSON {
    var outcomes: [Int: Outcome] = [:]
    var ids: [String: String] = [:]
    var order = SCIMBulkOrder(operations.map { ($0.bulkID, $0.references) })
    var errors = 0
    while mostErrors == 0 || errors < mostErrors, let next = order.next {
      let operation = operations[next]
      let outcome: Outcome
      if let missing = order.references[next].filter({ ids[$0] == nil }).min() {
        let error = SCIMError(.conflict, .invalidValue, "nothing was made under bulkId:\(missing)")
        outcome = Outcome(status: error.status, error: error)
      } else {
        outcome = await perform(operation.resolved(ids))
      }
      if outcome.error != nil { errors += 1 }
      if let bulkID = operation.bulkID, let id = outcome.id { ids[bulkID] = id }
      outcomes[next] = outcome
      order.finish(next, hasMade: outcome.id != nil)
      // Other requests have their turn between two operations.
      await Task.yield()
    }
    let shown = operations.compactMap { operation in outcomes[operation.index].map { Self.json(operation, $0) } }
    return .object([("schemas", .array([.string(SCIMSchemas.bulkResponse)])), ("Operations", .array(shown))])
  }

  private static func json(_ operation: Operation, _ outcome: Outcome) -> JSON {
    var members: [JSON.Member] = [("method", .string(operation.method.rawValue))]
    if let bulkID = operation.bulkID { members.append(("bulkId", .string(bulkID))) }
    if let location = outcome.location { members.append(("location", .string(location))) }
    if let version = outcome.version { members.append(("version", .string(version))) }
    members.append(("status", .string(String(outcome.status.code))))
    if let error = outcome.error { members.append(("response", error.json)) }
    return .object(members)
  }

  // MARK: Bulk ids

  fileprivate static func collect(_ value: JSON, into found: inout Set<String>) {
    switch value {
    case .string(let text): if text.hasPrefix("bulkId:") { found.insert(String(text.dropFirst(7))) }
    case .array(let elements): for element in elements { collect(element, into: &found) }
    case .object(let members): for member in members { collect(member.value, into: &found) }
    case .null, .bool, .integer, .number, .decimal: break
    }
  }

  fileprivate static func resolve(_ value: JSON, _ ids: [String: String]) -> JSON {
    switch value {
    case .string(let text):
      text.hasPrefix("bulkId:") ? ids[String(text.dropFirst(7))].map { .string($0) } ?? value : value
    case .array(let elements): .array(elements.map { resolve($0, ids) })
    case .object(let members): .object(members.map { ($0.name, resolve($0.value, ids)) })
    case .null, .bool, .integer, .number, .decimal: value
    }
  }
}

extension SCIMBulk.Operation {
  fileprivate func resolved(_ ids: [String: String]) -> SCIMBulk.Operation {
    let parts = path.split(separator: "/").map { part in
      part.hasPrefix("bulkId:") ? ids[String(part.dropFirst(7))] ?? String(part) : String(part)
    }
    return SCIMBulk.Operation(
      index: index, method: method, path: "/" + parts.joined(separator: "/"), bulkID: bulkID, version: version,
      data: SCIMBulk.resolve(data, ids))
  }
}
