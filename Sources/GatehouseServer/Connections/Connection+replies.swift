import GatehouseCore
import GatehouseWire
import NIOCore

/// From decisions to bytes: the lane gathers what may leave at once; what waits for the log or for earlier replies is
/// queued.
extension Connection {
  /// Sends the turn's reply, or queues it until the log is durable through everything the reply shows.
  @inline(__always)
  func addReply(of turn: Turn, on lane: Lane, horizon: LSN) {
    let (nodes, bytes) = turn.replyParts
    if queue.isEmpty, horizon <= lane.durableBefore || horizon <= lane.durable {
      ReplyEncoder.encode(nodes, bytes, client.version, into: &lane.replies.bytes)
    } else {
      add(nodes, bytes, horizon: horizon)
    }
  }

  /// Queues the turn's reply to a write, whose record is not on disk yet: asking how far the log is durable would be in
  /// vain, and every write of every lane would ask.
  @inline(__always)
  func queueReply(of turn: Turn, horizon: LSN) {
    let (nodes, bytes) = turn.replyParts
    queue.add(horizon: horizon) { ReplyEncoder.encode(nodes, bytes, client.version, into: &$0) }
  }

  /// Sends a reply, or queues it until the log is durable through `horizon`.
  func add(_ reply: Reply, horizon: LSN) { reply.withParts { add($0, $1, horizon: horizon) } }

  private func add(_ nodes: UnsafeBufferPointer<Reply.Node>, _ bytes: UnsafeRawBufferPointer, horizon: LSN) {
    let isDurable = horizon == 0 || horizon <= lane.durable
    if !isDurable, lane.services.isLogStuck, lastWrite <= lane.durable {
      // Refuse it now. If it were queued it would share a slot with later replies of the same read, and they would be
      // refused along with it.
      return add(refusalOfWaiting, horizon: 0)
    }
    if queue.isEmpty, isDurable {
      ReplyEncoder.encode(nodes, bytes, client.version, into: &lane.replies.bytes)
    } else {
      queue.add(horizon: horizon) { ReplyEncoder.encode(nodes, bytes, client.version, into: &$0) }
    }
  }

  /// Sends a reply that is the same for many connections: encoded once, with its memory shared by all of them.
  func add(shared reply: ByteBuffer) {
    if flow.isWorking { stopSlice() }
    guard queue.isEmpty else { return queue.add(shared: reply) }
    sendNow()
    if isHeldBack { return }
    noteOutput(reply.readableBytes)
    outbox.send(shared: reply, over: transport)
    noteSent()
  }

  // MARK: From other threads

  /// Fills the slot of a command that was answered later.
  func deliver(_ ticket: UInt64, _ reply: EncodedReply) {
    if hasClosed { return }
    queue.fill(ticket, reply.bytes, horizon: reply.horizon)
    logAdvanced(lane.durable)
  }

  /// The log is now durable through `durable`: sends the replies that waited for it, and continues with the requests
  /// behind them.
  func logAdvanced(_ durable: LSN) {
    isWaitingForLog = false
    if hasClosed { return }
    queue.release(durable: durable, into: &lane.replies.bytes)
    if let horizon = queue.nextHorizon, horizon > durable, lane.services.isLogStuck {
      guard giveUpWaiting(durable) else { return }
    }
    gather()
    countWaiting()
    resume()
    settle()
  }

  /// The log has stopped, and replies wait for records that will not become durable soon, or never if the log has
  /// failed.
  ///
  /// A reply that only reads such a record is refused. If this connection wrote one, its replies wait until the log has
  /// room again. But after the log has failed, that write may or may not be on disk, and the next start may find it.
  /// Any answer could be wrong, so the connection is closed without one, as a crash would.
  ///
  /// - Returns: false if the connection was closed.
  private func giveUpWaiting(_ durable: LSN) -> Bool {
    let hasFailed = lane.services.hasLogFailed
    guard lastWrite <= durable else {
      sendNow()
      if hasFailed { close() }
      return !hasFailed
    }
    var bytes = ByteBuffer()
    ReplyEncoder.encode(refusalOfWaiting, client.version, into: &bytes)
    queue.refuse(beyond: durable, with: bytes)
    queue.release(durable: durable, into: &lane.replies.bytes)
    return true
  }

  /// The refusal sent in place of a reply that waits for a log that has stopped.
  private var refusalOfWaiting: Reply {
    var reply = Reply()
    reply.error((lane.services.hasLogFailed ? Refusal.neverDurable : .notDurableYet(lane.services.log)).text)
    return reply
  }

  var nextHorizon: LSN? { queue.nextHorizon }

  // MARK: Sending

  /// Ends a piece of the connection's work: its replies leave with the lane's tick, and it registers with the log if
  /// replies wait for it.
  @inline(__always)
  func settle() {
    gather()
    if queue.nextHorizon != nil, !isWaitingForLog, !hasClosed {
      isWaitingForLog = true
      lane.waitForLog(self)
    }
    closeIfDone()
  }

  /// Hands the replies made so far to the lane, which sends them at the end of its tick.
  @inline(__always)
  private func gather() {
    if lane.replies.added == 0 { return }
    lane.replies.end(of: self)
    if lane.replies.bytes.count >= LaneReplies.most { lane.sendReplies() }
  }

  /// Sends the replies made so far at once, after those that the lane has gathered for other connections.
  func sendNow() {
    gather()
    lane.sendReplies()
  }

  /// Called by the lane to send this connection's replies.
  @inline(__always)
  func send(_ bytes: UnsafeRawBufferPointer) {
    if hasClosed || isHeldBack { return }
    noteOutput(bytes.count)
    outbox.send(bytes, over: transport)
    if !outbox.isEmpty { noteSent() }
  }

  /// Whether replies may not leave, because another node may lead by now and have answered otherwise. The connection is
  /// closed then, as by a crash: the client asks again where the leader is.
  ///
  /// Asked when they leave and not when they are made: the process may have been stopped in between.
  @inline(__always)
  var isHeldBack: Bool {
    if serverFacts.node.mayAnswer { return false }
    close()
    return true
  }

  @inline(__always)
  private func noteOutput(_ count: Int) {
    lane.metrics.outputBytes &+= UInt64(count)
    client.outputBytes &+= count
  }

  /// Accounts for what the transport has not taken.
  private func noteSent() {
    if outbox.isEmpty { return }
    if progress.mark == 0 { noteProgress(at: lane.now) }
    if outbox.waiting >= Self.mostUntaken { flow.obstruct() }
    countWaiting()
  }
}
