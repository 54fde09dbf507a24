import GatehouseCore

/// A command that a lane times separately, instead of sharing the time of its read.
struct TimedCommand {
  let commandIndex: Int?
  let start: UInt64
  let request: Arguments
  /// Whether it is answered later, when its time ends.
  private(set) var isLate = false

  init(_ request: Arguments, commandIndex: Int?) {
    self.commandIndex = commandIndex
    self.request = request
    start = Clock.nanoseconds()
  }

  /// Marks it as answered later, and returns what must be kept until then.
  mutating func leave() -> LateCommand {
    isLate = true
    return LateCommand(commandIndex: commandIndex, start: start, words: shownWords(request))
  }
}

/// A command that is answered later.
struct LateCommand: Sendable {
  let commandIndex: Int?
  let start: UInt64
  let words: [String]

  func notCounting(nanoseconds: UInt64) -> LateCommand {
    LateCommand(commandIndex: commandIndex, start: start + nanoseconds, words: words)
  }
}
