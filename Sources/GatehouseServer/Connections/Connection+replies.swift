import GatehouseCore
import GatehouseWire
import NIOCore

/// From decisions to bytes: what may leave is gathered by the lane, what waits for the log or for others is queued.
extension Connection {
  /// Sends the turn's reply, or keeps it until the log is durable through what it shows.
  @inline(__always)
  func addReply(of turn: Turn, on lane: Lane, horizon: LSN) {
    if queue.isEmpty, horizon <= lane.durableBefore || horizon <= lane.durable {
      let (nodes, bytes) = turn.replyParts
      ReplyEncoder.encode(nodes, bytes, client.version, into: &lane.replies.bytes)
    } else {
      add(turn.reply, horizon: horizon)
    }
  }

  /// Sends a reply, or keeps it until the log is durable through `horizon`.
  func add(_ reply: Reply, horizon: LSN) {
    let isDurable = horizon == 0 || horizon <= lane.durable
    if !isDurable, lane.services.isLogStuck, lastWrite <= lane.durable {
      // Refused at once, so that what follows in the same read does not share its place and its fate.
      return add(refusalOfWaiting, horizon: 0)
    }
    if queue.isEmpty, isDurable {
      ReplyEncoder.encode(reply, client.version, into: &lane.replies.bytes)
    } else {
      queue.add(horizon: horizon) { ReplyEncoder.encode(reply, client.version, into: &$0) }
    }
  }

  /// Sends a reply that is the same for everybody: encoded once, and its memory shared by all who wait for it.
  func add(shared reply: ByteBuffer) {
    if flow.isWorking { stopSlice() }
    guard queue.isEmpty else { return queue.add(shared: reply) }
    sendNow()
    noteOutput(reply.readableBytes)
    outbox.send(shared: reply, over: transport)
    noteSent()
  }

  // MARK: From elsewhere

  /// Puts the reply of a command that ran elsewhere in its place.
  func deliver(_ ticket: UInt64, _ reply: EncodedReply) {
    if hasClosed { return }
    queue.fill(ticket, reply.bytes, horizon: reply.horizon)
    logAdvanced(lane.durable)
  }

  /// Sends what the log, durable so far, lets go, and goes on with what waited for it.
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

  /// Replies wait for what will not become durable soon, or, once the log has failed, ever.
  ///
  /// A read of it is refused. A write of this connection waits for room with the log. Where the log has failed it may be
  /// on the disk or not, and the next start may find it: any answer could be a lie, so the client is left without one, as
  /// after a crash.
  ///
  /// - Returns: false where the connection was closed.
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

  /// What is answered in place of a reply that would wait for a log that does not go on.
  private var refusalOfWaiting: Reply {
    var reply = Reply()
    reply.error((lane.services.hasLogFailed ? Refusal.neverDurable : .notDurableYet(lane.services.log)).text)
    return reply
  }

  var nextHorizon: LSN? { queue.nextHorizon }

  // MARK: Sending

  /// Ends what the connection has done in one go: its replies leave with the lane's tick, and it waits for what it must.
  @inline(__always)
  func settle() {
    gather()
    if queue.nextHorizon != nil, !isWaitingForLog, !hasClosed {
      isWaitingForLog = true
      lane.waitForLog(self)
    }
    closeIfDone()
  }

  /// Leaves the replies that were made to the lane, which sends them at the end of its tick.
  @inline(__always)
  private func gather() {
    if lane.replies.added == 0 { return }
    lane.replies.end(of: self)
    if lane.replies.bytes.count >= LaneReplies.most { lane.sendReplies() }
  }

  /// Sends the replies that were made, after those that the lane has of others.
  func sendNow() {
    gather()
    lane.sendReplies()
  }

  /// The lane sends the connection's replies.
  @inline(__always)
  func send(_ bytes: UnsafeRawBufferPointer) {
    if hasClosed { return }
    noteOutput(bytes.count)
    outbox.send(bytes, over: transport)
    if !outbox.isEmpty { noteSent() }
  }

  @inline(__always)
  private func noteOutput(_ count: Int) {
    lane.metrics.outputBytes &+= UInt64(count)
    client.outputBytes &+= count
  }

  /// Looks what of the replies the transport has not taken.
  private func noteSent() {
    if outbox.isEmpty { return }
    if progress.mark == 0 { noteProgress(at: lane.now) }
    if outbox.waiting >= Self.mostUntaken { flow.obstruct() }
    countWaiting()
  }
}
