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
    case (_, "Users", 1...2): return try await user(request)
    case (_, "Groups", 1...2): return try await group(request)
    case (_, "ServiceProviderConfig", _), (_, "Schemas", _), (_, "ResourceTypes", _), (_, "Bulk", _):
      throw SCIMError(.methodNotAllowed, nil, "\(request.method.rawValue) is not for /\(first)")
    default: throw SCIMError.notFound("address /scim/v2/\(request.parts.joined(separator: "/"))")
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
      if request.ifNoneMatch == user.etag { return Response(status: .notModified, headers: [.eTag: user.etag]) }
      return shown(user, users, projection)
    case (.put, let id?):
      return shown(try await users.replace(id, request.body, ifMatch: request.ifMatch), users, projection)
    case (.patch, let id?):
      return shown(try await users.patch(id, request.body, ifMatch: request.ifMatch), users, projection)
    case (.delete, let id?):
      try await users.delete(id, ifMatch: request.ifMatch)
      return Response(status: .noContent)
    default:
      throw SCIMError(.methodNotAllowed, nil, "\(request.method.rawValue) is not for /Users\(id == nil ? "" : "/id")")
    }
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
    case (.post, nil):
      let (id, group) = try await groups.create(request.body, projection)
      var response = json(group, .created)
      response.headers[.location] = "\(tenant.base)/Groups/\(id)"
      return response
    case (.get, let id?): return json(try await groups.get(id, projection))
    case (.put, let id?): return json(try await groups.replace(id, request.body, projection))
    case (.patch, let id?):
      try await groups.patch(id, request.body)
      // Entra wants no content; a client that names attributes wants to see them.
      guard request.parameters.contains(where: { $0.name.isSame(as: "attributes") }) else {
        return Response(status: .noContent)
      }
      return json(try await groups.get(id, projection))
    case (.delete, let id?):
      try await groups.delete(id)
      return Response(status: .noContent)
    default:
      throw SCIMError(.methodNotAllowed, nil, "\(request.method.rawValue) is not for /Groups\(id == nil ? "" : "/id")")
    }
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
    case (.post, "Groups", nil, 1):
      let projection = try SCIMProjection(attributes: ["id"], excluded: [])
      let (id, _) = try await groups.create(operation.data, projection)
      return SCIMBulk.Outcome(status: .created, id: id, location: "\(tenant.base)/Groups/\(id)")
    case (.put, "Groups", let id?, 2):
      _ = try await groups.replace(id, operation.data, try SCIMProjection(attributes: ["id"], excluded: []))
      return SCIMBulk.Outcome(status: .ok, id: id, location: "\(tenant.base)/Groups/\(id)")
    case (.patch, "Groups", let id?, 2):
      try await groups.patch(id, operation.data)
      return SCIMBulk.Outcome(status: .noContent, id: id, location: "\(tenant.base)/Groups/\(id)")
    case (.delete, "Groups", let id?, 2):
      try await groups.delete(id)
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

  private func json(_ value: JSON, _ status: HTTPResponse.Status = .ok) -> Response {
    var response = Response(json: value, status: status, type: SCIMRoutes.type)
    response.headers[.cacheControl] = "no-store"
    return response
  }
}
