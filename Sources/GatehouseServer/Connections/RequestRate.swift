import GatehouseCore

/// How many commands and bytes of requests a connection, or all connections of a service, have sent in the second at
/// hand.
///
/// Whole seconds instead of a bucket that drains: what is allowed is what the setting says, and a client that is refused
/// knows that the next second is a new one.
struct RequestRate {
  /// The most a second; 0 for no limit.
  struct Most: Equatable {
    var commands: Int
    var bytes: Int

    static let none = Most(commands: 0, bytes: 0)
  }

  enum Excess {
    case commands
    case bytes
  }

  private var second: Milliseconds = 0
  private var commands = 0
  private var bytes = 0

  init() {}

  /// Counts a request, unless it would exceed the limits.
  ///
  /// A second's first request is always taken: one that is larger than what a second allows could never be sent.
  ///
  /// - Parameter now: milliseconds of the monotonic clock.
  /// - Returns: which limit it would exceed; nil if it is taken.
  mutating func take(_ size: Int, of most: Most, at now: Milliseconds) -> Excess? {
    if now / 1000 != second {
      second = now / 1000
      commands = 0
      bytes = 0
    }
    if commands > 0 {
      if most.commands > 0, commands >= most.commands { return .commands }
      if most.bytes > 0, bytes + size > most.bytes { return .bytes }
    }
    commands += 1
    bytes += size
    return nil
  }
}
