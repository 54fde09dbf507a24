/// On whose authority a command runs.
package enum Principal: Sendable {
  /// An application by itself.
  case service(ServiceID, ServiceRights)
  /// A user's session, or an impersonation: then actor and subject differ.
  case user(UserPrincipal)

  /// Who really does it: the actor of an impersonation.
  package var actor: UserID? {
    if case .user(let user) = self { user.actor } else { nil }
  }

  /// As whom it is done.
  package var subject: UserID? {
    if case .user(let user) = self { user.subject } else { nil }
  }
}

package struct UserPrincipal: Sendable {
  package let session: SessionID
  package let service: ServiceID
  /// What the application may do on whose connection the user comes.
  package let serviceRights: ServiceRights
  package let actor: UserID
  package let subject: UserID
  /// The roles that hold everywhere: of an impersonation, those that both have (rights are the lesser of both).
  package let roles: RoleSet
  package let subjectRoles: RoleSet
  package let isImpersonation: Bool
  /// The workspace that an impersonation is bound to (K4).
  package let boundTo: WorkspaceID?
  /// The workspaces and products that the user administers without being an administrator of everything (T7).
  package var administers: [Scope] = []

  package init(
    session: SessionID, service: ServiceID, serviceRights: ServiceRights, actor: UserID, subject: UserID,
    roles: RoleSet, subjectRoles: RoleSet, isImpersonation: Bool, boundTo: WorkspaceID?
  ) {
    self.session = session
    self.service = service
    self.serviceRights = serviceRights
    self.actor = actor
    self.subject = subject
    self.roles = roles
    self.subjectRoles = subjectRoles
    self.isImpersonation = isImpersonation
    self.boundTo = boundTo
  }

  package var isAdministrator: Bool {
    roles.contains(.trainingAdministrator) || roles.contains(.superAdministrator)
  }

  package var isSuperAdministrator: Bool { roles.contains(.superAdministrator) }
}

/// The connection a command came on, as far as decisions go.
package struct ConnectionFacts: Sendable {
  package var id: UInt64
  /// nil before authentication.
  package var service: ServiceID?
  package var rights: ServiceRights

  package init(id: UInt64, service: ServiceID?, rights: ServiceRights) {
    self.id = id
    self.service = service
    self.rights = rights
  }
}
