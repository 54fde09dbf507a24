import HTTPTypes
import HummingbirdCore

extension Request {
  /// The value of the first cookie with a name. It looks at bytes and copies nothing else: every forward-auth request reads
  /// one.
  func cookie(_ name: String) -> String? {
    for header in headers[values: .cookie] {
      if let value = Self.value(ofCookie: name, in: header) { return value }
    }
    return nil
  }

  /// - Parameter header: `name=value; name=value`
  static func value(ofCookie name: String, in header: String) -> String? {
    for pair in header.utf8.split(separator: UInt8(ascii: ";")) {
      let pair = pair.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
      guard pair.starts(with: name.utf8) else { continue }
      let rest = pair.dropFirst(name.utf8.count)
      if rest.first == UInt8(ascii: "=") { return String(Substring(rest.dropFirst())) }
    }
    return nil
  }
}
