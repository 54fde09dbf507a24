import GatehouseCore
import GatehouseWire
import NIOCore

/// A client's connection: takes requests out of its bytes, has its lane carry them out, and sends the replies in command
/// order.
///
/// It knows no socket: a `Transport` tells it what comes and is told what to send, so that a test can be one. Where it
/// stands with its requests says `ConnectionFlow`.
///
/// It is touched on its lane's thread only, and nothing of it from within another access; so its properties are not
/// checked for that.
final class Connection {
  let lane: Lane
  @exclusivity(unchecked) let transport: any Transport
  @exclusivity(unchecked) var client: ClientFacts
  /// What decisions know of the connection.
  @exclusivity(unchecked) var facts: ConnectionFacts
  @exclusivity(unchecked) var isMonitor = false
  @exclusivity(unchecked) var transaction = Transaction()
  /// The largest LSN of this connection's writes, for `WAITAOF`.
  @exclusivity(unchecked) var lastWrite: LSN = 0

  @exclusivity(unchecked) var flow = ConnectionFlow()
  @exclusivity(unchecked) var input = Input.open
  @exclusivity(unchecked) var parser = RequestParser()
  /// Bytes that are no whole request yet, or wait until requests are carried out again.
  @exclusivity(unchecked) var unread = ByteBuffer()
  /// How many bytes of replies there may be when the slice of requests at hand is over.
  @exclusivity(unchecked) var sliceEnd = 0

  /// Replies that may not leave yet.
  @exclusivity(unchecked) var queue = ReplyQueue()
  /// Replies that the transport has not taken yet.
  @exclusivity(unchecked) var outbox = Outbox()
  /// Whether the lane tells when the log has come further.
  @exclusivity(unchecked) var isWaitingForLog = false
  /// Since when, in the clock's nanoseconds.
  @exclusivity(unchecked) var waitingSince: UInt64 = 0

  /// Bytes that wait for the client, as its lane has counted them.
  @exclusivity(unchecked) var counted = 0
  @exclusivity(unchecked) var progress = Progress()

  /// What becomes of what the client sends.
  enum Input {
    /// It is read.
    case open
    /// It is left where it is, so that the client's system stops it (backpressure).
    case stopped
    /// The client sends no more.
    case ended
  }

  /// How far the client had come with its replies when it was last looked at, and when that had changed.
  struct Progress {
    var mark = 0
    var at: Milliseconds = 0
  }

  init(_ transport: any Transport, lane: Lane, client: ClientFacts) {
    self.transport = transport
    self.lane = lane
    self.client = client
    facts = ConnectionFacts(id: client.id, service: nil, rights: [])
    lane.connections[client.id] = self
  }

  var serverFacts: ServerFacts { lane.facts }

  // MARK: The transport's news

  /// Bytes have come. They are carried out at once, or kept.
  func received(_ bytes: UnsafeRawBufferPointer) {
    if flow.isEnding { return }
    lane.metrics.inputBytes &+= UInt64(bytes.count)
    client.inputBytes &+= bytes.count
    if flow.state != .ready {
      unread.writeBytes(bytes)
      noteUnread()
    } else if unread.readableBytes > 0 {
      unread.writeBytes(bytes)
      carryOutUnread()
    } else {
      let done = carryOut(bytes)
      if done < bytes.count, !flow.isEnding { unread.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[done...])) }
      endWork()
    }
    settle()
  }

  /// The client sends no more, but may still read.
  func inputEnded() {
    transport.setReading(false)
    input = .ended
    closeIfDone()
  }

  /// The transport takes more.
  ///
  /// - Returns: whether there is more for it than one tick may send.
  func hasRoom() -> Bool {
    if flow.state == .closed { return false }
    outbox.sendWaiting(limit: Self.mostSentAtOnce, over: transport)
    countWaiting()
    resume()
    updateReading()
    closeIfDone()
    return !outbox.isEmpty
  }

  /// How much of what waits one tick sends: then others come.
  private static let mostSentAtOnce = 256 * 1024

  // MARK: Closing

  /// Closes once all replies have left; what else the client asked is dropped.
  func finish() {
    flow.finish()
    unread = ByteBuffer()
    countWaiting()
    closeIfDone()
  }

  /// Closes if nothing is left to be done: after the last request, however slowly the client takes its replies.
  func closeIfDone() {
    guard flow.state == .finishing || (input == .ended && flow.state == .ready), queue.isEmpty else { return }
    sendNow()
    if outbox.isEmpty { close() }
  }

  /// Closes at once.
  func close() {
    guard flow.close() else { return }
    outbox.removeAll()
    unread = ByteBuffer()
    countWaiting()
    transport.close()
    if isMonitor { lane.services.monitors.leave() }
    lane.closed(self)
  }

  /// Whether the client is gone.
  var hasClosed: Bool { flow.state == .closed }
}
