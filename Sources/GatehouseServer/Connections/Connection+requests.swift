import GatehouseCore
import GatehouseWire
import NIOCore
import Synchronization

/// From bytes to requests: slices, runs, and continuing with requests that were left.
extension Connection {
  // Fairness: how much of one connection's requests is carried out before others get their turn (see `WorkLine`).
  private static let sliceNanoseconds: UInt64 = 250_000
  static let sliceBytes = 64 * 1024

  /// Carries out the complete requests in `bytes`, slice by slice, while the tick has time.
  ///
  /// - Returns: how many bytes the complete requests took. The caller keeps the rest and then calls `endWork`.
  func carryOut(_ bytes: UnsafeRawBufferPointer) -> Int {
    let lane = lane
    flow.begin()
    parser.authenticated = isKnown
    noteRates()
    var done = 0
    repeat {
      flow.beginSlice()
      lane.beginRead()
      client.lastCommand = lane.monotonic
      sliceEnd = lane.replies.added + queue.pendingBytes + Self.sliceBytes
      done += carryOutSlice(UnsafeRawBufferPointer(rebasing: bytes[done...]), lane)
      lane.endRead()
      client.commands &+= UInt64(lane.commandsInRead)
      if flow.isSliceOver { sendNow() }
    } while flow.isSliceOver && (done < bytes.count || transaction.isRunning) && lane.mayGoOn()
    return done
  }

  /// Carries out the complete requests among the bytes that were kept.
  func carryOutUnread() {
    var bytes = ByteBuffer()
    swap(&bytes, &unread)
    bytes.moveReaderIndex(forwardBy: bytes.withUnsafeReadableBytes { carryOut($0) })
    if bytes.readableBytes > 0, !flow.isEnding {
      swap(&bytes, &unread)
      // Not every time: that would move the rest of a long pipeline once per slice.
      if unread.readerIndex >= unread.readableBytes { unread.discardReadBytes() }
    }
    endWork()
  }

  /// The requests have ended or work has stopped, and the caller has kept the remaining bytes.
  func endWork() {
    flow.end(isAllDone: unread.readableBytes == 0 && !transaction.isRunning)
    switch flow.state {
    case .ready: countWaiting()
    case .inLine:
      lane.wait(.requests(of: self))
      noteUnread()
    case .waiting: noteUnread()
    case .finishing: finish()
    case .closed: break
    case .working: preconditionFailure("work goes on after its end")
    }
  }

  /// Carries out requests until the bytes run out, the slice is over, or something must come first.
  ///
  /// - Returns: how many bytes the complete requests took.
  private func carryOutSlice(_ all: UnsafeRawBufferPointer, _ lane: Lane) -> Int {
    let executor = serverFacts.phase.load(ordering: .acquiring) == .ready ? lane.executor : nil
    var consumed = 0
    if transaction.isRunning, let executor { runTransaction(lane, executor, executor.turn) }
    while consumed < all.count, flow.goesOn {
      let rest = UnsafeRawBufferPointer(rebasing: all[consumed...])
      lane.run.fill(rest, &parser)
      guard let done = lane.run.count > 0 ? carryOutRun(rest, lane, executor) : carryOutNext(rest, lane, executor)
      else {
        break
      }
      consumed += done
      // The clock is read once per run, and not at all after the last run of a read.
      if consumed < all.count, lane.elapsedInRead > Self.sliceNanoseconds { flow.stop(.slice) }
    }
    queue.endRead()
    if queue.pendingBytes >= Self.mostUnsettled { flow.obstruct() }
    return consumed
  }

  /// Carries out the lane's run of parsed requests, or as many of them as may be carried out now.
  @inline(__always)
  private func carryOutRun(_ bytes: UnsafeRawBufferPointer, _ lane: Lane, _ executor: CommandExecutor?) -> Int {
    guard let executor else { return carryOutRun(bytes, lane) { request, _ in takeEarly(request) } }
    let turn = executor.turn
    let count = lane.run.count
    let looksAhead = count > 1
    if looksAhead { lane.lookAhead(count, executor) { lane.run.request($0, in: bytes) } }
    return carryOutRun(bytes, lane) { request, index in
      take(request, lane, executor, turn, looksAhead ? lane.lookaheads[index] : .none)
    }
  }

  /// - Parameter take: receives each request with its index.
  @inline(__always)
  private func carryOutRun(
    _ bytes: UnsafeRawBufferPointer, _ lane: Lane, _ take: (Arguments, Int) -> Void
  ) -> Int {
    let count = lane.run.count
    var done = 0
    for index in 0..<count {
      take(lane.run.request(index, in: bytes), index)
      done = lane.run.end(of: index)
      if !flow.goesOn { break }
    }
    if done < lane.run.end(of: count - 1) { parser.startOver() }
    return done
  }

  /// Parses and carries out the next request where it did not go into a run: an inline line, an empty one, an
  /// incomplete request or an error.
  ///
  /// - Returns: how many bytes were consumed; nil if more must be read first, or the connection is ending.
  private func carryOutNext(_ bytes: UnsafeRawBufferPointer, _ lane: Lane, _ executor: CommandExecutor?) -> Int? {
    switch parser.next(bytes) {
    case .request(let count):
      let request = parser.arguments(in: bytes)
      if let executor { take(request, lane, executor, executor.turn, .none) } else { takeEarly(request) }
      return count
    case .nothing(let count): return count
    case .incomplete: return nil
    case .failure(let error):
      fail(error)
      return nil
    }
  }

  /// Carries out one request.
  @inline(__always)
  func take(
    _ request: Arguments, _ lane: Lane, _ executor: CommandExecutor, _ turn: Turn, _ lookahead: Lookahead
  ) {
    if isScreened, screens(request) { return endFullSlice() }
    let isFirst = lane.commandsInRead == 0
    let isQueued = transaction.isOpen
    if isQueued {
      handleInTransaction(request, lane, executor, turn)
    } else {
      handle(request, lane, executor, turn, lookahead)
    }
    if lane.isWatched, !isQueued { tellMonitors(request) }
    if isFirst, lane.commandsInRead == 1 {
      lane.endFirst(request, client)
      lane.reportWaits { _ in }
    } else {
      lane.reportWaits { lane.noteSlow(request, client, nanoseconds: $0) }
    }
    if !parser.authenticated { parser.authenticated = isKnown }
    endFullSlice()
  }

  /// The same while the data is being loaded.
  private func takeEarly(_ request: Arguments) {
    if isScreened, screens(request) { return endFullSlice() }
    handleEarly(request)
  }

  /// Lets other connections go first once the replies have filled the slice.
  @inline(__always)
  func endFullSlice() {
    if lane.replies.added + queue.pendingBytes >= sliceEnd { stopSlice() }
  }

  /// Ends the slice: other connections go first.
  func stopSlice() { if flow.goesOn { flow.stop(.slice) } }

  /// Whether the client may send large requests: it has authenticated or does not need to.
  private var isKnown: Bool {
    facts.service != nil || isOpenToAll || client.isLoopback && !lane.isReady || !transport.peerNames.isEmpty
  }

  var isOpenToAll: Bool { client.isLoopback && lane.isReady && !lane.directory.hasServices }

  private func fail(_ error: ProtocolError) {
    if let text = error.reply {
      lane.failed(nil, Refusal.Code.syntax.rawValue)
      var reply = Reply()
      reply.error(text)
      add(reply, horizon: 0)
    }
    finish()
  }

  // MARK: Continuing

  /// Whether further requests may be carried out.
  private var mayCarryOut: Bool {
    queue.awaited == 0 && queue.pendingBytes < Self.mostUnsettled && outbox.waiting < Self.mostUntaken
      && serverFacts.phase.load(ordering: .relaxed) != .stopping
  }

  /// Continues with requests that were left, if nothing must come before them any more.
  func resume() {
    guard flow.state == .waiting, mayCarryOut else { return }
    if unread.readableBytes > 0 || transaction.isRunning, !lane.mayWork() {
      flow.wait()
      return lane.wait(.requests(of: self))
    }
    goOn()
  }

  /// The lane has reached this connection in its work line.
  func hasTurn() {
    if flow.hasTurn(mayWork: mayCarryOut) { goOn() }
  }

  private func goOn() {
    lane.forgetClock()
    carryOutUnread()
    updateReading()
    settle()
  }

  /// Takes no more requests. Requests under way are still answered.
  func stopRequests() {
    flow.obstruct()
    setReading(false)
  }
}
