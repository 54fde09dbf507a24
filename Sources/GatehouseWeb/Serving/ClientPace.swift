import NIOCore

/// How far a connection's requests and answers have come, and by when the client must have gone on. It knows no channel
/// and no clock.
struct ClientPace {
  /// How long clients may take; `zero` stands for as long as they like.
  struct Times {
    /// For a request to begin after connecting, for its head, and for a pause in reading an answer.
    var patience: TimeAmount
    /// Between two requests.
    var idle: TimeAmount
  }

  enum Excess: Equatable {
    /// No request came: after connecting, or after the last answer.
    case silent(isNew: Bool)
    /// A request does not arrive.
    case slowRequest
    /// An answer is not read.
    case slowReader
  }

  /// Who is slower than this, in bytes a second, has only the patience's time.
  private static let slowest: Int64 = 16 * 1024

  /// Bytes of a body that are read though its request is answered, for the sake of the next request.
  private static let mostUnwanted = 4 * 1024 * 1024

  private enum Input {
    /// Nothing of the next request has arrived.
    case waiting(since: NIODeadline)
    case head(since: NIODeadline)
    case body(since: NIODeadline, bytes: Int)
  }

  private var input: Input
  private var isNew = true
  /// Requests that have begun and are not answered.
  private var unanswered = 0
  /// Whether the request whose body arrives is answered already, so that nobody wants the rest.
  private(set) var isAnsweredEarly = false
  /// Bytes of answers that the kernel has not taken, and when it last took some.
  private(set) var unsent = 0
  private var lastSent: NIODeadline

  init(at now: NIODeadline) {
    input = .waiting(since: now)
    lastSent = now
  }

  /// Whether the client is in the middle of a request.
  var isReceiving: Bool { if case .waiting = input { false } else { true } }

  /// Whether a request is being answered.
  var isAnswering: Bool { unanswered > 0 }

  /// Whether a request was read wholly and is not answered.
  var owesAnswer: Bool { unanswered > (isReceiving ? 1 : 0) }

  /// Whether so much of a body has arrived that nobody wants that the client will not stop by itself.
  var isFlooding: Bool {
    guard isAnsweredEarly, case .body(_, let bytes) = input else { return false }
    return bytes > Self.mostUnwanted
  }

  // MARK: Events

  mutating func received(_ count: Int, at now: NIODeadline) {
    switch input {
    case .waiting: input = .head(since: now)
    case .head: break
    case .body(let since, let bytes): input = .body(since: since, bytes: bytes + count)
    }
  }

  mutating func headEnded(at now: NIODeadline) {
    isNew = false
    isAnsweredEarly = false
    unanswered += 1
    input = .body(since: now, bytes: 0)
  }

  mutating func requestEnded(at now: NIODeadline) {
    isAnsweredEarly = false
    input = .waiting(since: now)
  }

  mutating func answered(at now: NIODeadline) {
    unanswered = max(0, unanswered - 1)
    switch input {
    case .waiting: input = .waiting(since: now)
    case .head: break
    case .body: isAnsweredEarly = unanswered == 0
    }
  }

  mutating func writes(_ count: Int, at now: NIODeadline) {
    if unsent == 0 { lastSent = now }
    unsent += count
  }

  mutating func sent(_ count: Int, at now: NIODeadline) {
    unsent -= count
    lastSent = now
  }

  // MARK: Deadlines

  /// When the client exceeds a limit unless it goes on, and which.
  func deadline(_ times: Times) -> (time: NIODeadline, excess: Excess)? {
    if unsent > 0 { return after(lastSent, times.patience, for: unsent, .slowReader) }
    // The server reads no further before it has answered, so that a client cannot be late then.
    if owesAnswer { return nil }
    switch input {
    case .waiting(let since):
      return after(since, isNew ? times.patience : times.idle, for: 0, .silent(isNew: isNew))
    case .head(let since): return after(since, times.patience, for: 0, .slowRequest)
    case .body(let since, let bytes): return after(since, times.patience, for: bytes, .slowRequest)
    }
  }

  private func after(
    _ start: NIODeadline, _ time: TimeAmount, for bytes: Int, _ excess: Excess
  ) -> (time: NIODeadline, excess: Excess)? {
    time == .zero ? nil : (start + time + .milliseconds(Int64(bytes) * 1000 / Self.slowest), excess)
  }
}
