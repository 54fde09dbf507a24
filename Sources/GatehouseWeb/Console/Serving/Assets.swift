import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// The style sheet, the script and the icon. Their addresses contain a hash of what they are, so that browsers keep them
/// for good and still get new ones at once.
enum Assets {
  struct Asset: Sendable {
    private let path: String
    let type: String
    let bytes: [UInt8]

    init(_ name: String, _ type: String, _ bytes: [UInt8]) {
      let hash = SHA256.hash(data: bytes).prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      path = "assets/\(hash)/\(name)"
      self.type = type
      self.bytes = bytes
    }

    func address(at site: SignInSite = .console) -> String { site.root + "/" + path }
  }

  static let style = Asset("console.css", "text/css; charset=utf-8", PackageResources.console_css)
  static let script = Asset("console.js", "text/javascript; charset=utf-8", PackageResources.console_js)
  static let icon = Asset("icon.svg", "image/svg+xml", PackageResources.icon_svg)

  static func add(to router: Router<WebContext>, at site: SignInSite) {
    for asset in [style, script, icon] {
      router.get(RouterPath(asset.address(at: site))) { _, _ in
        var response = Response(
          status: .ok, headers: [.contentType: asset.type],
          body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
        ConsoleHeaders.set(on: &response, isKept: true)
        return response
      }
    }
  }
}
