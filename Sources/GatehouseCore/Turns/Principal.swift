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
  /// The roles that hold everywhere: of an impersonation, those that both have (rights are the lesser of both).
  public let roles: RoleSet
  public let isImpersonation: Bool
  /// The workspace that an impersonation is bound to (K4).
  public let boundTo: WorkspaceID?
  /// The workspaces and products that the user administers without being an administrator of everything (T7).
  public var administers: [Scope] = []

  public init(
    session: SessionID, actor: UserID, subject: UserID, roles: RoleSet, isImpersonation: Bool, boundTo: WorkspaceID?
  ) {
    self.session = session
    self.actor = actor
    self.subject = subject
    self.roles = roles
    self.isImpersonation = isImpersonation
    self.boundTo = boundTo
  }

  public var isAdministrator: Bool {
    roles.contains(.trainingAdministrator) || roles.contains(.superAdministrator)
  }

  public var isSuperAdministrator: Bool { roles.contains(.superAdministrator) }
}

/// The connection a command came on, as far as decisions go.
public struct ConnectionFacts: Sendable {
  public var id: UInt64
  /// nil before authentication.
  public var service: ServiceID?
  public var rights: ServiceRights

  public init(id: UInt64, service: ServiceID?, rights: ServiceRights) {
    self.id = id
    self.service = service
    self.rights = rights
  }
}
