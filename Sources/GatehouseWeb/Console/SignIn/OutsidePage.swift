import HTTPTypes
import Hummingbird

/// A page for who is not signed in: a card in the middle, without navigation.
struct OutsidePage {
  var title: String
  var blocks: [Block]
  /// Where the style sheet is asked for.
  private let site: SignInSite
  /// The address to which the browser goes on by itself.
  private var onward: String?

  init(_ title: String, _ blocks: [Block], at site: SignInSite = .console) {
    self.site = site
    self.title = title
    self.blocks = blocks
  }

  /// Goes to the same address once more, from a page of ours.
  ///
  /// Browsers keep our cookies back where a link of another site or a mail leads here, so that nobody seems to be signed
  /// in. What our own page leads to has them.
  static func again(at address: String) -> Response {
    var page = OutsidePage("One moment", [.buttons([.link("Go on", Address(raw: address), .primary)])])
    page.onward = address
    return page.response()
  }

  /// - Parameter secret: what the page's forms are bound to.
  func response(_ status: HTTPResponse.Status = .ok, secret: String = "", cookies: [String] = []) -> Response {
    .html(
      Templates.render(
        [
          "title": title, "css": Assets.style.address(at: site), "js": Assets.script.address(at: site),
          "icon": Assets.icon.address(at: site),
          "csrf": FormToken.of(secret), "sealedAs": nil, "sealedIn": nil, "here": nil, "onward": onward,
          "blocks": blocks.map(\.values),
        ], with: "outside"),
      status: status, cookies: cookies)
  }
}
