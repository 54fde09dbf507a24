import DequeModule
import GatehouseServer
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// Answers decisions on the connection's own thread as they arrive. Hummingbird's server hands every request and answer on
/// through streams between tasks, which takes longer than deciding.
///
/// A request is answered here if its path is one of a decision's and all of it has arrived at once. Any other one goes to
/// Hummingbird's server, and so does what follows it until that has answered: each connection's answers keep their order.
final class DecisionHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private enum State {
    /// No request is under way.
    case waiting
    /// A decision, of which this much has arrived.
    case arriving(HTTPRequest, ByteBuffer?)
    /// It is being answered here.
    case answering
    /// Hummingbird's server answers.
    case passing(Passage)
    /// The last answer is written: what follows is not read.
    case ended
  }

  /// The requests at Hummingbird's server.
  private struct Passage {
    var unanswered = 0
    /// Whether more of the last one is to come.
    var isReceiving = false
    /// Whether the client wants no answer after the last one's.
    var isLast = false
    var isOver: Bool { unanswered == 0 && !isReceiving }
  }

  /// What arrives while a decision is being answered.
  private enum Held {
    case part(HTTPRequestPart)
    case inputClosed
    case error(any Error)
  }

  private let answering: Answering
  private let connection: DoorConnection
  private let thread: DecisionThread
  private var state = State.waiting
  private var held: Deque<Held> = []
  private var isCarryingOn = false
  /// Whether the channel is delivering what it has read.
  private var isReading = false
  /// Whether the thread knows that there is something to send.
  private var willFlush = false
  private var readIsHeld = false
  private var context: ChannelHandlerContext?

  /// - Parameter thread: the connection's.
  init(_ answering: Answering, _ connection: DoorConnection, on thread: DecisionThread) {
    self.answering = answering
    self.connection = connection
    self.thread = thread
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    take(unwrapInboundIn(data), context)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    passWhatIsNotWhole(context)
    context.fireChannelReadComplete()
  }

  private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
    switch state {
    case .waiting:
      if case .head(let head) = part, answering.isDecision(head) {
        state = .arriving(head, nil)
      } else {
        pass(part, context)
      }
    case .arriving(let head, var body):
      guard case .body(var bytes) = part else { return answer(head, body, context) }
      // So that the body is not copied.
      state = .waiting
      if body == nil { body = bytes } else { body?.writeBuffer(&bytes) }
      state = .arriving(head, body)
    case .answering: held.append(.part(part))
    case .passing: pass(part, context)
    case .ended: break
    }
  }

  private func pass(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
    var passage = if case .passing(let passage) = state { passage } else { Passage() }
    switch part {
    case .head(let head):
      passage.unanswered += 1
      passage.isReceiving = true
      passage.isLast = passage.isLast || head.isLast
    case .body: break
    case .end: passage.isReceiving = false
    }
    note(passage)
    context.fireChannelRead(wrapInboundOut(part))
  }

  private func note(_ passage: Passage) {
    state = passage.isOver ? passage.isLast ? .ended : .waiting : .passing(passage)
  }

  /// Hands the beginning of a request to Hummingbird's server, which can wait for the rest.
  private func passWhatIsNotWhole(_ context: ChannelHandlerContext) {
    guard case .arriving(let head, let body) = state else { return }
    state = .waiting
    pass(.head(head), context)
    if let body { pass(.body(body), context) }
  }

  // MARK: Answers

  private func answer(_ head: HTTPRequest, _ body: ByteBuffer?, _ context: ChannelHandlerContext) {
    state = .answering
    let request = Request(head: head, body: RequestBody(buffer: body ?? ByteBuffer()))
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    // It begins at once, and most decisions wait for nothing.
    Task.immediate(executorPreference: thread.executor) { [answering, connection, channel = context.channel] in
      let answer = await answering.whole(request, connection, channel)
      handler.value.send(answer, isLast: head.isLast)
    }
  }

  private func send(_ answer: Answering.Whole?, isLast: Bool) {
    guard let context, case .answering = state else { return }
    guard let answer else {
      state = .ended
      return context.close(promise: nil)
    }
    context.write(wrapOutboundOut(.head(answer.head)), promise: nil)
    for bytes in answer.body { context.write(wrapOutboundOut(.body(bytes)), promise: nil) }
    context.write(wrapOutboundOut(.end(nil)), promise: nil)
    if isLast {
      state = .ended
      context.flush()
      // What the client still sends is read: or the kernel would throw away the answer.
      return context.close(mode: .output, promise: nil)
    }
    if !willFlush {
      willFlush = true
      thread.flushLater(self)
    }
    state = .waiting
    carryOn(context)
  }

  /// Sends what is written.
  func flush() {
    willFlush = false
    context?.flush()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .passing(var passage) = state, case .end = unwrapOutboundIn(data) {
      passage.unanswered = max(0, passage.unanswered - 1)
      note(passage)
    }
    context.write(data, promise: promise)
  }

  // MARK: What waits for an answer

  private var isAnswering: Bool { if case .answering = state { true } else { false } }

  /// Goes on with what has arrived meanwhile.
  private func carryOn(_ context: ChannelHandlerContext) {
    guard !isCarryingOn else { return }
    isCarryingOn = true
    while !isAnswering, let next = held.popFirst() {
      switch next {
      case .part(let part): take(part, context)
      case .inputClosed: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
      case .error(let error): errorCaught(context: context, error: error)
      }
    }
    isCarryingOn = false
    if !isReading {
      passWhatIsNotWhole(context)
      // Hummingbird's server is given what was read only once the reading is over.
      context.fireChannelReadComplete()
    }
    readAgain(context)
  }

  func read(context: ChannelHandlerContext) {
    readIsHeld = true
    readAgain(context)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    readAgain(context)
    context.fireChannelWritabilityChanged()
  }

  /// Reads nothing more for a client that has answers to come or to read. Hummingbird's server sees to that itself.
  private func readAgain(_ context: ChannelHandlerContext) {
    let mayRead =
      switch state {
      case .waiting, .arriving: context.channel.isWritable
      case .answering: false
      case .passing, .ended: true
      }
    guard readIsHeld, mayRead else { return }
    readIsHeld = false
    context.read()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if isAnswering, let event = event as? ChannelEvent, event == .inputClosed { return held.append(.inputClosed) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if isAnswering { return held.append(.error(error)) }
    passWhatIsNotWhole(context)
    context.fireErrorCaught(error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    state = .ended
    held = []
    context.fireChannelInactive()
  }
}

extension HTTPRequest {
  /// Whether the client wants the connection closed after the answer.
  fileprivate var isLast: Bool { headerFields[.connection] == "close" }
}
