import GatehouseCore
import GatehouseWire

/// The usernames of ids that stand in an audit trail, asked for once: people know each other by name.
struct UserNames {
  /// The fields of a change whose `#id` is a user's.
  static let fields: Set<String> = ["user", "actor", "subject", "owner", "started-by", "stopped-by"]
  /// How many are asked for beside one reply. What is beyond stays a number.
  private static let most = 200

  private var byID: [String: String] = [:]

  init() {}

  init(_ byID: [String: String]) { self.byID = byID }

  /// Asks for the names in a reply, on the authority that the reply was asked for.
  init(of reply: RESPValue, asking session: ServerSession, as prefix: [[UInt8]]) {
    let ids = Set(Self.ids(in: reply)).sorted().prefix(Self.most)
    guard !ids.isEmpty else { return }
    let requests = ids.map { prefix + [Array("USER.GET".utf8), Array($0.utf8)] }
    // Names are a comfort: where they cannot be had the ids say it, too.
    guard let replies = try? session.pipeline(requests) else { return }
    for (id, reply) in zip(ids, replies) { byID[id] = reply["username"]?.string }
  }

  /// `user #107` with the name behind it; other texts as they are.
  func naming(_ text: String) -> String {
    let shown = ShownText.line(text)
    guard let id = Self.id(in: text), let name = byID[id] else { return shown }
    return "\(shown) \(ShownText.line(name))"
  }

  private static func ids(in reply: RESPValue) -> [String] {
    let elements = reply.elements ?? []
    // A page is a cursor and the records.
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

  /// The `#107` of `user #107`, or of a text that is nothing else.
  private static func id(in text: String) -> String? {
    let id = text.hasPrefix("user ") ? text.dropFirst("user ".count) : text[...]
    guard id.first == "#", id.count > 1, id.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return String(id)
  }
}
