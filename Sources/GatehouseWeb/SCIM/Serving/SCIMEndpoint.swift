import HTTPTypes
import Hummingbird
import NIOCore

/// Answers the requests of one tenant.
struct SCIMEndpoint {
  let tenant: SCIMTenant
  let marks: SCIMMarks

  func answer(_ request: SCIMRequest) async throws -> Response {
    let first = request.parts.first ?? ""
    switch (request.method, first, request.parts.count) {
    case (.get, "ServiceProviderConfig", 1): return json(SCIMDiscovery(tenant: tenant).configuration())
    case (.get, "Schemas", 1...2):
      return json(try SCIMDiscovery(tenant: tenant).schemas(request.parts.dropFirst().first))
    case (.get, "ResourceTypes", 1...2):
      return json(try SCIMDiscovery(tenant: tenant).resourceTypes(request.parts.dropFirst().first))
    case (.post, ".search", 1): return try await everything(try SCIMQuery(request.body))
    case (.get, "", 0): return try await everything(try SCIMQuery(request.parameters))
    case (.post, "Bulk", 1): return try await bulk(request.body)
    case (.post, "Users", 2) where request.parts[1] == ".search": return try await users(try SCIMQuery(request.body))
    case (.post, "Groups", 2) where request.parts[1] == ".search": return try await groups(try SCIMQuery(request.body))
    case (.get, "Users", 1): return try await users(try SCIMQuery(request.parameters))
    case (.get, "Groups", 1): return try await groups(try SCIMQuery(request.parameters))
    case (_, "Users", 1...2) where allowed(at: request.parts).contains(request.method.rawValue):
      return try await user(request)
    case (_, "Groups", 1...2) where allowed(at: request.parts).contains(request.method.rawValue):
      return try await group(request)
    default:
      let address = "/scim/v2/\(request.parts.joined(separator: "/"))"
      let allowed = allowed(at: request.parts)
      if allowed.isEmpty { throw SCIMError.notFound("address \(address)") }
      throw SCIMError.wrongMethod(request.method.rawValue, address, allowed: allowed)
    }
  }

  /// The methods that an address takes; none if nothing is there.
  private func allowed(at parts: [String]) -> [String] {
    switch (parts.first ?? "", parts.count) {
    case ("", 0), ("ServiceProviderConfig", 1), ("Schemas", 1...2), ("ResourceTypes", 1...2): ["GET", "HEAD"]
    case (".search", 1), ("Bulk", 1): ["POST"]
    case ("Users", 1), ("Groups", 1): ["GET", "HEAD", "POST"]
    case ("Users", 2), ("Groups", 2):
      parts[1] == ".search" ? ["POST"] : ["GET", "HEAD", "PUT", "PATCH", "DELETE"]
    default: []
    }
  }

  // MARK: Lists

  private func users(_ query: SCIMQuery) async throws -> Response {
    json(try await SCIMUserList(tenant: tenant, marks: marks).query(query).json)
  }

  private func groups(_ query: SCIMQuery) async throws -> Response {
    json(try await SCIMGroups(tenant: tenant).query(query).json)
  }

  /// Users, and behind them groups.
  private func everything(_ query: SCIMQuery) async throws -> Response {
    guard case .index(let start) = query.position else {
      throw SCIMError.invalid(.invalidCursor, "a search over all types of resources has pages by startIndex alone")
    }
    let users = try await SCIMUserList(tenant: tenant, marks: marks).query(query)
    var rest = query
    rest.count = query.count - users.resources.count
    rest.position = .index(max(1, start - users.total))
    let groups = try await SCIMGroups(tenant: tenant).query(rest)
    let page = SCIMPage(total: users.total + groups.total, position: query.position)
    return json(page.with(users.resources + groups.resources).json)
  }

  // MARK: Users

  private func user(_ request: SCIMRequest) async throws -> Response {
    let users = SCIMUsers(tenant: tenant)
    let projection = try SCIMQuery(request.parameters).projection
    let id = request.parts.dropFirst().first
    switch (request.method, id) {
    case (.post, nil):
      let made = try await users.create(request.body)
      return shown(made, users, projection, .created)
    case (.get, let id?):
      let user = try await users.get(id)
      if let unchanged = unchanged(request, user.etag) { return unchanged }
      return shown(user, users, projection)
    case (.put, let id?):
      return shown(try await users.replace(id, request.body, ifMatch: request.ifMatch), users, projection)
    case (.patch, let id?):
      return shown(try await users.patch(id, request.body, ifMatch: request.ifMatch), users, projection)
    case (.delete, let id?):
      try await users.delete(id, ifMatch: request.ifMatch)
      return Response(status: .noContent)
    default: preconditionFailure("a method that the address does not take")
    }
  }

  /// 304 for a client that has this version already.
  private func unchanged(_ request: SCIMRequest, _ etag: String?) -> Response? {
    guard let etag, let known = request.ifNoneMatch, SCIMVersion(etag).matches(known) else { return nil }
    return Response(status: .notModified, headers: [.eTag: etag, .cacheControl: "no-store"])
  }

  private func shown(
    _ user: SCIMUserResource, _ users: SCIMUsers, _ projection: SCIMProjection,
    _ status: HTTPResponse.Status = .ok
  ) -> Response {
    var response = json(users.shown(user, projection), status)
    response.headers[.eTag] = user.etag
    response.headers[status == .created ? .location : .contentLocation] = "\(tenant.base)/Users/\(user.id)"
    return response
  }

  // MARK: Groups

  private func group(_ request: SCIMRequest) async throws -> Response {
    let groups = SCIMGroups(tenant: tenant)
    let projection = try SCIMQuery(request.parameters).projection
    let id = request.parts.dropFirst().first
    switch (request.method, id) {
    case (.post, nil): return shown(try await groups.create(request.body, projection), projection, .created)
    case (.get, let id?):
      let group = try await groups.get(id, projection)
      if let unchanged = unchanged(request, group.etag) { return unchanged }
      return shown(group, projection)
    case (.put, let id?):
      return shown(
        try await groups.replace(id, request.body, ifMatch: request.ifMatch, projection), projection)
    case (.patch, let id?):
      try await groups.patch(id, request.body, ifMatch: request.ifMatch)
      // Entra wants no content; a client that names attributes wants to see them.
      guard request.parameters.contains(where: { $0.name.isSame(as: "attributes") }) else {
        return Response(status: .noContent)
      }
      return shown(try await groups.get(id, projection), projection)
    case (.delete, let id?):
      try await groups.delete(id, ifMatch: request.ifMatch)
      return Response(status: .noContent)
    default: preconditionFailure("a method that the address does not take")
    }
  }

  private func shown(
    _ group: SCIMGroupResource, _ projection: SCIMProjection, _ status: HTTPResponse.Status = .ok
  ) -> Response {
    var response = json(projection.applied(to: group.json, SCIMSchemas.groups), status)
    if let etag = group.etag { response.headers[.eTag] = etag }
    response.headers[status == .created ? .location : .contentLocation] = "\(tenant.base)/Groups/\(group.id)"
    return response
  }

  // MARK: Bulk

  private func bulk(_ body: JSON) async throws -> Response {
    json(
      try await SCIMBulk(body).run { operation in
        do {
          return try await perform(operation)
        } catch let error as SCIMError {
          return SCIMBulk.Outcome(status: error.status, error: error)
        } catch {
          let error = SCIMError(.internalServerError, nil, "the operation could not be carried out")
          return SCIMBulk.Outcome(status: error.status, error: error)
        }
      })
  }

  private func perform(_ operation: SCIMBulk.Operation) async throws -> SCIMBulk.Outcome {
    let parts = operation.path.split(separator: "/").map(String.init)
    let id = parts.dropFirst().first
    let users = SCIMUsers(tenant: tenant)
    let groups = SCIMGroups(tenant: tenant)
    switch (operation.method, parts.first, id, parts.count) {
    case (.post, "Users", nil, 1): return outcome(try await users.create(operation.data), .created)
    case (.put, "Users", let id?, 2):
      return outcome(try await users.replace(id, operation.data, ifMatch: operation.version), .ok)
    case (.patch, "Users", let id?, 2):
      return outcome(try await users.patch(id, operation.data, ifMatch: operation.version), .ok)
    case (.delete, "Users", let id?, 2):
      try await users.delete(id, ifMatch: operation.version)
      return SCIMBulk.Outcome(status: .noContent, id: id, location: "\(tenant.base)/Users/\(id)")
    case (.post, "Groups", nil, 1): return outcome(try await groups.create(operation.data, .all), .created)
    case (.put, "Groups", let id?, 2):
      return outcome(try await groups.replace(id, operation.data, ifMatch: operation.version, .all), .ok)
    case (.patch, "Groups", let id?, 2):
      try await groups.patch(id, operation.data, ifMatch: operation.version)
      return SCIMBulk.Outcome(status: .noContent, id: id, location: "\(tenant.base)/Groups/\(id)")
    case (.delete, "Groups", let id?, 2):
      try await groups.delete(id, ifMatch: operation.version)
      return SCIMBulk.Outcome(status: .noContent, id: id, location: "\(tenant.base)/Groups/\(id)")
    default:
      throw SCIMError.invalid(
        .invalidPath, "\(operation.method.rawValue) \(operation.path) is not for Bulk: POST /Users, PATCH /Users/id")
    }
  }

  private func outcome(_ user: SCIMUserResource, _ status: HTTPResponse.Status) -> SCIMBulk.Outcome {
    SCIMBulk.Outcome(
      status: status, id: user.id, location: "\(tenant.base)/Users/\(user.id)", version: user.etag)
  }

  private func outcome(_ group: SCIMGroupResource, _ status: HTTPResponse.Status) -> SCIMBulk.Outcome {
    SCIMBulk.Outcome(
      status: status, id: group.id, location: "\(tenant.base)/Groups/\(group.id)", version: group.etag)
  }

  private func json(_ value: JSON, _ status: HTTPResponse.Status = .ok) -> Response {
    var response = Response(json: value, status: status, type: SCIMRoutes.type)
    response.headers[.cacheControl] = "no-store"
    return response
  }
}
