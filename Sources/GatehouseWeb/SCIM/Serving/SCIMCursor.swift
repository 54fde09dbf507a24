/// A cursor of RFC 9865: where a page ended, and which list it is of.
struct SCIMCursor {
  let inner: String

  init(inner: String) { self.inner = inner }

  /// Reads a cursor; nil if it is none of the list that is asked for.
  init?(_ text: String, of query: SCIMQuery) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == Self.mark(of: query), !parts[1].isEmpty,
      parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2d })
    else { return nil }
    inner = String(parts[1])
  }

  func text(of query: SCIMQuery) -> String { "\(Self.mark(of: query)).\(inner)" }

  /// Tells lists apart so that a cursor is not taken to another by mistake. It guards nothing: a cursor only says where to go
  /// on in what the caller may see anyway.
  private static func mark(of query: SCIMQuery) -> String {
    var print = Fingerprint()
    print.add(query.identity)
    return print.text
  }
}
