/// The parts of a request's address, decoded.
enum SCIMAddress {
  /// The parts of a path behind `/scim/v2`.
  static func parts(_ path: String) throws(SCIMError) -> [String] {
    var parts: [String] = []
    for part in path.split(separator: "/").dropFirst(2) { parts.append(try decoded(part, plusIsBlank: false)) }
    return parts
  }

  /// The parameters of a query. Providers write a blank as `%20` or as `+`.
  static func parameters(_ query: String?) throws(SCIMError) -> [(name: String, value: String)] {
    var parameters: [(String, String)] = []
    for pair in (query ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count > 1 ? try decoded(parts[1], plusIsBlank: true) : ""
      parameters.append((try decoded(parts[0], plusIsBlank: true), value))
    }
    return parameters
  }

  private static func decoded(_ text: Substring, plusIsBlank: Bool) throws(SCIMError) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case 0x2b where plusIsBlank: bytes.append(0x20)
      case 0x25:
        guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2 else {
          throw .invalid(.invalidSyntax, "the address has a % without two hexadecimal digits behind it")
        }
        bytes.append(value)
        rest = rest.dropFirst(2)
      default: bytes.append(byte)
      }
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw .invalid(.invalidSyntax, "the address is not UTF-8")
    }
    return decoded
  }
}
