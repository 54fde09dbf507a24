import GatehouseCore
import Logging
import NIOCore
import Synchronization

/// Backpressure: while a client does not read its replies, we stop carrying out its requests, and from some point on we
/// stop reading them.
extension Connection {
  /// How many bytes of replies a client may leave unread before we stop carrying out its requests. Replies are made as
  /// the client reads them, so that what piles up is requests, which are small. The kernel's send buffer keeps the
  /// connection busy meanwhile.
  static let mostUntaken = 64 * 1024
  /// How many bytes of replies may wait for the log before we stop carrying out requests.
  static let mostUnsettled = 1024 * 1024
  /// How many bytes of requests we read ahead of those that can be carried out.
  private static let readAhead = 64 * 1024

  // MARK: Reading

  /// Requests were kept that cannot be carried out now.
  func noteUnread() {
    countWaiting()
    updateReading()
  }

  /// Stops reading while too much waits, and starts again when there is room.
  func updateReading() {
    if flow.isEnding { return }
    setReading(flow.state == .ready || mayReadAhead)
  }

  private var mayReadAhead: Bool {
    if serverFacts.phase.load(ordering: .relaxed) == .stopping { return false }
    if unread.readableBytes < Self.readAhead { return true }
    // A client that does not read its replies may be one that writes all its requests first. If we stopped reading now,
    // both sides would wait for each other for ever.
    guard outbox.waiting >= Self.mostUntaken else { return false }
    return waitingBytes < serverFacts.clientOutputLimit.load(ordering: .relaxed) && lane.mayReadAhead
  }

  func setReading(_ isOn: Bool) {
    switch (input, isOn) {
    case (.open, false): input = .stopped
    case (.stopped, true): input = .open
    case (.open, true), (.stopped, false), (.ended, _): return
    }
    transport.setReading(isOn)
  }

  // MARK: What waits

  /// Bytes of memory held for the client: replies that it has not taken or may not have yet, and requests.
  var waitingBytes: Int { hasClosed ? 0 : untakenBytes + unreadBytes }
  /// The replies among `waitingBytes`.
  var untakenBytes: Int { outbox.heldBytes + queue.pendingBytes + transport.heldBytes }
  /// The requests among `waitingBytes`.
  var unreadBytes: Int { unread.readableBytes }

  @inline(__always)
  func countWaiting() {
    let now = waitingBytes
    if now == counted { return }
    lane.noteWaiting(now - counted)
    counted = now
  }

  /// Checks whether the client is reading its replies.
  func noteProgress(at now: Milliseconds) {
    // Changes whenever the kernel has taken bytes or the peer has acknowledged some.
    let mark = outbox.isEmpty ? 0 : outbox.waiting &* 31 &+ transport.unacknowledged
    if mark != progress.mark || outbox.isEmpty { progress = Progress(mark: mark, at: now) }
  }

  /// Whether replies wait and the client has read none of them for `WaitingBytes.grace`.
  func isStalled(at now: Milliseconds) -> Bool { !outbox.isEmpty && now - progress.at >= WaitingBytes.grace }

  /// Disconnects a client that is over its output limit, and logs it.
  func disconnectOverLimit() {
    if hasClosed { return }
    serverFacts.outputLimitDisconnections.add(1, ordering: .relaxed)
    serverFacts.limits.add(.clientOutput)
    lane.services?.logger.warning(
      "a client was disconnected: more waits for it than client-output-limit",
      metadata: [
        "id": "\(client.id)", "address": "\(client.address)", "replies": "\(untakenBytes)",
        "requests": "\(unreadBytes)",
      ])
    close()
  }
}
