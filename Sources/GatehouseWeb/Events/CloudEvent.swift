import GatehouseCore
import GatehouseWire

/// An event of the feed as CloudEvents 1.0 in JSON (structured mode), the same for readers and webhooks.
struct CloudEvent {
  /// The record's number; where a record has several events, all but the last have their position behind it: `17.1`, `17`.
  /// So one id says of each event what was received before it.
  let id: String
  let lsn: LSN
  let type: String
  let text: String

  static let contentType = "application/cloudevents+json"

  fileprivate init(_ item: RESPValue, lsn: LSN, id: String, source: String) {
    let fields = item.fields
    let kind = fields["type"]?.string ?? ""
    self.id = id
    self.lsn = lsn
    type = "gatehouse.\(kind)"
    var members: [JSON.Member] = [
      ("specversion", .string("1.0")), ("id", .string(id)), ("source", .string(source)), ("type", .string(type)),
      ("time", .string(TimeText.text(of: fields["time"]?.integer ?? 0))),
      ("datacontenttype", .string("application/json")),
    ]
    if let subject = fields["subject"]?.string, !subject.isEmpty { members.append(("subject", .string(subject))) }
    members.append(("data", JSON(item)))
    text = JSON.object(members).text
  }
}

/// A reply of `FEED.READ`.
struct EventPage {
  let events: [CloudEvent]
  /// The record to read on after.
  let last: LSN

  /// - Throws: `Problem` if the reply is an error.
  init(_ reply: RESPValue, source: String) throws {
    if case .error(let text) = reply { throw Problem(error: text) }
    guard case .array(let parts) = reply, parts.count == 2, let last = parts[0].string.flatMap({ LSN($0) }),
      case .array(let items) = parts[1]
    else { preconditionFailure("FEED.READ answers in another form") }
    self.last = last
    let numbers = items.map { item in
      guard let number = item.fields["lsn"]?.integer else { preconditionFailure("an event without its record") }
      return LSN(number)
    }
    var position = 0
    events = items.indices.map { index in
      let isLast = index + 1 == items.count || numbers[index + 1] != numbers[index]
      position += 1
      defer { if isLast { position = 0 } }
      let id = isLast ? "\(numbers[index])" : "\(numbers[index]).\(position)"
      return CloudEvent(items[index], lsn: numbers[index], id: id, source: source)
    }
  }
}

/// Where a reader of events goes on: after a record, and after some of the events of the next.
struct EventPosition: Equatable {
  /// The record after which to read.
  let after: LSN
  /// How many events of the first record that comes were received already.
  let skipped: Int

  /// The position after the event with this id; nil if it is none.
  init?(_ id: String) {
    let parts = id.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let lsn = Self.number(parts[0]) else { return nil }
    guard parts.count == 2 else {
      after = lsn
      skipped = 0
      return
    }
    guard lsn > 0, let position = Self.number(parts[1]), (1...1_000_000).contains(position) else { return nil }
    after = lsn - 1
    skipped = Int(position)
  }

  private static func number(_ text: Substring) -> LSN? {
    text.utf8.allSatisfy { $0 &- 0x30 < 10 } ? LSN(text).flatMap { $0 <= LSN(Int.max) ? $0 : nil } : nil
  }
}

extension RESPValue {
  fileprivate var fields: [String: RESPValue] {
    guard case .map(let pairs) = self else { return [:] }
    return pairs.reduce(into: [:]) { fields, pair in pair.key.string.map { fields[$0] = pair.value } }
  }

  fileprivate var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
}
