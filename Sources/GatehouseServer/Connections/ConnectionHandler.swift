import GatehouseCore
import GatehouseWire
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
  @exclusivity(unchecked) private(set) var socket = DirectSocket()
  @exclusivity(unchecked) private var parser = RequestParser()
  /// Bytes that are no whole request yet, or wait because the connection is paused.
  @exclusivity(unchecked) private(set) var unread = ByteBuffer()
  /// Replies that leave with the next flush.
  @exclusivity(unchecked) var ready = ByteBuffer()
  @exclusivity(unchecked) var queue = ReplyQueue()
  @exclusivity(unchecked) var transaction = Transaction()
  @exclusivity(unchecked) private var isWaitingForLog = false
  /// Whether requests wait until what is under way elsewhere has been answered.
  @exclusivity(unchecked) var isPaused = false
  @exclusivity(unchecked) private var isReading = false
  @exclusivity(unchecked) private(set) var isClosing = false
  private var isInputClosed = false
  /// The largest LSN of this connection's writes, for `WAITAOF`.
  @exclusivity(unchecked) var lastWrite: LSN = 0

  init(lane: Lane, serverFacts: ServerFacts, client: ClientFacts) {
    self.lane = lane
    self.serverFacts = serverFacts
    self.client = client
    facts = ConnectionFacts(id: client.id, service: nil, rights: [])
  }

  /// How much may be ready before the connection flushes within a read.
  private static let flushBytes = 256 * 1024
  // MARK: Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    socket.open(context)
    lane.connections[client.id] = self
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelInactive(context: ChannelHandlerContext) {
    socket.close()
    isClosing = true
    lane.connections[client.id] = nil
    if isMonitor { lane.services.monitors.leave() }
    serverFacts.connectedClients.subtract(1, ordering: .relaxed)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isClosing { return }
    var bytes = unwrapInboundIn(data)
    serverFacts.inputBytes.add(bytes.readableBytes, ordering: .relaxed)
    client.inputBytes &+= bytes.readableBytes
    if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
    process()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    flush()
    closeIfDone()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { resume() }
    context.fireChannelWritabilityChanged()
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

  /// Carries out the whole requests among the unread bytes.
  private func process() {
    guard !isReading, !isPaused else { return }
    isReading = true
    lane.beginRead()
    client.lastCommand = lane.monotonic
    parser.authenticated = isKnown
    var bytes = unread
    unread = ByteBuffer()
    let consumed = bytes.withUnsafeReadableBytes { carryOut($0, lane) }
    bytes.moveReaderIndex(forwardBy: consumed)
    if bytes.readableBytes > 0, !isClosing {
      unread = bytes
      unread.discardReadBytes()
    }
    isReading = false
    if isPaused { setReading(false) }
    if overflows { close() }
  }

  /// Carries out requests until the bytes end, or something must come first.
  ///
  /// - Returns: how many bytes were whole requests.
  private func carryOut(_ all: UnsafeRawBufferPointer, _ lane: Lane) -> Int {
    let executor = serverFacts.phase.load(ordering: .acquiring) == .ready ? lane.executor : nil
    var consumed = 0
    if transaction.isRunning, let executor { runTransaction(lane, executor, executor.turn) }
    while consumed < all.count, !isPaused, !isClosing {
      let rest = UnsafeRawBufferPointer(rebasing: all[consumed...])
      lane.run.fill(rest, &parser)
      guard let done = lane.run.count > 0 ? carryOutRun(rest, lane, executor) : carryOutNext(rest, lane, executor)
      else {
        break
      }
      consumed += done
    }
    queue.endRead()
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
      if isPaused || isClosing { break }
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
    if queue.pendingBytes > 0, overflows { close() }
    if ready.readableBytes >= Self.flushBytes { flush() }
    return true
  }

  private func pause() -> Bool {
    isPaused = true
    return false
  }

  /// Whether the client's requests may be large: it has authenticated, or need not.
  private var isKnown: Bool { facts.service != nil || isOpenToAll || client.isLoopback && !lane.isReady }

  /// Whether the client leaves more replies unread than the server keeps for it.
  private var overflows: Bool {
    queue.pendingBytes + socket.queued > serverFacts.clientOutputLimit.load(ordering: .relaxed)
  }

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

  /// Goes on with requests that were left because something had to come first.
  func resume() {
    guard isPaused, !isReading, !isClosing, !isFinishing, queue.awaited == 0, context != nil,
      context.channel.isWritable,
      serverFacts.phase.load(ordering: .relaxed) != .stopping
    else { return }
    isPaused = false
    process()
    flush()
    if !isPaused { setReading(true) }
    closeIfDone()
  }

  private func setReading(_ on: Bool) {
    guard let context, !isInputClosed else { return }
    try? context.channel.syncOptions?.setOption(.autoRead, value: on)
  }

  // MARK: Replies

  /// Sends the turn's reply, or keeps it until the log is durable through what it shows.
  @inline(__always)
  func addReply(of turn: Turn, on lane: Lane, horizon: LSN) {
    if queue.isEmpty, horizon <= lane.durableBefore || horizon <= lane.durable {
      turn.withReply { ReplyEncoder.encode($0, client.version, into: &ready) }
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
    if reply.isWrite { lastWrite = max(lastWrite, reply.horizon) }
    queue.fill(ticket, reply.bytes, horizon: reply.horizon)
    goOn()
  }

  /// Sends what came from elsewhere, and goes on with what waited for it.
  private func goOn() {
    if overflows { return close() }
    if closesAfterReply { finishAndClose() }
    logAdvanced(lane.durable)
    if queue.awaited == 0 { resume() }
  }

  /// Sends what the log, durable so far, lets go.
  func logAdvanced(_ durable: LSN) {
    isWaitingForLog = false
    if isClosing, context == nil { return }
    queue.release(durable: durable, into: &ready)
    if let horizon = queue.nextHorizon, horizon > durable, lane.services.isLogStuck {
      guard giveUpWaiting(durable) else { return }
    }
    flush()
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
    reply.error((lane.services.hasLogFailed ? Refusal.neverDurable : .notDurableYet).text)
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
      socket.send(&ready)
      if ready.readableBytes > 0 { writeThroughChannel(context) } else { ready.clear() }
    }
    if !isWaitingForLog, queue.nextHorizon != nil {
      isWaitingForLog = true
      lane.waitForLog(self)
    }
  }

  private func writeThroughChannel(_ context: ChannelHandlerContext) {
    // Taken out first: the channel may call back from within the write, and more be made ready.
    let bytes = ready
    ready = ByteBuffer()
    let count = bytes.readableBytes
    socket.noteQueued(count)
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(bytes)).whenComplete { handler.value.socket.noteFinished(count, $0) }
    // Who does not read is not read from.
    if !context.channel.isWritable, !isClosing, !isPaused {
      isPaused = true
      setReading(false)
    }
  }

  // MARK: Closing

  private var isFinishing = false
  /// `CLIENT KILL` met the connection that asked for it.
  var closesAfterReply = false

  /// Closes once all replies are sent; what else the client asked is dropped.
  func finishAndClose() {
    isFinishing = true
    isPaused = true
    unread.clear()
    closeIfDone()
  }

  private func closeIfDone() {
    guard isFinishing || (isInputClosed && !isPaused), queue.isEmpty, !isReading, let context else { return }
    flush()
    isClosing = true
    // An empty write ends when all before it have ended, however slowly the client reads.
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
  }

  /// Whether the client is gone.
  var hasClosed: Bool { isClosing || context == nil }

  /// Closes at once.
  func close() {
    socket.close()
    isClosing = true
    context?.close(promise: nil)
  }

  var isOpenToAll: Bool { client.isLoopback && lane.isReady && !lane.directory.hasServices }
}
