import Hummingbird

/// The cookies of the console. All of them are `HttpOnly` and `SameSite=Strict`, and for the console's path alone.
/// Over TLS their names begin with `__Secure-`, so that nothing that is sent in the clear can set them.
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
  /// The views of the list of people that were saved in this browser.
  case views = "gatehouse-views"
  /// What the next page says about what was just done.
  case flash = "gatehouse-flash"

  func value(in request: Request, isSealed: Bool) -> String? {
    guard let value = request.cookies[name(isSealed)]?.value, !value.isEmpty, value.utf8.count <= 4096 else {
      return nil
    }
    return value
  }

  /// - Parameter value: nil takes the cookie away.
  func field(_ value: String?, isSealed: Bool, seconds: Int? = nil) -> String {
    var field = "\(name(isSealed))=\(value ?? ""); Path=\(Address.root); HttpOnly; SameSite=Strict"
    if isSealed { field += "; Secure" }
    if value == nil { field += "; Max-Age=0" } else if let seconds { field += "; Max-Age=\(seconds)" }
    return field
  }

  private func name(_ isSealed: Bool) -> String { (isSealed ? "__Secure-" : "") + rawValue }
}
