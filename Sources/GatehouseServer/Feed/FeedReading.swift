import GatehouseCore
import GatehouseStorage
import Synchronization

/// Reads the feed for a command: step by step on a thread of the pool for it, and in between without any thread.
extension ServerContext {
  /// How long a reader that does not wait is read for until it is answered with what there is, in nanoseconds.
  private static let patience: UInt64 = 500_000_000

  /// - Parameters:
  ///   - ticket: with which the reader can be released when its connection closes.
  ///   - mayWait: false inside of `EXEC`, where it would hold up the commands after it.
  /// - Returns: what was read, and for how many nanoseconds it waited.
  func read(
    _ work: ReadFeed, after lastWrite: LSN, _ ticket: FeedReaders.Ticket?, mayWait: Bool
  ) async -> (finished: FinishedWork<ReadFeed>, waited: UInt64) {
    guard feedReaders.enter() else {
      return (FinishedWork(work, .failure(Refusal(.busy, "too many read the feed; try again"))), 0)
    }
    defer { feedReaders.leave() }
    let start = Clock.nanoseconds()
    let deadline = mayWait ? Clock.deadline(milliseconds: UInt64(work.remaining)) : start
    var position = work.start
    var waited: UInt64 = 0
    while true {
      let at = position
      let step: Result<Step, any Error>? = await feedPool.run { [self] in
        Result { try readStep(work, after: at, lastWrite) }
      }
      guard let step else {
        return (FinishedWork(work, .failure(Refusal(.busy, "too many read the feed; try again"))), waited)
      }
      switch step {
      case .failure(let error):
        return (FinishedWork(work, .failure(refusal(for: error, of: "\(ReadFeed.self)"))), waited)
      case .success(let step):
        let (page, durable) = (step.page, step.durable)
        let now = Clock.nanoseconds()
        let left = now < deadline ? Milliseconds((deadline - now) / 1_000_000) : 0
        let isAtEnd = page.last >= durable
        if !page.events.isEmpty || isAtEnd && left == 0 || !isAtEnd && left == 0 && now - start > Self.patience {
          return (
            FinishedWork(work, .success(FeedPage(events: page.events, last: page.last, patience: left))), waited
          )
        }
        position = page.last
        guard isAtEnd else { continue }
        let wake = await wait(beyond: page.last, left, ticket)
        waited += Clock.nanoseconds(since: now)
        if case .released = wake {
          return (FinishedWork(work, .success(FeedPage(events: [], last: page.last, patience: 0))), waited)
        }
      }
    }
  }

  private func wait(
    beyond last: LSN, _ span: Milliseconds, _ ticket: FeedReaders.Ticket?
  ) async -> FeedReaders.Wake {
    facts.blockedClients.add(1, ordering: .relaxed)
    defer { facts.blockedClients.subtract(1, ordering: .relaxed) }
    return await feedReaders.wait(.milliseconds(span), ticket) { log.durableLSN > last }
  }

  /// What there is for a reader, up to which record it was looked for, and the last durable record.
  private struct Step {
    let page: (events: [TrailEvent], last: LSN)
    let durable: LSN
  }

  /// Reads one part of the log, of a bounded number of records.
  private func readStep(_ work: ReadFeed, after position: LSN?, _ lastWrite: LSN) throws -> Step {
    let durable = waitUntilDurable(lastWrite)
    let after = position ?? durable
    guard after <= durable else {
      throw Refusal.rule(
        "feed", "there is no record \(after) yet; the newest is \(durable)",
        instead: "if the server went back to a backup, read the state anew and go on from its newest record")
    }
    if after == durable { return Step(page: ([], durable), durable: durable) }
    if let page = feedTail.page(work, after: after, through: durable) { return Step(page: page, durable: durable) }
    if let first = try history.firstLSN(), after + 1 < first {
      throw Refusal.rule(
        "feed", "the records up to \(first - 1) were deleted when their time was over",
        instead: "read the state anew, and go on with FEED.READ \(first - 1)")
    }
    let range = (after + 1)...min(durable, after + Limits.recordsOfFeed)
    return Step(page: try page(work, history, range), durable: durable)
  }

  private func page(
    _ work: ReadFeed, _ history: History, _ range: ClosedRange<LSN>
  ) throws -> (events: [TrailEvent], last: LSN) {
    var query = History.Query(range, about: work.keys)
    if !work.keys.allSatisfy(RecordKey.isOfPeople) { query.indexedSince = 2 }
    let filter = FeedFilter(work)
    var page = FeedPageBuilder(work)
    try history.forEach(query) { lsn, bytes in
      var reader = ByteReader(bytes)
      guard page.add(try Record(from: &reader, history.seals), lsn, bytes: bytes.count, filter) else { return false }
      page.last = lsn
      return true
    }
    return (page.events, page.isFull ? page.last : range.upperBound)
  }
}
