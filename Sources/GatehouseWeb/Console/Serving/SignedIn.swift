import GatehouseWire

/// Who is signed in, as `SESSION.CHECK` says.
struct SignedIn: Sendable {
  /// The token that commands run on: the person's own, or that of the impersonation in which they act.
  let token: String
  /// The token of the person's own session.
  let ownToken: String
  let user: Int64
  let username: String
  /// The session's id.
  let session: Int64
  let expires: Int64?
  /// The session's workspace.
  let workspace: String
  /// Who acts as the user, in an impersonation.
  let actor: String?

  init?(_ reply: RESPValue, token: String, ownToken: String) {
    guard let user = reply["user"]?.integer, let username = reply["username"]?.string,
      let session = reply["id"]?.integer
    else { return nil }
    self.token = token
    self.ownToken = ownToken
    self.user = user
    self.username = username
    self.session = session
    expires = reply["expires"]?.integer
    workspace = reply["workspace"]?.string ?? "main"
    actor = reply["actor"]?.string
  }
}

extension SignedIn {
  /// What keeps the workspace that is looked at. An impersonation begins in its own one, and does not change at which the
  /// person looks afterwards.
  var workspaceCookie: ConsoleCookie { actor == nil ? .workspace : .actingWorkspace }

  /// The workspace that is looked at if none was chosen.
  var firstWorkspace: String { actor == nil ? "main" : workspace }
}
