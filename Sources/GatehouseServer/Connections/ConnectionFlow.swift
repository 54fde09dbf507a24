/// The state machine of a connection's requests.
///
///             begin                     end
///    ready ───────────► working ─────────────────► ready, inLine, waiting, finishing
///    inLine ── begin ─► working
///    waiting ─ begin ─► working      nothing is in the way any more
///    any but closed ── finish ──► finishing ── close ──► closed
///
/// It is told what happens and returns what may follow; `Connection` does it.
struct ConnectionFlow {
  enum State: Equatable {
    /// Nothing is left to do; requests are carried out as they arrive.
    case ready
    /// Requests are being carried out. If there is a reason to stop, work stops after the current request.
    case working(Stop?)
    /// Requests are left. They continue when the lane reaches the connection in its work line.
    case inLine
    /// Something must come first: an answer that is computed elsewhere, the client reading its replies, or the log.
    case waiting
    /// No more requests are accepted. The connection closes once all its replies have left.
    case finishing
    case closed
  }

  /// Why work stops before the requests end. A reason further down replaces one above it.
  enum Stop: Int {
    /// Fairness: other connections go first.
    case slice
    /// Something must come before the next request.
    case obstacle
    /// No further request is accepted.
    case end
  }

  private(set) var state = State.ready

  init() {}

  var isWorking: Bool { if case .working = state { true } else { false } }

  /// Whether the next request may be carried out too.
  @inline(__always)
  var goesOn: Bool { state == .working(nil) }

  /// Whether the only reason to stop is that the slice is over.
  var isSliceOver: Bool { state == .working(.slice) }

  /// Whether no more requests are accepted.
  var isEnding: Bool { state == .finishing || state == .closed || state == .working(.end) }

  // MARK: Events

  /// Requests are carried out from here on.
  @inline(__always)
  mutating func begin() {
    switch state {
    case .ready, .inLine, .waiting: state = .working(nil)
    case .working, .finishing, .closed: preconditionFailure("requests are carried out in the state \(state)")
    }
  }

  /// The next slice of them begins.
  mutating func beginSlice() {
    if state == .working(.slice) { state = .working(nil) }
  }

  /// Work is to stop after the current request.
  mutating func stop(_ reason: Stop) {
    guard case .working(let earlier) = state else { preconditionFailure("what does not work is stopped") }
    if (earlier?.rawValue ?? -1) < reason.rawValue { state = .working(reason) }
  }

  /// The requests have ended, or work has stopped.
  ///
  /// - Parameter isAllDone: whether no complete request is left.
  @inline(__always)
  mutating func end(isAllDone: Bool) {
    switch state {
    case .working(nil): state = .ready
    case .working(.slice): state = isAllDone ? .ready : .inLine
    case .working(.obstacle): state = .waiting
    case .working(.end): state = .finishing
    case .closed: break
    case .ready, .inLine, .waiting, .finishing: preconditionFailure("work ends in the state \(state)")
    }
  }

  /// Something must come before any further request.
  mutating func obstruct() {
    switch state {
    case .ready: state = .waiting
    case .working: stop(.obstacle)
    // In line, the connection checks for obstacles again when its turn comes.
    case .inLine, .waiting, .finishing, .closed: break
    }
  }

  /// The connection enters its lane's work line.
  mutating func wait() {
    precondition(state == .waiting, "a connection enters the line in the state \(state)")
    state = .inLine
  }

  /// The lane has reached the connection in its line.
  ///
  /// - Parameter mayWork: whether nothing is in the way.
  /// - Returns: whether to continue.
  mutating func hasTurn(mayWork: Bool) -> Bool {
    guard state == .inLine else { return false }
    if !mayWork { state = .waiting }
    return mayWork
  }

  /// No more requests are accepted.
  mutating func finish() {
    switch state {
    case .working: stop(.end)
    case .ready, .inLine, .waiting: state = .finishing
    case .finishing, .closed: break
    }
  }

  /// - Returns: false if it was closed already.
  mutating func close() -> Bool {
    defer { state = .closed }
    return state != .closed
  }
}
