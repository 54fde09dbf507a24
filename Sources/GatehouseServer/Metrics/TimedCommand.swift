import GatehouseCore

/// A command that a lane times by itself, and not as one of a read's many.
struct TimedCommand {
  let place: Int?
  let start: UInt64
  let request: Arguments
  /// Whether its answer comes from elsewhere, and ends its time.
  private(set) var isLate = false

  init(_ request: Arguments, place: Int?) {
    self.place = place
    self.request = request
    start = Clock.nanoseconds()
  }

  /// What is kept of it until the answer comes.
  mutating func leave() -> LateCommand {
    isLate = true
    return LateCommand(place: place, start: start, words: shownWords(request))
  }
}

/// A command whose work has left its thread.
struct LateCommand: Sendable {
  let place: Int?
  let start: UInt64
  let words: [String]
}
