import GatehouseWire

/// One connection: bytes still to write, answers still to come, and the source of its requests.
final class Connection<Source: RequestSource> {
  enum State {
    case open
    /// The server closed it.
    case closed
  }

  private struct Pending: BitwiseCopyable {
    let work: Work
    /// When the request was sent; in an open loop, when it was due.
    let since: UInt64
  }

  /// How much room is made for one read.
  private static var readSize: Int { 64 * 1024 }

  private let socket: Socket
  private(set) var source: Source
  private var output = ByteQueue(capacity: 16 * 1024)
  private var input = ByteQueue(capacity: 2 * 64 * 1024)
  private var scanner = ReplyScanner()
  /// The requests in flight, in a ring: `first` is the oldest.
  private let pending: UnsafeMutablePointer<Pending>
  private let depth: Int
  private var first = 0
  private(set) var inFlight = 0

  var descriptor: Int32 { socket.descriptor }
  var isIdle: Bool { inFlight == 0 }
  var hasRoom: Bool { inFlight < depth && !isFinished }
  /// Whether the kernel did not take all bytes at the last flush.
  private(set) var isBlocked = false
  /// Set by the worker once the connection is no longer used.
  var isFinished = false
  var hasUnsentBytes: Bool { !output.isEmpty }

  init(_ address: ServerAddress, depth: Int, source: Source, room: TLSRoom) throws {
    socket = try Socket(address, room: room)
    self.source = source
    self.depth = depth
    pending = .allocate(capacity: depth)
  }

  deinit { pending.deallocate() }

  /// Takes one more request from the source; false if it has none.
  @inline(__always)
  func add(since: UInt64, closing: Bool = false) -> Bool {
    precondition(inFlight < depth)
    guard let work = source.next(&output, closing: closing) else { return false }
    var slot = first + inFlight
    if slot >= depth { slot -= depth }
    pending[slot] = Pending(work: work, since: since)
    inFlight += 1
    return true
  }

  /// Writes as much as the kernel takes.
  func flush() -> State {
    while !output.isEmpty {
      switch socket.write(output.unread) {
      case .bytes(let count): output.consume(count)
      case .wouldBlock:
        isBlocked = true
        return .open
      case .closed: return .closed
      }
    }
    isBlocked = false
    return .open
  }

  /// Reads once, and accounts for every complete answer. Answers before `measuredFrom` are not counted.
  ///
  /// Answers that arrive together to requests that were sent together are recorded in one step.
  func receive(measuredFrom: UInt64, into measurement: inout Measurement) -> State {
    var state = State.open
    _ = input.fill(minimum: Self.readSize) { space in
      switch socket.read(into: space) {
      case .bytes(let count): return count
      case .wouldBlock: return 0
      case .closed:
        state = .closed
        return 0
      }
    }
    if input.isEmpty { return state }
    let now = MonotonicClock.now()
    var run: (pending: Pending, count: Int)?
    var rest = input.unread
    scanning: while !rest.isEmpty {
      let length: Int
      switch scanner.next(rest) {
      case .reply(let consumed, _): length = consumed
      case .push(let consumed):
        rest = UnsafeRawBufferPointer(rebasing: rest[consumed...])
        continue
      case .incomplete: break scanning
      case .malformed:
        measurement.recordError("not a reply: \(Self.text(rest))")
        state = .closed
        break scanning
      }
      let reply = UnsafeRawBufferPointer(rebasing: rest[..<length])
      rest = UnsafeRawBufferPointer(rebasing: rest[length...])
      guard inFlight > 0 else {
        measurement.recordError("an answer without a request: \(Self.text(reply))")
        break
      }
      let answered = pending[first]
      first = first + 1 == depth ? 0 : first + 1
      inFlight -= 1
      if answered.work.accepts(reply) {
        source.receive(reply, of: answered.work)
      } else {
        measurement.recordError("\(answered.work.name): \(Self.text(reply))")
      }
      if let current = run, current.pending.work == answered.work, current.pending.since == answered.since {
        run!.count += 1
      } else {
        if let run { count(run, now: now, measuredFrom: measuredFrom, into: &measurement) }
        run = (answered, 1)
      }
    }
    if let run { count(run, now: now, measuredFrom: measuredFrom, into: &measurement) }
    input.consume(input.count - rest.count)
    return state
  }

  @inline(__always)
  private func count(
    _ run: (pending: Pending, count: Int), now: UInt64, measuredFrom: UInt64, into measurement: inout Measurement
  ) {
    if now < measuredFrom { return }
    measurement.record(run.pending.work, nanoseconds: now &- min(now, run.pending.since), count: run.count)
    measurement.end = now
  }

  /// The beginning of a reply on one line, for an error message.
  private static func text(_ reply: UnsafeRawBufferPointer) -> String {
    let shown = String(decoding: reply.prefix(200), as: UTF8.self)
    return shown.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
