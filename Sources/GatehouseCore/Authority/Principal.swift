/// On whose authority a command runs.
public enum Principal: Sendable {
  /// An application on its own authority.
  case service(ServiceID, ServiceRights)
  /// A user's session, or an impersonation, in which actor and subject differ.
  case user(UserPrincipal)

  /// Who really acts: the actor of an impersonation.
  public var actor: UserID? {
    if case .user(let user) = self { user.actor } else { nil }
  }

  /// On whose behalf.
  public var subject: UserID? {
    if case .user(let user) = self { user.subject } else { nil }
  }
}

public struct UserPrincipal: Sendable {
  public let actor: UserID
  public let subject: UserID
  public let isImpersonation: Bool
  /// Whether an API key says so, and not a session.
  public let isByKey: Bool
  /// The workspace that an impersonation is bound to (K4).
  public let boundTo: WorkspaceID?
  /// Why an impersonation was begun; empty otherwise.
  var reason = ""
  /// Whether it is a session that a temporary password has opened (P13).
  var mustChangePassword = false
  /// All whose rights the command needs, including the service if it is bound.
  let sides: [Side]
}

/// What decisions know about the connection of a command.
public struct ConnectionFacts: Sendable {
  public var id: UInt64
  /// nil before authentication.
  public var service: ServiceID?
  public var rights: ServiceRights
  /// Whether the service is bound to workspaces or products (W6).
  public var isBound: Bool
  /// Whether it is no service, but the server itself, by one of its own doors.
  public var isServer: Bool

  public init(
    id: UInt64, service: ServiceID?, rights: ServiceRights, isBound: Bool = false, isServer: Bool = false
  ) {
    self.id = id
    self.service = service
    self.rights = rights
    self.isBound = isBound
    self.isServer = isServer
  }
}
