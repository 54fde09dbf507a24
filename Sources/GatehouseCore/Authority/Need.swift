/// What a command needs besides the rights of the service that sends it. It is part of the command's table entry, and
/// is enforced in one place before the body runs (`Turn.enforce`).
public enum Need: Sendable {
  /// Nothing: the answer contains only what the caller may see.
  case nothing
  /// Only for services, not for users. If a permission is named, the command concerns the whole server, and services
  /// bound to workspaces may not run it.
  case service(Permission? = nil)
  /// One of the permissions, over what the command concerns. `own`: this permission over oneself is enough.
  case permissions([Permission], over: Ground, own: Permission? = nil)

  static func permission(_ permission: Permission, over ground: Ground, own: Permission? = nil) -> Need {
    .permissions([permission], over: ground, own: own)
  }
}

/// What a command concerns, given by the indexes of the words that name it.
public enum Ground: Sendable {
  case server
  /// Anything: the body leaves out whatever is beyond the caller's reach.
  case anything
  /// The user named by a word: identity in the home workspace, visibility in any of the user's workspaces.
  case user(Int)
  /// The contact named by a word: its login, else the workspace that governs it.
  case contact(Int)
  /// The workspace of a contact to be created.
  case newContact
  /// The workspace of the option `WORKSPACE`.
  case namedWorkspace
  /// The person given as username or `#contact`, in the workspace of the option `WORKSPACE`.
  case linked(Int)
  /// The person given as username or `#contact`, wherever the caller may see them.
  case personOf(Int)
  /// The user, or somebody of whom the workspace of the option `WORKSPACE` has time or linked records.
  case recorded(Int)
  case link(Int)
  /// The user in the workspace of the option `WORKSPACE`.
  case member(Int)
  /// The user in the workspace named by another word, whether a member yet or not.
  case membership(workspace: Int, user: Int)
  /// The user, and the workspace that the user is handed over to: the permission is needed in both.
  case handover(user: Int, to: Int)
  /// The user in a product.
  case access(user: Int, product: Int)
  /// Like `access`, but the body reports if user or product do not exist.
  case login(user: Int, product: Int)
  /// The same at the moment of the option `AT`. If that is past, the body asks, because only the log tells whom the name
  /// meant then.
  case loginAt(user: Int, product: Int)
  case product(Int)
  case workspace(Int)
  /// The workspace of a product to be created.
  case newProduct(Int)
  /// The home workspace of a user to be created.
  case newUser
  /// The workspace of an account or group to be created: that of the option `WORKSPACE`.
  case newAccount
  case account(Int)
  case group(Int)
  /// The user at an account.
  case employment(user: Int, account: Int)
  /// The user, at the account or group that is managed, or in the workspace of the user who is.
  case management(user: Int, target: Int)
  case session(Int)
  case apiKey(Int)
  case entry(Int)
  /// The scope named by the options.
  case scope
  /// The workspace of the option `WORKSPACE`, or everywhere without it.
  case workspaceOrEverywhere
}

extension Need {
  /// The permissions as text, for the reference and `COMMAND DOCS`.
  public var text: String {
    switch self {
    case .nothing: "nothing more"
    case .service(nil): "a service by itself, not through `AS`"
    case .service(let permission?): "a service by itself, not through `AS`; `\(permission.name)` over the whole server"
    case .permissions(let permissions, let ground, let own):
      permissions.map { "`\($0.name)`" }.joined(separator: " or ")
        + " \(ground.text(permissions.first?.domain ?? .member))" + (own == nil ? "" : ", or to be the one concerned")
    }
  }

  /// Whether `AS` may precede the command.
  var isForUsers: Bool { if case .service = self { false } else { true } }

  /// The permission, if the command concerns the whole server, so that nobody bound to workspaces may run it.
  var isOfServer: Permission? {
    switch self {
    case .service(let permission?): permission
    case .permissions(let permissions, over: .server, own: nil): permissions.first
    default: nil
    }
  }
}

extension Ground {
  /// Whether it lies in the workspace of the option `WORKSPACE`, and in `main` without it.
  var isNamedByOption: Bool {
    switch self {
    case .linked, .member, .namedWorkspace, .newContact, .newAccount, .newUser: true
    case .server, .anything, .user, .contact, .personOf, .recorded, .link, .membership, .handover, .access, .login,
      .loginAt,
      .product, .workspace, .newProduct, .account, .group, .employment, .management, .session, .apiKey, .entry, .scope,
      .workspaceOrEverywhere:
      false
    }
  }

  fileprivate func text(_ domain: Permission.Domain) -> String {
    switch self {
    case .server: "over the whole server"
    case .anything: "over anything; what lies beyond is left out"
    case .user: domain == .identity ? "in the user's home workspace" : "in a workspace of the user"
    case .contact: domain == .identity ? "in the contact's home workspace" : "in a workspace of the contact"
    case .newContact: "in the workspace that becomes the contact's home"
    case .linked: "over the person in the workspace"
    case .personOf, .recorded: "in a workspace of the person, or in the one that is named"
    case .link: "over the person in the link's workspace"
    case .handover: "in the user's home workspace and in the one that becomes it"
    case .member: "over the user in the workspace"
    case .membership: "over the user in the workspace"
    case .access, .login, .loginAt: "over the user in the product's workspace, or in the product"
    case .product: "in the product's workspace, or in the product"
    case .workspace, .newProduct, .namedWorkspace, .newAccount: "in the workspace"
    case .account: "over the account"
    case .group: "over the group"
    case .employment: "over the user, and over the account"
    case .management: "over the user, and over the account or group that is managed"
    case .newUser: "in the workspace that becomes the user's home, or over the main account"
    case .session: "over the user in the session's workspace"
    case .apiKey: "in the home workspace of the key's user"
    case .entry: "over the user in the entry's workspace"
    case .scope: "in the scope"
    case .workspaceOrEverywhere: "in the workspace, or everywhere"
    }
  }
}
