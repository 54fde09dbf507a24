import GatehouseCore
import Logging
import NIOCore
import Synchronization

/// Backpressure: while a client does not read its replies, its requests are not carried out, and from some point on not
/// read either.
extension Connection {
  /// How much a client may leave untaken before no more of its requests are carried out: replies are made as the client
  /// takes them, so that what waits are requests, which are small. The kernel's own buffer keeps the connection busy.
  static let mostUntaken = 64 * 1024
  /// How many bytes of replies may wait for the log before no more requests are carried out.
  static let mostUnsettled = 1024 * 1024
  /// How many bytes of requests are read ahead of those that can be carried out.
  private static let readAhead = 64 * 1024

  // MARK: Reading

  /// Requests wait that cannot be carried out now.
  func noteUnread() {
    countWaiting()
    updateReading()
  }

  /// Stops reading while more waits than may, and begins again.
  func updateReading() {
    if flow.isEnding { return }
    setReading(flow.state == .ready || mayReadAhead)
  }

  private var mayReadAhead: Bool {
    if serverFacts.phase.load(ordering: .relaxed) == .stopping { return false }
    if unread.readableBytes < Self.readAhead { return true }
    // A client that does not take its replies may be one that writes all its requests first. Were it not read from, both
    // sides would wait for ever.
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

  /// Bytes of memory that wait for the client: replies it has not taken or may not have yet, and requests.
  var waitingBytes: Int { untakenBytes + unreadBytes }
  /// … replies.
  var untakenBytes: Int { outbox.heldBytes + queue.pendingBytes }
  /// … requests.
  var unreadBytes: Int { unread.readableBytes }

  @inline(__always)
  func countWaiting() {
    let now = waitingBytes
    if now == counted { return }
    lane.noteWaiting(now - counted)
    counted = now
  }

  /// Looks whether the client takes its replies.
  func noteProgress(at now: Milliseconds) {
    // Changes whenever the kernel has taken something or the client's system has acknowledged something.
    let mark = outbox.isEmpty ? 0 : outbox.waiting &* 31 &+ transport.unacknowledged
    if mark != progress.mark || outbox.isEmpty { progress = Progress(mark: mark, at: now) }
  }

  /// Whether replies wait that the client has not taken anything of for a while.
  func isStalled(at now: Milliseconds) -> Bool { !outbox.isEmpty && now - progress.at >= WaitingBytes.grace }

  /// Disconnects a client for which more waits than may, and says so where the operator looks.
  func disconnectOverLimit() {
    if hasClosed { return }
    serverFacts.outputLimitDisconnections.add(1, ordering: .relaxed)
    lane.services?.logger.warning(
      "a client was disconnected: more waits for it than client-output-limit",
      metadata: [
        "id": "\(client.id)", "address": "\(client.address)", "replies": "\(untakenBytes)",
        "requests": "\(unreadBytes)",
      ])
    close()
  }
}
