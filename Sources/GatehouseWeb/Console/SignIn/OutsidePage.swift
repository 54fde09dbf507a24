import HTTPTypes
import Hummingbird

/// A page for who is not signed in: a card in the middle, without navigation.
struct OutsidePage {
  var title: String
  var blocks: [Block]

  init(_ title: String, _ blocks: [Block]) {
    self.title = title
    self.blocks = blocks
  }

  /// - Parameter secret: what the page's forms are bound to.
  func response(_ status: HTTPResponse.Status = .ok, secret: String = "", cookies: [String] = []) -> Response {
    .html(
      Templates.render(
        [
          "title": title, "css": Assets.style.address, "js": Assets.script.address, "icon": Assets.icon.address,
          "csrf": FormToken.of(secret), "blocks": blocks.map(\.values),
        ], with: "outside"),
      status: status, cookies: cookies)
  }
}
