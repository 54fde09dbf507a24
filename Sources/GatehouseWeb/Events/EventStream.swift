import GatehouseCore
import GatehouseServer
import Hummingbird
import NIOCore

/// One reader's stream of events. It holds one page at a time: while the reader does not read, no more is read for it.
struct EventStream {
  let door: CommandDoor
  let caller: Caller
  /// Words of `FEED.READ`.
  let filter: [String]
  /// Whether it waits for more where there is nothing.
  let waits: Bool
  let ticket = FeedTicket()
  private var page: EventPage?
  /// How many of the next events the reader has received already, on another connection.
  private var skipped = 0

  /// A comment is sent after this long without an event, so that proxies do not close the connection.
  private static let heartbeat = "15s"
  private static let pageSize = "100"
  /// A reader who takes nothing for this long is cut off. It goes on with `Last-Event-ID`.
  private static let patience = TimeAmount.seconds(30)

  init(door: CommandDoor, caller: Caller, filter: [String], waits: Bool) {
    self.door = door
    self.caller = caller
    self.filter = filter
    self.waits = waits
  }

  /// Reads the first page, or finds out which record is the newest.
  ///
  /// - Throws: `Problem` if the feed must not or cannot be read.
  mutating func begin(_ position: EventPosition?) async throws {
    skipped = position?.skipped ?? 0
    page = try await read(after: position.map { "\($0.after)" } ?? "$", waiting: false)
  }

  /// Writes events until the reader leaves, loses the right, or the server stops.
  mutating func run(writing writer: inout any ResponseBodyWriter, on channel: any Channel) async throws {
    // The headers leave with the first bytes.
    try await write(": events\n\n", to: &writer, on: channel)
    var isFirst = true
    var lastSeen: LSN?
    while let page {
      if !page.events.isEmpty || !isFirst && waits { try await write(page, to: &writer, on: channel) }
      isFirst = false
      // A page of records that are not for the reader is empty, and not the last.
      if !waits, page.events.isEmpty, page.last == lastSeen { return }
      lastSeen = page.last
      guard !ticket.isReleased, door.isCurrent(caller), door.condition != .stopping else {
        return try await end(writing: &writer, on: channel)
      }
      do {
        self.page = try await read(after: "\(page.last)", waiting: waits)
      } catch let problem as Problem {
        if door.condition == .stopping { return }
        return try await write(Self.event("error", problem), to: &writer, on: channel)
      }
      // Read with the rights of before the wait: of what has come since, whoever lost them gets nothing.
      guard door.isCurrent(caller) else { return try await end(writing: &writer, on: channel) }
    }
  }

  /// Tells the reader why nothing more comes, unless the server stops.
  private func end(writing writer: inout any ResponseBodyWriter, on channel: any Channel) async throws {
    if door.condition != .stopping { try await write(Self.ended, to: &writer, on: channel) }
  }

  private func read(after: String, waiting: Bool) async throws -> EventPage {
    var words = ["FEED.READ", after, "COUNT", Self.pageSize] + filter
    if waiting { words += ["BLOCK", Self.heartbeat] }
    return try EventPage(await door.readFeed(words, for: caller, ticket), source: door.eventSource)
  }

  // MARK: Writing

  private mutating func write(
    _ page: EventPage, to writer: inout any ResponseBodyWriter, on channel: any Channel
  ) async throws {
    let events = page.events.dropFirst(skipped)
    // Only the first record that comes after a reconnection is begun in the middle.
    if !page.events.isEmpty { skipped = 0 }
    guard !events.isEmpty else { return try await write(": \n\n", to: &writer, on: channel) }
    var text = ""
    for event in events { text += "id: \(event.id)\nevent: \(event.type)\ndata: \(event.text)\n\n" }
    try await write(text, to: &writer, on: channel)
  }

  /// Backpressure: waits until the connection takes more, and closes it if that takes too long.
  private func write(
    _ text: String, to writer: inout any ResponseBodyWriter, on channel: any Channel
  ) async throws {
    let deadline = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    defer { deadline.cancel() }
    try await writer.write(ByteBuffer(string: text))
  }

  private static let ended = event(
    "error", Problem(.forbidden, "NOPERM", "the service was deleted, or its rights have changed; authenticate anew"))

  private static func event(_ name: String, _ problem: Problem) -> String {
    "event: \(name)\ndata: \(problem.json.text)\n\n"
  }
}
