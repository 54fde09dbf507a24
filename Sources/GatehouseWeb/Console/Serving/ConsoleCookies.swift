import Hummingbird

/// The cookies of the console, and of the sign-in at applications. All of them are `HttpOnly` and `SameSite=Strict`, and for
/// the path of their pages alone.
enum ConsoleCookie: String, CaseIterable {
  /// The session of the signed-in person.
  case session = "gatehouse-session"
  /// The impersonation in which they act, while it lasts.
  case acting = "gatehouse-acting"
  /// A random number from before the sign-in, to which its forms are bound.
  case visitor = "gatehouse-visitor"
  /// The session of somebody whose password must be changed first.
  case changing = "gatehouse-changing"
  /// The workspace that is looked at.
  case workspace = "gatehouse-workspace"
  /// The same while they act as somebody else, whose workspaces are others.
  case actingWorkspace = "gatehouse-acting-workspace"
  /// The views of the list of people that were saved in this browser.
  case views = "gatehouse-views"
  /// What the next page says about what was just done.
  case flash = "gatehouse-flash"

  /// What sets the cookies of a server apart from others.
  struct Scope: Sendable, Equatable {
    /// Whether the connection is encrypted. Then the names begin with `__Secure-`, so that nothing that is sent in the
    /// clear can set them.
    let isSealed: Bool
    /// The port that the server listens on. Browsers send the cookies of a host to all its ports, and two servers on one
    /// machine would sign each other's people out.
    let port: Int?
    /// Which pages get them.
    var path = Address.root

    fileprivate static let usualPort = 7421

    fileprivate func name(_ name: String) -> String {
      let own = port.map { $0 == Self.usualPort ? name : "\(name)-\($0)" } ?? name
      return isSealed ? "__Secure-" + own : own
    }
  }

  /// Whether the value is the token of a session. Commands take ids in their place, which anybody could make up.
  private var isToken: Bool {
    switch self {
    case .session, .acting, .changing: true
    case .visitor, .workspace, .actingWorkspace, .views, .flash: false
    }
  }

  func value(in request: Request, _ scope: Scope) -> String? {
    guard let value = request.cookie(scope.name(rawValue)), !value.isEmpty, value.utf8.count <= 4096 else {
      return nil
    }
    return isToken && !value.utf8.starts(with: "gs_".utf8) ? nil : value
  }

  /// - Parameter value: nil takes the cookie away.
  func field(_ value: String?, _ scope: Scope, seconds: Int? = nil) -> String {
    var field = "\(scope.name(rawValue))=\(value ?? ""); Path=\(scope.path); HttpOnly; SameSite=Strict"
    if scope.isSealed { field += "; Secure" }
    if value == nil { field += "; Max-Age=0" } else if let seconds { field += "; Max-Age=\(seconds)" }
    return field
  }
}

extension WebContext {
  var cookies: ConsoleCookie.Scope { .init(isSealed: isSealed, port: channel.localAddress?.port) }
}
