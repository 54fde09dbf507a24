import HTTPTypes
import Hummingbird
import NIOCore

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
    let form = try await fields(request)
    guard FormToken.isValid(form["csrf"], for: secret) else {
      throw Problem(
        .forbidden, "NOPERM",
        "the form belongs to another sign-in; nothing was carried out; go back, load the page again and send it again")
    }
    return form
  }

  private static func fields(_ request: Request) async throws -> FormFields {
    let header = request.headers[.contentType] ?? ""
    let type = header.head(before: ";").trimmed.lowercased()
    // A form with a file may be as large as any body.
    let most = type == MultipartForm.type ? WebContext.mostBytes : FormFields.mostBytes
    guard [MultipartForm.type, "application/x-www-form-urlencoded"].contains(type) else {
      throw Problem(.unsupportedMediaType, "ERR", "the body is not application/x-www-form-urlencoded")
    }
    let body: ByteBuffer
    do {
      body = try await request.body.collect(upTo: most)
    } catch {
      throw Problem(.contentTooLarge, "LIMIT", "the form is larger than \(most) bytes")
    }
    guard type == MultipartForm.type else { return try FormFields(parsing: String(buffer: body)) }
    return FormFields(pairs: try MultipartForm.pairs(in: Array(body.readableBytesView), header: header))
  }

  /// By what the browser says of the page that sends; where it says nothing, the form's token decides alone.
  static func isOwnOrigin(_ request: Request) -> Bool {
    if let site = request.headers[fetchSite] { return site == "same-origin" || site == "none" }
    guard let origin = request.headers[.origin] else { return true }
    guard let host = request.head.authority, let scheme = origin.firstRange(of: "://") else { return false }
    return origin[scheme.upperBound...].lowercased() == host.lowercased()
  }
}
