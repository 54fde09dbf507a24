import GatehouseCore
import GatehouseWire
import Logging
import NIOCore
import Synchronization

/// A client's connection: takes requests out of its bytes, has its lane carry them out, and sends the
/// replies in command order.
///
/// Its channel runs on its lane's loop, so it calls the lane and the lane's executor directly. Nothing of it
/// is touched by another thread or from within another access, and so its properties are not checked for that.
final class ConnectionHandler: ChannelInboundHandler {
  package typealias InboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  let lane: Lane
  let serverFacts: ServerFacts
  @exclusivity(unchecked) var client: ClientFacts
  /// What decisions know of the connection.
  @exclusivity(unchecked) var facts: ConnectionFacts
  @exclusivity(unchecked) var isMonitor = false

  @exclusivity(unchecked) var context: ChannelHandlerContext!
  @exclusivity(unchecked) private(set) var outbox = Outbox()
  @exclusivity(unchecked) private var parser = RequestParser()
  /// Bytes that are no whole request yet, or wait because the connection is paused.
  @exclusivity(unchecked) private(set) var unread = ByteBuffer()
  /// Replies that leave with the next flush. Its memory is the lane's, lent for as long as there are any.
  @exclusivity(unchecked) var ready = ByteBuffer()
  @exclusivity(unchecked) var queue = ReplyQueue()
  @exclusivity(unchecked) var transaction = Transaction()
  @exclusivity(unchecked) private var isWaitingForLog = false
  /// Whether requests wait until something has come first: what is under way elsewhere, the client that is to take its
  /// replies, the lane's next round.
  @exclusivity(unchecked) var isPaused = false
  /// Whether the connection waits in its lane's line.
  @exclusivity(unchecked) private var isInLine = false
  @exclusivity(unchecked) private var isReading = false
  @exclusivity(unchecked) private(set) var isClosing = false
  private var isInputClosed = false
  /// Whether the channel reads by itself.
  private var isChannelReading = true
  /// The largest LSN of this connection's writes, for `WAITAOF`.
  @exclusivity(unchecked) var lastWrite: LSN = 0

  init(lane: Lane, serverFacts: ServerFacts, client: ClientFacts) {
    self.lane = lane
    self.serverFacts = serverFacts
    self.client = client
    facts = ConnectionFacts(id: client.id, service: nil, rights: [])
  }

  // A connection may do so much in one slice of its requests (see `Rounds`).
  private static let sliceNanoseconds: UInt64 = 250_000
  private static let sliceBytes = 64 * 1024
  /// How much a client may leave untaken before no more of its requests are carried out: replies are made as the client
  /// takes them, so that what waits are requests, which are small. The kernel's own buffer keeps the connection busy.
  private static let mostUntaken = 64 * 1024
  /// How many bytes of replies may wait for the log before no more requests are carried out.
  private static let mostUnsettled = 1024 * 1024
  /// How many bytes of requests are read ahead of those that can be carried out.
  private static let readAhead = 64 * 1024

  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    outbox.open(context)
    lane.connections[client.id] = self
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelInactive(context: ChannelHandlerContext) {
    outbox.close()
    isClosing = true
    unread = ByteBuffer()
    countWaiting()
    lane.connections[client.id] = nil
    if isMonitor { lane.services.monitors.leave() }
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isClosing || isFinishing { return }
    var bytes = unwrapInboundIn(data)
    serverFacts.inputBytes.add(bytes.readableBytes, ordering: .relaxed)
    client.inputBytes &+= bytes.readableBytes
    if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
    if isPaused { noteUnread() } else { process() }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    flush()
    closeIfDone()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, case .inputClosed = event {
      isInputClosed = true
      closeIfDone()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

  // MARK: Requests

  /// Carries out the whole requests among the unread bytes, slice by slice for as long as the lane's round lasts.
  private func process() {
    guard !isReading, !isPaused else { return }
    isReading = true
    if ready.capacity == 0 { swap(&ready, &lane.spareReady) }
    parser.authenticated = isKnown
    var bytes = unread
    unread = ByteBuffer()
    repeat {
      lane.beginRead()
      client.lastCommand = lane.monotonic
      isSliceOver = false
      sliceEnd = ready.readableBytes + queue.pendingBytes + Self.sliceBytes
      let consumed = bytes.withUnsafeReadableBytes { carryOut($0, lane) }
      bytes.moveReaderIndex(forwardBy: consumed)
      if isSliceOver { flush() }
    } while isSliceOver && !isPaused && !isClosing && lane.mayGoOn()
    if bytes.readableBytes > 0, !isClosing, !isFinishing {
      unread = bytes
      // Not each time: what is left of a long pipeline would be moved for every slice.
      if unread.readerIndex >= unread.readableBytes { unread.discardReadBytes() }
    }
    isReading = false
    if isSliceOver && !isPaused { waitInLine() }
    if isPaused { noteUnread() } else { countWaiting() }
  }

  /// Whether the slice of requests is over before its bytes are.
  @exclusivity(unchecked) private(set) var isSliceOver = false
  /// How many bytes of replies there may be at the slice's end.
  @exclusivity(unchecked) private var sliceEnd = 0

  /// Carries out requests until the bytes or the slice end, or something must come first.
  ///
  /// - Returns: how many bytes were whole requests.
  private func carryOut(_ all: UnsafeRawBufferPointer, _ lane: Lane) -> Int {
    let executor = serverFacts.phase.load(ordering: .acquiring) == .ready ? lane.executor : nil
    var consumed = 0
    if transaction.isRunning, let executor { runTransaction(lane, executor, executor.turn) }
    while consumed < all.count, !isPaused, !isClosing, !isSliceOver {
      let rest = UnsafeRawBufferPointer(rebasing: all[consumed...])
      lane.run.fill(rest, &parser)
      guard let done = lane.run.count > 0 ? carryOutRun(rest, lane, executor) : carryOutNext(rest, lane, executor)
      else {
        break
      }
      consumed += done
      // The clock is read once a run, and not for the last of a read.
      if consumed < all.count, lane.elapsedInRead > Self.sliceNanoseconds { isSliceOver = true }
    }
    if consumed == all.count, !transaction.isRunning { isSliceOver = false }
    queue.endRead()
    if queue.pendingBytes >= Self.mostUnsettled { isPaused = true }
    lane.endRead()
    client.commands &+= UInt64(lane.commandsInRead)
    return consumed
  }

  /// Carries out the lane's run of requests, or as many of it as can be carried out now.
  private func carryOutRun(_ bytes: UnsafeRawBufferPointer, _ lane: Lane, _ executor: CommandExecutor?) -> Int {
    let count = lane.run.count
    var looksAhead = false
    let turn = executor?.turn
    if count > 1, let executor {
      looksAhead = true
      lane.lookAhead(count, executor) { lane.run.request($0, in: bytes) }
    }
    var done = 0
    for index in 0..<count {
      let request = lane.run.request(index, in: bytes)
      guard take(request, lane, executor, turn, looksAhead ? lane.foresights[index] : .none) else { break }
      done = lane.run.end(of: index)
      if isPaused || isClosing || isSliceOver { break }
    }
    if done < lane.run.end(of: count - 1) { parser.startOver() }
    return done
  }

  /// Carries out what stands at the start of `bytes`, if it is no whole array.
  ///
  /// - Returns: how many bytes it was; nil where more must be read, or nothing more is.
  private func carryOutNext(_ bytes: UnsafeRawBufferPointer, _ lane: Lane, _ executor: CommandExecutor?) -> Int? {
    switch parser.next(bytes) {
    case .request(let count):
      return take(parser.arguments(in: bytes), lane, executor, executor?.turn, .none) ? count : nil
    case .nothing(let count): return count
    case .incomplete: return nil
    case .failure(let error):
      fail(error)
      return nil
    }
  }

  /// Carries out one request; false where it must wait, and the connection with it.
  @inline(__always)
  func take(
    _ request: Arguments, _ lane: Lane, _ executor: CommandExecutor?, _ turn: Turn?, _ foresight: Foresight
  ) -> Bool {
    let isFirst = lane.commandsInRead == 0
    guard let executor, let turn else { return handleEarly(request) || pause() }
    let isQueued = transaction.isOpen
    if isQueued {
      handleInTransaction(request, lane, executor, turn)
    } else {
      handle(request, lane, executor, turn, foresight)
    }
    if lane.isWatched, !isQueued { tellMonitors(request) }
    if isFirst, lane.commandsInRead == 1 { lane.noteSlow(request, client, nanoseconds: lane.elapsedInRead) }
    if !parser.authenticated { parser.authenticated = isKnown }
    if ready.readableBytes + queue.pendingBytes >= sliceEnd { isSliceOver = true }
    return true
  }

  private func pause() -> Bool {
    isPaused = true
    return false
  }

  /// Whether the client's requests may be large: it has authenticated, or need not.
  private var isKnown: Bool { facts.service != nil || isOpenToAll || client.isLoopback && !lane.isReady }

  private func fail(_ error: ProtocolError) {
    if let text = error.reply {
      lane.failed(nil, Refusal.Code.syntax.rawValue)
      var reply = Reply()
      reply.error(text)
      add(reply, horizon: 0)
    }
    finishAndClose()
  }

  /// Takes no more requests; what is under way is still answered.
  func stopReading() {
    isPaused = true
    setReading(false)
  }

  // MARK: Going on

  /// Whether nothing has to come before further requests.
  private var mayCarryOut: Bool {
    !isReading && !isClosing && !isFinishing && queue.awaited == 0 && queue.pendingBytes < Self.mostUnsettled
      && outbox.waiting < Self.mostUntaken && context != nil
      && serverFacts.phase.load(ordering: .relaxed) != .stopping
  }

  /// Goes on with requests that were left because something had to come first.
  func resume() {
    guard isPaused, !isInLine, mayCarryOut else { return }
    if unread.readableBytes > 0 || transaction.isRunning, !lane.mayWork() { return waitInLine() }
    goOnWithRequests()
  }

  /// The lane has come to this connection in its line.
  func hasTurn() {
    isInLine = false
    guard isPaused, mayCarryOut else { return }
    goOnWithRequests()
  }

  private func waitInLine() {
    isPaused = true
    if isInLine { return }
    isInLine = true
    lane.wait(.requests(of: self))
  }

  private func goOnWithRequests() {
    isPaused = false
    process()
    flush()
    updateReading()
    closeIfDone()
  }

  // MARK: Reading

  /// Requests wait that cannot be carried out now.
  private func noteUnread() {
    countWaiting()
    updateReading()
  }

  /// Backpressure: stops reading while more waits than may.
  func updateReading() {
    guard !isClosing else { return }
    let wanted = !isPaused || mayReadAhead
    if wanted != isChannelReading { setReading(wanted) }
  }

  private var mayReadAhead: Bool {
    if isFinishing || serverFacts.phase.load(ordering: .relaxed) == .stopping { return false }
    if unread.readableBytes < Self.readAhead { return true }
    // A client that does not take its replies may be one that writes all its requests first. Were it not read from, both
    // sides would wait for ever.
    guard outbox.waiting >= Self.mostUntaken else { return false }
    return waitingBytes < serverFacts.clientOutputLimit.load(ordering: .relaxed) && lane.mayReadAhead
  }

  private func setReading(_ on: Bool) {
    guard let context, !isInputClosed else { return }
    isChannelReading = on
    try? context.channel.syncOptions?.setOption(.autoRead, value: on)
  }

  // MARK: What waits

  /// Bytes that wait for the client, as its lane has counted them.
  private var counted = 0

  /// Bytes of memory that wait for the client: replies it has not taken or may not have yet, and requests.
  var waitingBytes: Int { untakenBytes + unreadBytes }
  /// … replies.
  var untakenBytes: Int { outbox.heldBytes + queue.pendingBytes }
  /// … requests.
  var unreadBytes: Int { unread.readableBytes }

  @inline(__always)
  private func countWaiting() {
    let now = waitingBytes
    if now == counted { return }
    lane.noteWaiting(now - counted)
    counted = now
  }

  /// How far the client had come with its replies when it was last looked at, and when that had changed.
  private var progress = (mark: 0, at: Milliseconds(0))

  /// Looks whether the client takes its replies.
  func noteProgress(at now: Milliseconds) {
    let mark = outbox.isEmpty ? 0 : outbox.progressMark
    if mark != progress.mark || outbox.isEmpty { progress = (mark, now) }
  }

  /// Whether replies wait that the client has not taken anything of for a while.
  func isStalled(at now: Milliseconds) -> Bool { !outbox.isEmpty && now - progress.at >= WaitingBytes.grace }

  /// Disconnects a client for which more waits than may, and says so where the operator looks.
  func disconnectOverLimit() {
    guard !isClosing else { return }
    serverFacts.outputLimitDisconnections.add(1, ordering: .relaxed)
    lane.services?.logger.warning(
      "a client was disconnected: more waits for it than client-output-limit",
      metadata: [
        "id": "\(client.id)", "address": "\(client.address)", "replies": "\(untakenBytes)",
        "requests": "\(unreadBytes)",
      ])
    close()
  }

  // MARK: Replies

  /// Sends the turn's reply, or keeps it until the log is durable through what it shows.
  @inline(__always)
  func addReply(of turn: Turn, on lane: Lane, horizon: LSN) {
    if queue.isEmpty, horizon <= lane.durableBefore || horizon <= lane.durable {
      let (nodes, bytes) = turn.replyParts
      ReplyEncoder.encode(nodes, bytes, client.version, into: &ready)
    } else {
      add(turn.reply, horizon: horizon)
    }
  }

  /// Sends a reply, or keeps it until the log is durable through `horizon`.
  func add(_ reply: Reply, horizon: LSN) {
    let version = client.version
    if horizon > 0, horizon > lane.durable, lane.services.isLogStuck, lastWrite <= lane.durable {
      // Refused at once, so that what follows in the same read does not share its place and its fate.
      let refusal = refusalOfWaiting
      return queue.add(horizon: 0, durable: 0, ready: &ready) { $0.writeImmutableBuffer(refusal) }
    }
    queue.add(horizon: horizon, durable: horizon == 0 ? 0 : lane.durable, ready: &ready) { buffer in
      ReplyEncoder.encode(reply, version, into: &buffer)
    }
  }

  /// Puts the reply of a command that ran elsewhere in its place.
  func deliver(_ ticket: UInt64, _ reply: EncodedReply) {
    if isClosing { return }
    queue.fill(ticket, reply.bytes, horizon: reply.horizon)
    goOn()
  }

  /// Sends what came from elsewhere, and goes on with what waited for it.
  private func goOn() {
    if closesAfterReply { finishAndClose() }
    logAdvanced(lane.durable)
  }

  /// Sends what the log, durable so far, lets go.
  func logAdvanced(_ durable: LSN) {
    isWaitingForLog = false
    if isClosing { return }
    if ready.capacity == 0 { swap(&ready, &lane.spareReady) }
    queue.release(durable: durable, into: &ready)
    if let horizon = queue.nextHorizon, horizon > durable, lane.services.isLogStuck {
      guard giveUpWaiting(durable) else { return }
    }
    flush()
    countWaiting()
    resume()
    closeIfDone()
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
      flush()
      if hasFailed { close() }
      return !hasFailed
    }
    queue.refuse(beyond: durable, with: refusalOfWaiting)
    queue.release(durable: durable, into: &ready)
    return true
  }

  /// What is answered in place of a reply that would wait for a log that does not go on.
  private var refusalOfWaiting: ByteBuffer {
    var reply = Reply()
    reply.error((lane.services.hasLogFailed ? Refusal.neverDurable : .notDurableYet(lane.services.log)).text)
    var bytes = ByteBuffer()
    ReplyEncoder.encode(reply, client.version, into: &bytes)
    return bytes
  }

  var nextHorizon: LSN? { queue.nextHorizon }

  func flush() {
    guard let context else { return }
    if ready.readableBytes > 0 {
      serverFacts.outputBytes.add(ready.readableBytes, ordering: .relaxed)
      client.outputBytes &+= ready.readableBytes
      outbox.send(&ready)
      if !outbox.isEmpty { handOver(context) }
    }
    if ready.capacity > 0 { lane.takeBack(&ready) }
    if !isWaitingForLog, queue.nextHorizon != nil {
      isWaitingForLog = true
      lane.waitForLog(self)
    }
  }

  /// Sends a reply that is the same for everybody: encoded once, and its memory shared by all who wait for it.
  func add(shared reply: ByteBuffer) {
    isSliceOver = true
    guard queue.isEmpty else { return queue.add(shared: reply) }
    flush()
    guard let context else { return }
    serverFacts.outputBytes.add(reply.readableBytes, ordering: .relaxed)
    client.outputBytes &+= reply.readableBytes
    outbox.send(shared: reply)
    if !outbox.isEmpty { handOver(context) }
  }

  /// How many chunks the channel is given at once, where it sends them at once.
  private static let chunksAtOnce = 4
  private var isHandingOver = false

  /// The kernel takes no more: has the channel say when it does. Backpressure: until then no more requests are carried
  /// out.
  private func handOver(_ context: ChannelHandlerContext) {
    if progress.mark == 0 { noteProgress(at: lane.now) }
    defer {
      if outbox.waiting >= Self.mostUntaken { isPaused = true }
      countWaiting()
    }
    for _ in 0..<Self.chunksAtOnce {
      guard let chunk = outbox.nextForChannel() else { return }
      let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
      isHandingOver = true
      context.writeAndFlush(wrapOutboundOut(chunk)).whenComplete { handler.value.channelFinished($0) }
      isHandingOver = false
    }
    // It takes them all, and others come first.
    lane.wait(.task { [self] in sendMore() })
  }

  /// The channel has sent its chunk, or never will.
  private func channelFinished(_ result: Result<Void, any Error>) {
    outbox.channelFinished(result)
    if !isHandingOver { sendMore() }
  }

  private func sendMore() {
    guard let context, !isClosing else { return }
    if outbox.sendWaiting(limit: Self.chunksAtOnce * Self.sliceBytes) {
      lane.wait(.task { [self] in sendMore() })
    } else {
      handOver(context)
    }
    countWaiting()
    resume()
    updateReading()
    closeIfDone()
  }

  // MARK: Closing

  private var isFinishing = false
  /// `CLIENT KILL` met the connection that asked for it.
  var closesAfterReply = false

  /// Closes once all replies are sent; what else the client asked is dropped.
  func finishAndClose() {
    isFinishing = true
    isPaused = true
    unread = ByteBuffer()
    countWaiting()
    closeIfDone()
  }

  private func closeIfDone() {
    guard isFinishing || (isInputClosed && !isPaused), queue.isEmpty, !isReading, !isClosing, let context else {
      return
    }
    flush()
    // However slowly the client takes the rest: then this is asked again.
    guard outbox.isEmpty else { return }
    isClosing = true
    outbox.close()
    context.close(promise: nil)
  }

  /// Whether the client is gone.
  var hasClosed: Bool { isClosing || context == nil }

  /// Closes at once.
  func close() {
    outbox.close()
    unread = ByteBuffer()
    isClosing = true
    countWaiting()
    context?.close(promise: nil)
  }

  var isOpenToAll: Bool { client.isLoopback && lane.isReady && !lane.directory.hasServices }
}
