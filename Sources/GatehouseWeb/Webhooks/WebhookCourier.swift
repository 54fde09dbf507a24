import GatehouseCore
import GatehouseServer
import GatehouseWire

/// Delivers the events of one webhook: in order, one at a time, each until it is accepted.
///
/// The cursor is noted in the log every few seconds and not for each event. After a crash, what was delivered since then is
/// delivered again, with the same ids; nothing is left out.
actor WebhookCourier {
  private let door: CommandDoor
  private let sender: WebhookSender
  private let id: WebhookID
  private var progress: WebhookProgress
  /// As of which `Webhook.moves` the progress is.
  private var moves: UInt32
  /// How many events of the record after the cursor were delivered.
  private var delivered = 0
  /// What was noted last, and when.
  private var noted: WebhookProgress
  private var notedAt = ContinuousClock.now
  private var sinceNoted = 0
  private var isGone = false

  /// The cursor is noted after this long, or this many events.
  private static let noteEvery = Duration.seconds(5)
  private static let eventsNoted = 500
  /// Records that were not for the webhook after which the cursor is noted nevertheless, so that a start need not look at
  /// them again.
  private static let recordsNoted: LSN = 100_000
  /// … or this long, so that the noted cursor is never older than the log, which is kept for at least a day.
  private static let restNoted = Duration.seconds(6 * 3600)
  private static let pageSize = "50"
  private static let longestWait = Duration.seconds(60)

  init(_ webhook: Webhook, _ door: CommandDoor, _ sender: WebhookSender) {
    self.door = door
    self.sender = sender
    id = webhook.id
    moves = webhook.moves
    progress = webhook.progress
    noted = webhook.progress
  }

  /// Delivers until the task is cancelled or the receiver is gone, and notes how far it came.
  func run(_ webhook: Webhook, isResumed: Bool) async {
    if moves != webhook.moves {
      moves = webhook.moves
      progress.cursor = webhook.progress.cursor
      noted = progress
      delivered = 0
    }
    if isResumed { progress.failures = 0 }
    isGone = false
    while !Task.isCancelled, !isGone {
      do {
        try await step(webhook)
      } catch let problem as Problem where door.condition != .stopping {
        await fail("the feed cannot be read: \(problem.code) \(problem.detail)", asked: 0)
      } catch {
        break
      }
    }
    await note(isDue: true)
  }

  /// Reads a page and delivers it.
  ///
  /// - Throws: `CancellationError` if somebody has other orders, or `Problem` if the feed cannot be read.
  private func step(_ webhook: Webhook) async throws {
    let page = try await read(webhook)
    try Task.checkCancellation()
    var rest = page.events.dropFirst(delivered)
    while let event = rest.first, !isGone {
      // What happens after an order was acknowledged must not be delivered as before it; the dispatcher starts this anew.
      guard door.webhook(id)?.orders == webhook.orders else { throw CancellationError() }
      guard await deliver(event, webhook) else {
        try Task.checkCancellation()
        continue
      }
      rest = rest.dropFirst()
      // An id without a position is that of the record's last event.
      if event.id == "\(event.lsn)" {
        progress.cursor = event.lsn
        delivered = 0
      } else {
        delivered += 1
      }
      sinceNoted += 1
      await note(isDue: false)
      try Task.checkCancellation()
    }
    if rest.isEmpty, page.last > progress.cursor {
      progress.cursor = page.last
      delivered = 0
    }
    await note(isDue: false)
  }

  private func read(_ webhook: Webhook) async throws -> EventPage {
    // A webhook begins after the record that creates it.
    await door.waitUntilDurable(progress.cursor)
    var words = ["FEED.READ", "\(progress.cursor)", "COUNT", Self.pageSize]
    for type in webhook.typeNames { words += ["TYPE", type] }
    if let workspace = door.workspaceName(webhook.workspace) { words += ["WORKSPACE", workspace] }
    words += ["BLOCK", "\(wait.components.seconds)s"]
    let ticket = FeedTicket()
    let reply = await withTaskCancellationHandler {
      await door.readFeed(words, for: door.ownCaller, ticket)
    } onCancel: {
      door.release(ticket)
    }
    // Whoever is told to stop waiting has not learned anything of the feed.
    try Task.checkCancellation()
    return try EventPage(reply, source: door.eventSource)
  }

  /// How long to wait for events: less if there is something to note.
  private var wait: Duration { isDirty ? Self.noteEvery : Self.longestWait }

  // MARK: Delivering

  /// - Returns: whether the event was accepted. If not, the next attempt is due when this returns.
  private func deliver(_ event: CloudEvent, _ webhook: Webhook) async -> Bool {
    let request = WebhookRequest(event, to: webhook.url, secrets: webhook.secrets(at: door.now), now: door.now)
    switch await sender.send(request) {
    case .status(let status, _) where (200..<300).contains(status):
      door.noteDelivery(succeeded: true)
      progress.failures = 0
      progress.lastSuccess = door.now
      return true
    case .status(410, _):
      door.noteDelivery(succeeded: false)
      isGone = true
      count("the receiver answered 410")
    case .status(let status, let asked):
      door.noteDelivery(succeeded: false)
      let hint = (300..<400).contains(status) ? "; redirects are not followed" : ""
      await fail("the receiver answered \(status)\(hint)", asked: asked)
    case .failed(let why):
      door.noteDelivery(succeeded: false)
      await fail(why, asked: 0)
    case .abandoned:
      try? await Task.sleep(for: Self.longestWait)
    }
    return false
  }

  private func count(_ why: String) {
    progress.failures += progress.failures < .max ? 1 : 0
    progress.lastError = why
    progress.lastErrorTime = door.now
  }

  /// Counts a failure, and waits until the next attempt is due or the task is cancelled.
  private func fail(_ why: String, asked: Int) async {
    count(why)
    // That it is failing from now on is news.
    await note(isDue: progress.failures == Limits.webhookFailures)
    let pause = Backoff.milliseconds(after: progress.failures, asked: asked, chance: .random(in: 0...1))
    try? await Task.sleep(for: .milliseconds(pause))
  }

  // MARK: Noting

  private var isDirty: Bool { sinceNoted > 0 || progress.failures != noted.failures }

  private func note(isDue: Bool) async {
    let age = ContinuousClock.now - notedAt
    let isOld = age >= Self.noteEvery
    let isFar =
      progress.cursor >= noted.cursor + Self.recordsNoted || progress.cursor > noted.cursor && age >= Self.restNoted
    guard isGone || isFar || isDirty && (isDue || isOld || sinceNoted >= Self.eventsNoted) else { return }
    var words = ["WEBHOOK.NOTE", "\(id)", "\(moves)", "\(progress.cursor)", "\(progress.failures)"]
    if !progress.lastError.isEmpty {
      words += ["ERROR", progress.lastError, "ERRORTIME", "\(progress.lastErrorTime)"]
    }
    if progress.lastSuccess > 0 { words += ["SUCCESS", "\(progress.lastSuccess)"] }
    if isGone { words.append("GONE") }
    let (now, wanted) = (ContinuousClock.now, progress)
    // If the log takes nothing, it is noted later.
    if case .error = await door.note(words) {
      if isGone { try? await Task.sleep(for: Self.noteEvery) }
      isGone = false
      return
    }
    noted = wanted
    notedAt = now
    sinceNoted = 0
  }
}
