import HTTPTypes
import Hummingbird

/// What every form has to show before anything of it is done: that a page of ours sent it, from this person's browser.
enum FormGuard {
  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!

  /// Reads a form of a person or visitor with this secret.
  ///
  /// - Throws: `Problem`; nothing was carried out.
  static func form(_ request: Request, secret: String) async throws -> FormFields {
    guard isOwnOrigin(request) else {
      throw Problem(.forbidden, "NOPERM", "the form was sent by another site; nothing was carried out")
    }
    let type = request.headers[.contentType]?.head(before: ";").trimmed.lowercased()
    guard type == "application/x-www-form-urlencoded" else {
      throw Problem(.unsupportedMediaType, "ERR", "the body is not application/x-www-form-urlencoded")
    }
    let body: String
    do {
      let buffer = try await request.body.collect(upTo: FormFields.mostBytes)
      body = String(buffer: buffer)
    } catch {
      throw Problem(.contentTooLarge, "LIMIT", "the form is larger than \(FormFields.mostBytes) bytes")
    }
    let form = try FormFields(parsing: body)
    guard FormToken.isValid(form["csrf"], for: secret) else {
      throw Problem(
        .forbidden, "NOPERM",
        "the form belongs to another sign-in; nothing was carried out; go back, load the page again and send it again")
    }
    return form
  }

  /// By what the browser says of the page that sends; where it says nothing, the form's token decides alone.
  static func isOwnOrigin(_ request: Request) -> Bool {
    if let site = request.headers[fetchSite] { return site == "same-origin" || site == "none" }
    guard let origin = request.headers[.origin] else { return true }
    guard let host = request.head.authority, let scheme = origin.firstRange(of: "://") else { return false }
    return origin[scheme.upperBound...].lowercased() == host.lowercased()
  }
}
