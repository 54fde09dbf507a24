/// Who may do what. The gates of the command table come first; bodies call these for whom a command is about.
extension Turn {
  /// The user on whose authority the command runs, nil for a service.
  public var asUser: UserPrincipal? {
    userPrincipal
  }

  /// L10: one's own data, an administrator's over all but super administrators, a super administrator's over
  /// everybody. Of an impersonation both must have the right.
  public func requireOver(_ user: UserReference) throws(Halt) {
    guard let principal = asUser else { return }
    try requireReach(of: principal, to: user)
    if principal.subject == user.id { return }
    try requireManaging(user, principal)
  }

  /// As `requireOver`, but not for oneself.
  public func requireManaging(_ user: UserReference) throws(Halt) {
    guard let principal = asUser else { return }
    try requireReach(of: principal, to: user)
    try requireManaging(user, principal)
  }

  private func requireManaging(_ user: UserReference, _ principal: UserPrincipal) throws(Halt) {
    if principal.isSuperAdministrator { return }
    try requireSomeAdministration()
    let roles = user.row.roles
    if roles.contains(.superAdministrator) {
      throw .refused(.noPermission("the role super-administrator, to manage a super administrator"))
    }
    if principal.isAdministrator { return }
    guard !roles.contains(.trainingAdministrator),
      principal.administers.contains(where: { isMember(user, of: $0) })
    else { throw .refused(Self.notAdministrator) }
  }

  /// Whether a user belongs to what somebody administers: for a product that is whoever is a member of its
  /// workspace, since all products of a workspace share their users (T1, T5).
  private func isMember(_ user: UserReference, of scope: Scope) -> Bool {
    workspace(of: scope).map { user.cell.state.isMember(user.serial, of: $0) } ?? false
  }

  /// The workspace that a scope lies in.
  public func workspace(of scope: Scope) -> WorkspaceID? {
    switch scope {
    case .workspace(let id): id
    case .product(let id): directory.product(id)?.workspace
    case .everywhere, .account, .group: nil
    }
  }

  private static var notAdministrator: Refusal {
    .noPermission("the role training-administrator or super-administrator")
  }

  /// K4: a bound impersonation reaches members of its workspace only.
  private func requireReach(of principal: UserPrincipal, to user: UserReference) throws(Halt) {
    guard let workspace = principal.boundTo, principal.subject != user.id else { return }
    guard user.cell.state.isMember(user.serial, of: workspace) else {
      throw .refused(.noPermission("an impersonation outside its workspace"))
    }
  }

  /// K4: a bound impersonation acts in its workspace only.
  public func requireReach(to workspace: WorkspaceID) throws(Halt) {
    guard let bound = asUser?.boundTo, bound != workspace else { return }
    throw .refused(.noPermission("an impersonation outside its workspace"))
  }

  public func requireAdministrator() throws(Halt) {
    guard let principal = asUser, !principal.isAdministrator else { return }
    throw .refused(Self.notAdministrator)
  }

  /// An administrator of the whole, or of anything.
  public func requireSomeAdministration() throws(Halt) {
    guard let principal = asUser, !principal.isAdministrator, principal.administers.isEmpty else { return }
    throw .refused(Self.notAdministrator)
  }

  /// An administrator of the whole, of this workspace, or of one of its products: whoever may manage its people.
  public func requireAdministrator(in workspace: WorkspaceID) throws(Halt) {
    try requireReach(to: workspace)
    guard let principal = asUser, !principal.isAdministrator else { return }
    guard principal.administers.contains(where: { self.workspace(of: $0) == workspace }) else {
      throw .refused(Self.notAdministrator)
    }
  }

  /// S5: with the policy, only administrators with authority over the subscription add and remove users. A
  /// service that acts by itself has authority.
  public func requireAuthority(by policies: Policies) throws(Halt) {
    guard policies.needsAuthority, let principal = asUser else { return }
    for id in Set([principal.actor, principal.subject]) {
      guard let user = try user(id), user.row.flags.contains(.hasAuthority) else {
        throw .refused(
          .rule(
            "user.needs-authority", "only administrators with authority over the subscription add and remove users",
            instead: "ask one of them, or a super administrator for USER.SET user authority 1"))
      }
    }
  }

  public func requireSuperAdministrator() throws(Halt) {
    guard let principal = asUser, !principal.isSuperAdministrator else { return }
    throw .refused(.noPermission("the role super-administrator"))
  }

  /// An administrator of the whole, or of this product (T7).
  public func requireAdministrator(of product: Product) throws(Halt) {
    try requireReach(to: product.workspace)
    guard let principal = asUser, !principal.isAdministrator else { return }
    guard
      principal.administers.contains(.product(product.id))
        || principal.administers.contains(.workspace(product.workspace))
    else { throw .refused(.noPermission("administration of the product \(directory.productName(product))")) }
  }

  /// While impersonating nobody changes passwords, second factors, e-mail, keys, roles or billing.
  public func refuseImpersonation(_ what: String) throws(Halt) {
    guard let principal = asUser, principal.isImpersonation else { return }
    throw .refused(
      .rule("impersonation", "\(what) cannot be changed while impersonating", instead: "end the impersonation first"))
  }
}
