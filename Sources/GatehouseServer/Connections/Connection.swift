import GatehouseCore
import GatehouseWire
import NIOCore

/// A client's connection: parses its bytes into requests, has the lane carry them out, and sends the replies in command
/// order.
///
/// It knows no socket. A `Transport` reports what arrives and sends what it is told to, so that a test can stand in for
/// a socket. `ConnectionFlow` is the state machine of its requests.
///
/// Only its lane's thread uses it, and no method holds access to a property while it calls code that uses the same
/// property. So the runtime's exclusivity checks are off for the properties.
final class Connection: TransportUser {
  let lane: Lane
  @exclusivity(unchecked) let transport: any Transport
  @exclusivity(unchecked) var client: ClientFacts
  /// What decisions know about the connection.
  @exclusivity(unchecked) var facts: ConnectionFacts
  /// How it has authenticated, if it has a service.
  @exclusivity(unchecked) var proof = Proof.secret
  /// Why the certificate that the client has shown gives it no service.
  @exclusivity(unchecked) var certificateRefusal: Refusal?
  /// Since when it has to authenticate, in milliseconds of the monotonic clock; nil while it does not.
  @exclusivity(unchecked) var unknownSince: Milliseconds?
  @exclusivity(unchecked) var isMonitor = false
  @exclusivity(unchecked) var subscriptions = Subscriptions()
  @exclusivity(unchecked) var transaction = Transaction()
  /// The largest LSN of this connection's writes, for `WAITAOF`.
  @exclusivity(unchecked) var lastWrite: LSN = 0

  /// Set while a command reads the feed, and may wait for records.
  @exclusivity(unchecked) var feedTicket: FeedReaders.Ticket?

  @exclusivity(unchecked) var flow = ConnectionFlow()
  @exclusivity(unchecked) var input = Input.open
  @exclusivity(unchecked) var parser = RequestParser()
  /// Bytes of an incomplete request, or of requests that cannot be carried out yet.
  @exclusivity(unchecked) var unread = ByteBuffer()
  /// The slice of requests at hand ends once this many bytes of replies exist.
  @exclusivity(unchecked) var sliceEnd = 0

  /// Replies that may not leave yet.
  @exclusivity(unchecked) var queue = ReplyQueue()
  /// Replies that the transport has not taken yet.
  @exclusivity(unchecked) var outbox = Outbox()
  /// Whether the lane calls `logAdvanced` when more of the log is durable.
  @exclusivity(unchecked) var isWaitingForLog = false
  /// Since when it waits for the log, in the clock's nanoseconds.
  @exclusivity(unchecked) var waitingSince: UInt64 = 0

  /// What it has sent in this second, and what it may send.
  @exclusivity(unchecked) var rate = RequestRate()
  @exclusivity(unchecked) var mostOfConnection = RequestRate.Most.none
  @exclusivity(unchecked) var mostOfService = RequestRate.Most.none
  /// Whether requests are looked at before anything else is done: their rate, and whether a subscriber may send them. Kept
  /// because every command asks.
  @exclusivity(unchecked) var isScreened = false
  /// What all connections of its service use, if it has one.
  @exclusivity(unchecked) var use: ServiceUse?

  /// The value of `waitingBytes` that is included in the lane's total.
  @exclusivity(unchecked) var counted = 0
  @exclusivity(unchecked) var progress = Progress()

  /// Whether the socket is read.
  enum Input {
    /// Bytes are read as they arrive.
    case open
    /// Backpressure: bytes stay in the kernel, which makes the client's system stop sending.
    case stopped
    /// The client has closed its sending side.
    case ended
  }

  /// How far the client had read its replies when last looked at, and when that last changed.
  struct Progress {
    var mark = 0
    var at: Milliseconds = 0
  }

  init(_ transport: any Transport, lane: Lane, client: ClientFacts) {
    self.transport = transport
    self.lane = lane
    self.client = client
    facts = ConnectionFacts(id: client.id, service: nil, rights: [])
    unknownSince = client.connected
    lane.connections[client.id] = self
  }

  var serverFacts: ServerFacts { lane.facts }

  // MARK: Events of the transport

  /// Bytes have arrived. Their requests are carried out at once, or kept.
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

  /// The client has closed its sending side, but may still read.
  func inputEnded() {
    transport.setReading(false)
    input = .ended
    // It may have closed for good, which cannot be told from having nothing more to ask.
    releaseFeed()
    closeIfDone()
  }

  /// The transport can take more bytes.
  ///
  /// - Returns: whether more remains than one tick may send.
  func hasRoom() -> Bool {
    if flow.state == .closed || isHeldBack { return false }
    outbox.sendWaiting(limit: Self.mostSentAtOnce, over: transport)
    countWaiting()
    resume()
    updateReading()
    closeIfDone()
    return !outbox.isEmpty
  }

  /// How many of the waiting bytes one tick sends, before other connections get their turn.
  private static let mostSentAtOnce = 256 * 1024

  // MARK: Closing

  /// Closes once all replies have left. Requests not yet carried out are dropped.
  func finish() {
    flow.finish()
    unread = ByteBuffer()
    countWaiting()
    closeIfDone()
  }

  /// Closes if nothing is left to do: all requests are answered and the client has taken its replies, however slowly.
  func closeIfDone() {
    guard flow.state == .finishing || (input == .ended && flow.state == .ready), queue.isEmpty else { return }
    sendNow()
    if outbox.isEmpty { close() }
  }

  /// The client is nobody any more who may ask anything. What it has asked is answered, because some of it may be done
  /// for good.
  func dismiss() {
    forgetService()
    releaseFeed()
    finish()
    settle()
  }

  /// Closes at once.
  func close() {
    guard flow.close() else { return }
    // All that is held for the client is dropped here and not when the connection is freed: replies that wait for the
    // log would otherwise keep counting, for good.
    outbox.removeAll()
    queue = ReplyQueue()
    unread = ByteBuffer()
    countWaiting()
    transport.close()
    leaveService()
    releaseFeed()
    endMonitor()
    endSubscriptions()
    lane.closed(self)
  }

  /// Answers a command that waits for records of the feed with what there is.
  private func releaseFeed() {
    if let feedTicket { lane.services.feedReaders.release(feedTicket) }
  }

  /// Whether the client is gone.
  var hasClosed: Bool { flow.state == .closed }
}
