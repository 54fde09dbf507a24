/// Where a connection stands with the requests of its client.
///
///              begin                     end
///     ready ───────────► working ─────────────────► ready, inLine, waiting, finishing
///     inLine ── begin ─► working
///     waiting ─ begin ─► working      nothing is in the way any more
///     any but closed ── finish ──► finishing ── close ──► closed
///
/// It is told what happens and says what may follow; `Connection` does it.
struct ConnectionFlow {
  enum State: Equatable {
    /// Nothing is left to do: requests are carried out as they come.
    case ready
    /// Requests are being carried out, and stop after the one at hand where there is a reason.
    case working(Stop?)
    /// Requests are left. They go on when the lane comes to the connection in its line.
    case inLine
    /// Something must come first: what is under way elsewhere, the client that is to take its replies, the log.
    case waiting
    /// No more requests are taken. The connection closes once all its replies have left.
    case finishing
    case closed
  }

  /// Why work stops before the requests end; a later reason outweighs an earlier one.
  enum Stop: Int {
    /// Others come first.
    case slice
    /// Something else must come first.
    case obstacle
    /// No further request is taken.
    case end
  }

  private(set) var state = State.ready

  init() {}

  var isWorking: Bool { if case .working = state { true } else { false } }

  /// Whether the request after the one at hand may be carried out too.
  @inline(__always)
  var goesOn: Bool { state == .working(nil) }

  /// Whether work stops for no other reason than that others come first.
  var isSliceOver: Bool { state == .working(.slice) }

  /// Whether no request is taken any more.
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

  /// Work stops after the request at hand.
  mutating func stop(_ reason: Stop) {
    guard case .working(let earlier) = state else { preconditionFailure("what does not work is stopped") }
    if (earlier?.rawValue ?? -1) < reason.rawValue { state = .working(reason) }
  }

  /// Requests have ended, or work has stopped.
  ///
  /// - Parameter isAllDone: whether no whole request is left.
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
    // Whose turn comes looks again whether something is in the way.
    case .inLine, .waiting, .finishing, .closed: break
    }
  }

  /// The connection waits in its lane's line.
  mutating func wait() {
    precondition(state == .waiting, "a connection enters the line in the state \(state)")
    state = .inLine
  }

  /// The lane has come to it in its line.
  ///
  /// - Parameter mayWork: whether nothing is in the way.
  /// - Returns: whether it is to go on.
  mutating func hasTurn(mayWork: Bool) -> Bool {
    guard state == .inLine else { return false }
    if !mayWork { state = .waiting }
    return mayWork
  }

  /// No more requests are taken.
  mutating func finish() {
    switch state {
    case .working: stop(.end)
    case .ready, .inLine, .waiting: state = .finishing
    case .finishing, .closed: break
    }
  }

  /// - Returns: false where it was closed already.
  mutating func close() -> Bool {
    defer { state = .closed }
    return state != .closed
  }
}
