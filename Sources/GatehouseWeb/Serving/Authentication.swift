import FoundationEssentials
import GatehouseCore
import GatehouseServer
import GatehouseWire
import HTTPTypes
import Hummingbird

/// Who sends a request (`Authorization`).
struct Authentication {
  /// What a request shows.
  enum Credentials: Equatable {
    case none
    /// A service's secret, or the token of a user's session.
    case bearer(String)
    /// For clients that know only names and passwords: a service's name and secret.
    case basic(name: String, secret: String)
    /// The header is there, but says nothing that is understood.
    case malformed
  }

  let door: CommandDoor

  static func credentials(_ request: Request) -> Credentials {
    guard let header = request.headers[.authorization] else { return .none }
    let words = header.split(separator: " ", maxSplits: 1).map { $0.trimmingPrefix(while: { $0 == " " }) }
    guard words.count == 2, !words[1].isEmpty else { return .malformed }
    switch words[0].lowercased() {
    case "bearer": return .bearer(String(words[1]))
    case "basic":
      guard let data = Data(base64Encoded: String(words[1])), let text = String(bytes: data, encoding: .utf8) else {
        return .malformed
      }
      let parts = text.parts(separatedBy: ":", most: 2)
      return parts.count == 2 ? .basic(name: parts[0], secret: parts[1]) : .malformed
    default: return .malformed
    }
  }

  /// The service that sends a request: by its secret, its certificate, or `local`.
  ///
  /// - Throws: `Problem` 401 if there is none.
  func service(_ request: Request, _ context: WebContext) async throws -> Caller {
    switch Self.credentials(request) {
    case .none: try anonymous(request, context)
    case .malformed: throw Problem.malformedAuthorization
    case .bearer(let secret): try await service(secret: secret, request, context)
    case .basic(let name, let secret): try await service(name, secret: secret, request, context)
    }
  }

  /// Who a request is from that shows no secret: the service of its certificate, or `local`, which may do everything.
  ///
  /// A page of somebody else's may point its own name to this machine (DNS rebinding), and then have a browser here ask for
  /// it. So `local` is only who asks for this machine by its own name.
  func anonymous(_ request: Request, _ context: WebContext) throws -> Caller {
    let caller = try withoutSecret(context)
    guard !caller.service.isEmpty || isThisMachine(request, context) else {
      throw Problem.unauthenticated
    }
    return caller
  }

  /// The same, for answers that tell nothing without a user's token, whatever name a proxy has asked for.
  func withoutSecret(_ context: WebContext) throws -> Caller {
    guard let result = door.callerWithoutSecret(context.connection) else { throw Problem.unauthenticated }
    return try caller(result)
  }

  /// Whether a request comes from this machine, and asks for it by its own name.
  func isThisMachine(_ request: Request, _ context: WebContext) -> Bool {
    Self.isThisMachine(request.head.authority ?? "") && !ClientAddress.isElsewhere(request, context, door.configuration)
  }

  /// Whether a host is this machine, by one of its names.
  static func isThisMachine(_ host: String) -> Bool {
    let name = host.hasPrefix("[") ? host.head(before: "]") + "]" : host.head(before: ":")
    return ["localhost", "127.0.0.1", "[::1]"].contains(name.lowercased())
  }

  func service(
    _ name: String? = nil, secret: String, _ request: Request, _ context: WebContext
  ) async throws -> Caller {
    let client = ClientAddress.of(request, context, door.configuration)
    return try caller(await door.caller(name: name, secret: secret, context.connection, from: client))
  }

  private func caller(_ result: Result<Caller, Refusal>) throws -> Caller {
    switch result {
    case .success(let caller): return caller
    case .failure(let refusal): throw Problem(error: refusal.text)
    }
  }
}
