import FoundationEssentials
import NIOCore

/// Views of the list of people: some for everybody, and those that somebody has saved in their browser.
enum PeopleViews {
  struct Saved: Equatable {
    let name: String
    let query: String
  }

  /// How many a browser keeps; a cookie holds 4 KB.
  static let most = 10

  static let usual: [(name: String, query: [(name: String, value: String)])] = [
    ("Everybody", []),
    ("Locked", [("status", "locked")]),
    ("Pending", [("status", "pending")]),
    ("Inactive", [("status", "inactive")]),
    ("Never logged in", [("dormant", "never")]),
    ("Not for 90 days", [("dormant", "90"), ("sort", "last-login")]),
    ("Deleted", [("status", "deleted")]),
  ]

  static func read(_ cookie: String?) -> [Saved] {
    guard let cookie, let text = cookie.percentDecoded(),
      let items = (try? JSON(parsing: ByteBuffer(string: text)))?.array
    else { return [] }
    return items.prefix(most).compactMap { item in
      guard let name = item["name"]?.string, let query = item["query"]?.string else { return nil }
      return Saved(name: name, query: query)
    }
  }

  /// - Returns: nil if they do not fit.
  static func cookie(_ views: [Saved]) -> String? {
    let json = JSON.array(
      views.suffix(most).map { .object([("name", .string($0.name)), ("query", .string($0.query))]) })
    let text = Address.encoded(json.text)
    return text.utf8.count <= 3800 ? text : nil
  }
}
