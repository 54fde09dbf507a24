import GatehouseCore
import GatehouseWire

/// The usernames of the ids in an audit trail, fetched once, because people know each other by name.
struct UserNames {
  /// The fields of a change whose `#id` is a user's.
  static let fields: Set<String> = [
    "user", "actor", "subject", "owner", "started-by", "stopped-by", "requested-by", "approved-by", "merged-user",
  ]
  /// How many names are fetched for one reply; further ids stay numbers.
  private static let most = 200

  private var byID: [String: String] = [:]

  init() {}

  init(_ byID: [String: String]) { self.byID = byID }

  /// Fetches the names for a reply, with the same authority as the reply.
  init(of reply: RESPValue, asking session: ServerSession, as prefix: [[UInt8]]) {
    let ids = Set(Self.ids(in: reply)).sorted().prefix(Self.most)
    guard !ids.isEmpty else { return }
    let requests = ids.map { prefix + [Array("USER.GET".utf8), Array($0.utf8)] }
    // Names are optional: if they cannot be fetched, the ids are enough.
    guard let replies = try? session.pipeline(requests) else { return }
    for (id, reply) in zip(ids, replies) { byID[id] = reply["username"]?.string }
  }

  /// `user #107` followed by the name; other texts unchanged.
  func naming(_ text: String) -> String {
    let shown = ShownText.line(text)
    guard let id = Self.id(in: text), let name = byID[id] else { return shown }
    return "\(shown) \(ShownText.line(name))"
  }

  private static func ids(in reply: RESPValue) -> [String] {
    let elements = reply.elements ?? []
    // A page consists of a cursor and the records.
    let records = elements.count == 2 ? elements[1].elements ?? [] : elements
    return records.flatMap { record -> [String] in
      guard record["lsn"] != nil, let changes = record["changes"]?.elements else { return [] }
      let authors = ["actor", "subject"].compactMap { record[$0]?.string.flatMap(id) }
      return authors + changes.flatMap { ids(ofChange: $0) }
    }
  }

  private static func ids(ofChange change: RESPValue) -> [String] {
    var ids = [change["entity"]?.string.flatMap(id)]
    for field in change["fields"]?.elements ?? [] where fields.contains(field["name"]?.string ?? "") {
      ids += [field["old"]?.string.flatMap(id), field["new"]?.string.flatMap(id)]
    }
    return ids.compactMap(\.self)
  }

  /// The `#107` in `user #107`, or in a text that is just that.
  private static func id(in text: String) -> String? {
    let id = text.hasPrefix("user ") ? text.dropFirst("user ".count) : text[...]
    guard id.first == "#", id.count > 1, id.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return String(id)
  }
}
