/// An address within the console, encoded as it must be: `Address("people", "12").adding("tab", "time")`.
struct Address: Sendable, Equatable {
  static let root = "/console"

  /// What stands before the path, as it is.
  private var base = Self.root
  private var path: [String]
  private(set) var query: [(name: String, value: String)] = []
  private var fragment: String?

  init(_ path: String...) { self.path = path }

  /// An address below another root than the console's.
  init(below root: String, _ path: [String]) {
    base = root
    self.path = path
  }

  /// An address that is encoded already, and leads to this host.
  init(asItIs text: String) {
    base = text
    path = []
  }

  /// An address that was asked for, which is one of ours and encoded.
  init(raw target: String) {
    let parts = target.parts(separatedBy: "?", most: 2)
    path = parts[0].parts(separatedBy: "/", keepsEmpty: false).dropFirst().map { $0.percentDecoded() ?? $0 }
    query = parts.count > 1 ? (try? FormFields(parsing: parts[1]).pairs) ?? [] : []
  }

  func adding(_ name: String, _ value: String?) -> Address {
    guard let value else { return self }
    var address = self
    address.query.append((name, value))
    return address
  }

  func adding(_ pairs: [(name: String, value: String)]) -> Address {
    pairs.reduce(self) { $0.adding($1.name, $1.value) }
  }

  func at(_ fragment: String) -> Address {
    var address = self
    address.fragment = fragment
    return address
  }

  var text: String {
    var text = ([base] + path.map(Self.encoded)).joined(separator: "/")
    if !query.isEmpty {
      text += "?" + query.map { Self.encoded($0.name) + "=" + Self.encoded($0.value) }.joined(separator: "&")
    }
    if let fragment { text += "#" + Self.encoded(fragment) }
    return text
  }

  static func == (one: Address, other: Address) -> Bool { one.text == other.text }

  /// Percent-encoded, all but RFC 3986's unreserved characters.
  static func encoded(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        encoded += byte < 16 ? "%0" : "%"
        encoded += String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }

  /// Whether an address that came with a request leads to a page of the console and nowhere else: not to another host
  /// (`//evil`, `/\evil`), not out of the console (`/console/../`).
  static func isLocal(_ text: String) -> Bool {
    guard text == root || text.hasPrefix(root + "/") || text.hasPrefix(root + "?") else { return false }
    let path = text.prefix { $0 != "?" && $0 != "#" }
    return !path.contains("//") && !path.contains("..") && !path.lowercased().contains("%2e")
      && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") } && text.utf8.count <= 2048
  }
}
