/// What a command needs besides the rights of the service that sends it; it stands in the command's entry in the table,
/// and is asked in one place before the body runs (`Turn.enforce`).
public enum Need: Sendable {
  /// Nothing: what the command answers is what the caller may see.
  case nothing
  /// Only a service by itself asks this. Where a permission is named, the command concerns the whole server, and no
  /// service that is bound to workspaces has it.
  case service(Permission? = nil)
  /// One of the permissions, over what the command concerns. `own`: it is enough to have this one over oneself.
  case permissions([Permission], over: Ground, own: Permission? = nil)

  static func permission(_ permission: Permission, over ground: Ground, own: Permission? = nil) -> Need {
    .permissions([permission], over: ground, own: own)
  }
}

/// What a command concerns, by the words that name it. The numbers are the places of the words.
public enum Ground: Sendable {
  case server
  /// Anything at all: the body leaves out what lies beyond the caller's reach.
  case anything
  /// The user that a word names: who somebody is in the home workspace, what can be seen in any of the user's.
  case user(Int)
  /// The user in the workspace of the option `WORKSPACE`.
  case member(Int)
  /// The user in the workspace that another word names, whether a member yet or not.
  case membership(workspace: Int, user: Int)
  /// The user in a product.
  case access(user: Int, product: Int)
  /// As `access`; whether user and product are there is for the body to say.
  case login(user: Int, product: Int)
  case product(Int)
  case workspace(Int)
  /// The workspace of a product whose name is yet to be taken.
  case newProduct(Int)
  /// The workspace that a new user will have as home.
  case newUser
  case session(Int)
  case entry(Int)
  /// The scope that the options name.
  case scope
  /// The workspace of the option `WORKSPACE`, and everywhere without it.
  case workspaceOrEverywhere
}

extension Need {
  /// The permissions in words, for the reference and `COMMAND DOCS`.
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

  /// Whether `AS` may stand in front.
  var isForUsers: Bool { if case .service = self { false } else { true } }

  /// Whether only the whole server is concerned, so that nobody who is bound to workspaces may have it.
  var isOfServer: Permission? {
    switch self {
    case .service(let permission?): permission
    case .permissions(let permissions, over: .server, own: nil): permissions.first
    default: nil
    }
  }
}

extension Ground {
  fileprivate func text(_ domain: Permission.Domain) -> String {
    switch self {
    case .server: "over the whole server"
    case .anything: "over anything; what lies beyond is left out"
    case .user: domain == .identity ? "in the user's home workspace" : "in a workspace of the user"
    case .member: "over the user in the workspace"
    case .membership: "over the user in the workspace"
    case .access, .login: "over the user in the product's workspace, or in the product"
    case .product: "in the product's workspace, or in the product"
    case .workspace, .newProduct: "in the workspace"
    case .newUser: "in the workspace that becomes the user's home"
    case .session: "over the user in the session's workspace"
    case .entry: "over the user in the entry's workspace"
    case .scope: "in the scope"
    case .workspaceOrEverywhere: "in the workspace, or everywhere"
    }
  }
}
