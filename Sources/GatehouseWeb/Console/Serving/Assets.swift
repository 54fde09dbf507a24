import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// The style sheet, the script and the icon. Their addresses contain a hash of what they are, so that browsers keep them
/// for good and still get new ones at once.
enum Assets {
  struct Asset: Sendable {
    let address: String
    let type: String
    let bytes: [UInt8]

    init(_ name: String, _ type: String, _ bytes: [UInt8]) {
      let hash = SHA256.hash(data: bytes).prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      address = "\(Address.root)/assets/\(hash)/\(name)"
      self.type = type
      self.bytes = bytes
    }
  }

  static let style = Asset("console.css", "text/css; charset=utf-8", PackageResources.console_css)
  static let script = Asset("console.js", "text/javascript; charset=utf-8", PackageResources.console_js)
  static let icon = Asset("icon.svg", "image/svg+xml", PackageResources.icon_svg)

  static func add(to router: Router<WebContext>) {
    for asset in [style, script, icon] {
      router.get(RouterPath(asset.address)) { _, _ in
        var response = Response(
          status: .ok, headers: [.contentType: asset.type],
          body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
        ConsoleHeaders.set(on: &response, isKept: true)
        return response
      }
    }
  }
}
