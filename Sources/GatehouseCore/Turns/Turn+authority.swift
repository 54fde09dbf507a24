/// Who may do what. The gates of the command table come first; bodies call these for whom a command is about.
extension Turn {
  /// The user on whose authority the command runs, nil for a service.
  package var asUser: UserPrincipal? {
    if case .user(let user) = principal { user } else { nil }
  }

  /// L10: one's own data, an administrator's over all but super administrators, a super administrator's over
  /// everybody. Of an impersonation both must have the right.
  package func requireOver(_ user: UserReference) throws(Halt) {
    guard let principal = asUser else { return }
    try requireReach(of: principal, to: user)
    if principal.subject == user.id { return }
    try requireManaging(user, principal)
  }

  /// As `requireOver`, but not for oneself.
  package func requireManaging(_ user: UserReference) throws(Halt) {
    guard let principal = asUser else { return }
    try requireReach(of: principal, to: user)
    try requireManaging(user, principal)
  }

  private func requireManaging(_ user: UserReference, _ principal: UserPrincipal) throws(Halt) {
    if principal.isSuperAdministrator { return }
    guard principal.isAdministrator else {
      throw .refused(.noPermission("the role training-administrator or super-administrator"))
    }
    if user.row.roles.contains(.superAdministrator) {
      throw .refused(.noPermission("the role super-administrator, to manage a super administrator"))
    }
  }

  /// K4: a bound impersonation reaches members of its workspace only.
  private func requireReach(of principal: UserPrincipal, to user: UserReference) throws(Halt) {
    guard let workspace = principal.boundTo, principal.subject != user.id else { return }
    guard user.cell.state.isMember(user.serial, of: workspace) else {
      throw .refused(.noPermission("an impersonation outside its workspace"))
    }
  }

  /// K4: a bound impersonation acts in its workspace only.
  package func requireReach(to workspace: WorkspaceID) throws(Halt) {
    guard let bound = asUser?.boundTo, bound != workspace else { return }
    throw .refused(.noPermission("an impersonation outside its workspace"))
  }

  package func requireAdministrator() throws(Halt) {
    guard let principal = asUser, !principal.isAdministrator else { return }
    throw .refused(.noPermission("the role training-administrator or super-administrator"))
  }

  package func requireSuperAdministrator() throws(Halt) {
    guard let principal = asUser, !principal.isSuperAdministrator else { return }
    throw .refused(.noPermission("the role super-administrator"))
  }

  /// An administrator of the whole, or of this product (T7).
  package func requireAdministrator(of product: Product) throws(Halt) {
    guard let principal = asUser, !principal.isAdministrator else { return }
    for id in Set([principal.actor, principal.subject]) {
      guard let user = try user(id), user.cell.state.access(of: user.serial, to: product.id)?.isAdministrator == true
      else { throw .refused(.noPermission("administration of the product \(directory.productName(product))")) }
    }
  }

  /// While impersonating nobody changes passwords, second factors, e-mail, keys, roles or billing.
  package func refuseImpersonation(_ what: String) throws(Halt) {
    guard let principal = asUser, principal.isImpersonation else { return }
    throw .refused(
      .rule("impersonation", "\(what) cannot be changed while impersonating", instead: "end the impersonation first"))
  }
}
