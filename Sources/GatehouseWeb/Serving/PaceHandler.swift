import GatehouseServer
import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTP1

/// Ends connections of clients that are too slow, answers what is no HTTP, and closes so that the last answer arrives.
/// It stands between the bytes and their parser; `MessageHandler` tells it what the parser has found.
final class PaceHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let door: CommandDoor
  private let connection: DoorConnection
  private var pace: ClientPace
  private var timer: (task: Scheduled<Void>, time: NIODeadline)?
  private var ending = Ending.none
  /// Whether the answer at hand has begun.
  var hasBegunAnswer = false
  private var isInputClosed = false
  private var context: ChannelHandlerContext?

  /// How the connection comes to its end.
  private enum Ending {
    case none
    /// Closes once everything written was sent. With `lingers` it then waits for the client to close too: bytes of a
    /// client that still sends would have the kernel throw away the answer (RFC 9112, 9.6).
    case sending(lingers: Bool)
    case lingering
  }

  /// Between two requests, unless `idle-timeout` is shorter.
  private static let idle = TimeAmount.seconds(60)
  /// How long a client may take to notice that the server has closed.
  private static let linger = TimeAmount.seconds(1)

  init(_ door: CommandDoor, _ connection: DoorConnection) {
    self.door = door
    self.connection = connection
    pace = ClientPace(at: .now())
  }

  /// Whether the server may answer at all.
  var mayAnswer: Bool { door.mayAnswer }

  // MARK: Times

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    watch()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.task.cancel()
    timer = nil
    self.context = nil
  }

  private var times: ClientPace.Times {
    let idle = TimeAmount.milliseconds(Int64(door.idleTime))
    return ClientPace.Times(
      patience: .milliseconds(Int64(door.patience)), idle: idle > .zero ? min(Self.idle, idle) : Self.idle)
  }

  /// Makes sure that the timer runs at the next deadline, or before.
  private func watch() {
    guard let context, let (time, _) = pace.deadline(times) else { return }
    if let timer, timer.time <= time { return }
    timer?.task.cancel()
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    timer = (context.eventLoop.scheduleTask(deadline: time) { bound.value.timeHasCome() }, time)
  }

  private func timeHasCome() {
    timer = nil
    guard let context, case .none = ending else { return lateEnd() }
    guard let (time, excess) = pace.deadline(times), time <= .now() else { return watch() }
    switch excess {
    case .silent(let isNew):
      if isNew || door.idleTime > 0 { door.noteSilentClient(isNew: isNew) }
      context.close(promise: nil)
    case .slowRequest:
      door.noteSlowRequest()
      answer(
        Problem(.requestTimeout, "LIMIT", "auth-timeout: the request did not arrive in time; send it without pauses"),
        context)
    case .slowReader:
      door.noteSlowReader()
      context.close(promise: nil)
    }
  }

  /// The connection is being closed, and what was written still waits for the client.
  private func lateEnd() {
    guard let context, case .sending = ending else { return }
    guard let (time, _) = pace.deadline(times), time <= .now() else { return watch() }
    context.close(promise: nil)
  }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .none = ending else { return }
    let count = unwrapInboundIn(data).readableBytes
    pace.received(count, at: .now())
    connection.received(count)
    if pace.isFlooding { return context.close(promise: nil) }
    context.fireChannelRead(data)
    watch()
  }

  /// The server ends, and waits for this connection no longer.
  struct MustClose: Sendable {}

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is MustClose { return context.close(promise: nil) }
    if let event = event as? ChannelEvent, event == .inputClosed {
      isInputClosed = true
      if case .lingering = ending { return context.close(promise: nil) }
      // Half a request will not become whole.
      if pace.isReceiving, !pace.owesAnswer { return context.close(promise: nil) }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func headEnded() { pace.headEnded(at: .now()) }

  /// Whether a request waits for its answer.
  var isAnswering: Bool { pace.isAnswering }

  /// Tells a client that waits for it to send the body of its request (RFC 9110, 10.1.1).
  func invite() {
    guard let context, !pace.isAnswering else { return }
    write(context: context, data: wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    context.flush()
  }

  func requestEnded() { pace.requestEnded(at: .now()) }

  func answered() {
    hasBegunAnswer = false
    pace.answered(at: .now())
    watch()
  }

  /// Answers what is no request, if nothing stands before the answer.
  ///
  /// - Returns: whether it did.
  func refuse(_ error: any Error) -> Bool {
    guard case .none = ending, let context, !pace.isAnswering else { return false }
    let problem: Problem =
      if case .body? = error as? MessageHandler.Fault {
        Problem(.contentTooLarge, "LIMIT", "the body is larger than \(WebContext.mostBytes) bytes; send it in parts")
      } else if case .headerOverflow? = error as? HTTPParserError {
        Problem(
          .requestHeaderFieldsTooLarge, "LIMIT", "the request's line and headers are too long; send shorter ones")
      } else {
        Problem(.badRequest, "ERR", "this is not an HTTP/1.1 request: \(error)")
      }
    answer(problem, context)
    return true
  }

  /// Answers in place of the router, and closes.
  private func answer(_ problem: Problem, _ context: ChannelHandlerContext) {
    // Each request has one answer: a second one would be taken for that of the next request.
    guard !hasBegunAnswer, !pace.owesAnswer, !pace.isAnsweredEarly else { return context.close(promise: nil) }
    door.requests.refused(status: problem.status.code)
    write(context: context, data: wrapOutboundOut(problem.bytes), promise: nil)
    context.flush()
    end(context, lingers: true)
  }

  // MARK: Sending

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let count = unwrapOutboundIn(data).readableBytes
    pace.writes(count, at: .now())
    let promise = promise ?? context.eventLoop.makePromise()
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    promise.futureResult.whenComplete { _ in bound.value.sent(count) }
    context.write(data, promise: promise)
    watch()
  }

  private func sent(_ count: Int) {
    pace.sent(count, at: .now())
    guard case .sending(let lingers) = ending, pace.unsent == 0 else { return watch() }
    // This is in the middle of a flush, in which TLS could not say that it ends.
    guard let loop = context?.eventLoop else { return }
    let bound = NIOLoopBound(self, eventLoop: loop)
    loop.execute { bound.value.finish(lingers: lingers) }
  }

  // MARK: Closing

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .all else { return context.close(mode: mode, promise: promise) }
    switch ending {
    case .none where pace.unsent > 0 || pace.isReceiving:
      promise?.succeed()
      end(context, lingers: pace.isReceiving)
    case .none, .lingering: context.close(promise: promise)
    case .sending: promise?.succeed()
    }
  }

  private func end(_ context: ChannelHandlerContext, lingers: Bool) {
    ending = .sending(lingers: lingers)
    context.flush()
    if pace.unsent == 0 { finish(lingers: lingers) } else { watch() }
  }

  private func finish(lingers: Bool) {
    guard let context, context.channel.isActive else { return }
    guard lingers, !isInputClosed else { return context.close(promise: nil) }
    ending = .lingering
    context.close(mode: .output, promise: nil)
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: Self.linger) { bound.value.close(promise: nil) }
    context.read()
  }
}

extension Problem {
  /// A whole answer, for where there is no router.
  var bytes: ByteBuffer {
    let text = json.text
    var lines = ["HTTP/1.1 \(status.code) \(status.reasonPhrase)"]
    for field in response.headers where field.name != .contentLength { lines.append("\(field.name): \(field.value)") }
    lines += ["content-length: \(text.utf8.count)", "connection: close", "", text]
    return ByteBuffer(string: lines.joined(separator: "\r\n"))
  }
}
