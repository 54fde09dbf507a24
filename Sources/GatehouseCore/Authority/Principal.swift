/// On whose authority a command runs.
public enum Principal: Sendable {
  /// An application by itself.
  case service(ServiceID, ServiceRights)
  /// A user's session, or an impersonation: then actor and subject differ.
  case user(UserPrincipal)

  /// Who really does it: the actor of an impersonation.
  public var actor: UserID? {
    if case .user(let user) = self { user.actor } else { nil }
  }

  /// As whom it is done.
  public var subject: UserID? {
    if case .user(let user) = self { user.subject } else { nil }
  }
}

public struct UserPrincipal: Sendable {
  public let session: SessionID
  public let actor: UserID
  public let subject: UserID
  public let isImpersonation: Bool
  /// The workspace that an impersonation is bound to (K4).
  public let boundTo: WorkspaceID?
  /// Those whose rights the command needs, the service among them where it is bound to workspaces.
  let sides: [Side]
}

/// The connection a command came on, as far as decisions go.
public struct ConnectionFacts: Sendable {
  public var id: UInt64
  /// nil before authentication.
  public var service: ServiceID?
  public var rights: ServiceRights
  /// Whether the service is bound to workspaces (W6).
  public var isBound: Bool

  public init(id: UInt64, service: ServiceID?, rights: ServiceRights, isBound: Bool = false) {
    self.id = id
    self.service = service
    self.rights = rights
    self.isBound = isBound
  }
}
