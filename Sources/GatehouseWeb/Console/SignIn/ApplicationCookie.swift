/// The cookie with which a browser shows an application's users at `/auth`.
///
/// `SameSite=Lax`: a link in a mail leads straight to the page, and a form of another site comes without the cookie.
enum ApplicationCookie {
  /// - Parameters:
  ///   - token: nil takes the cookie away.
  ///   - host: that the browser has asked for, with or without a port.
  ///   - domain: the setting `sign-in-domain`; nil if there is none.
  static func field(_ token: String?, isSealed: Bool, host: String, domain: String?) -> String {
    var field = "\(Token.cookie)=\(token ?? ""); Path=/; HttpOnly; SameSite=Lax"
    if let domain, isHost(host, in: domain) { field += "; Domain=\(domain)" }
    if isSealed { field += "; Secure" }
    return token == nil ? field + "; Max-Age=0" : field
  }

  /// Whether a host is a domain's own or one below it: browsers refuse a cookie for any other.
  static func isHost(_ host: String, in domain: String) -> Bool {
    let name = host.head(before: ":").lowercased()
    return name == domain || name.hasSuffix("." + domain)
  }
}
