import GatehouseStorage

/// How far a leader has got with handing over.
enum Handover: Sendable, Equatable {
  case none
  /// What was accepted is being written.
  case preparing
  /// Everything is written and nothing more is accepted. The lead is given up at a time, in `LeaseClock`'s time, for a node
  /// or for any.
  case ready(to: String?, at: UInt64)

  var isReady: Bool { if case .ready = self { true } else { false } }
}

/// An order that this node leads even if another one does.
struct ForceOrder: Sendable, Equatable {
  /// Until when it is tried, in `LeaseClock`'s time: whoever has given the order waits for so long.
  let until: UInt64
  private(set) var isAttempted = false

  init(until: UInt64) { self.until = until }

  func isDue(at now: UInt64) -> Bool { !isAttempted && now < until }

  /// - Returns: whether it is tried now.
  mutating func attempt(at now: UInt64) -> Bool {
    guard isDue(at: now) else { return false }
    isAttempted = true
    return true
  }

  /// The attempt has failed.
  mutating func hasEnded() { isAttempted = false }
}

/// What has become of a request to hand over.
enum HandoverOutcome: Equatable {
  case happened
  /// It does not happen; the text says why.
  case failed(String)
  /// It may happen still. With the request as it was seen last.
  case open(HandoverRequest)

  init(_ request: HandoverRequest, _ status: SharedLogStatus) {
    guard status.epoch <= request.epoch else {
      if let leader = status.leader, leader.epoch > request.epoch {
        let name = leader.node.name
        self = name == request.node ? .happened : .failed("\(name) leads now, and not \(request.node)")
      } else {
        // Somebody takes over; nothing can be withdrawn any more.
        var taken = request
        taken.answer = .taken
        self = .open(taken)
      }
      return
    }
    guard let seen = status.handover else {
      self = .failed("it was withdrawn")
      return
    }
    guard seen.isSame(as: request) else {
      // Whatever was taken is replaced only after it was refused.
      let end = request.answer == .taken ? "it was given up" : "it was replaced and does not happen"
      self = .failed("\(end): a handover to \(seen.node) was asked for meanwhile")
      return
    }
    if case .refused(let why) = seen.answer { self = .failed(why) } else { self = .open(seen) }
  }
}
