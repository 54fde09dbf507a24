/// The parts of a request's address, decoded.
enum SCIMAddress {
  /// The parts of a path behind `/scim/v2`.
  static func parts(_ path: String) throws(SCIMError) -> [String] {
    var parts: [String] = []
    for part in path.parts(separatedBy: "/", keepsEmpty: false).dropFirst(2) {
      parts.append(try decoded(part, plusIsBlank: false))
    }
    return parts
  }

  /// The parameters of a query. Providers write a blank as `%20` or as `+`.
  static func parameters(_ query: String?) throws(SCIMError) -> [(name: String, value: String)] {
    var parameters: [(String, String)] = []
    for pair in (query ?? "").parts(separatedBy: "&", keepsEmpty: false) {
      let parts = pair.parts(separatedBy: "=", most: 2)
      let value = parts.count > 1 ? try decoded(parts[1], plusIsBlank: true) : ""
      parameters.append((try decoded(parts[0], plusIsBlank: true), value))
    }
    return parameters
  }

  private static func decoded(_ text: String, plusIsBlank: Bool) throws(SCIMError) -> String {
    guard let decoded = text.percentDecoded(plusIsBlank: plusIsBlank) else {
      throw .invalid(
        .invalidSyntax, "the address is not UTF-8, or has a % without two hexadecimal digits behind it")
    }
    return decoded
  }
}
