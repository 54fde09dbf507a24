/// The server's time, which never goes back.
///
/// It follows the wall clock forward. If the wall clock is set back, it continues by the monotonic clock, so that
/// sessions still end in time. It does not believe a large step forward at once: a single record with a time in the
/// next century would hold back every later one. Such a step must persist for a while before it is followed.
///
/// A value without I/O: its owner passes in readings of the clocks, and reports the events that come out.
public struct SteadyClock: Sendable {
  /// Both clocks, read at the same time.
  public struct Reading: Sendable, Equatable {
    /// Microseconds since 1970, by the machine's wall clock.
    public let wall: Int64
    /// Microseconds since any fixed time, by a clock that nobody can set.
    public let monotonic: Int64

    public init(wall: Int64, monotonic: Int64) {
      self.wall = wall
      self.monotonic = monotonic
    }
  }

  /// What the operator should hear of. All durations are in microseconds.
  public enum Event: Sendable, Equatable {
    /// The wall clock was set ahead by this much, and is followed.
    case steppedAhead(Int64)
    /// The wall clock was set back by this much, and is not followed.
    case steppedBack(Int64)
    /// The wall clock is so far ahead of the server's time that the step must persist before it is followed.
    case doubted(Int64)
    /// A doubted step ahead has persisted, and is followed.
    case believed(Int64)
    /// The wall clock came back from a doubted step.
    case retracted
  }

  /// A longer step is not followed at once.
  public static let longestStep: Int64 = 3_600_000_000
  /// How long such a step must persist.
  public static let patience: Int64 = 600_000_000
  /// A shorter step is not an event, because time servers correct clocks by that much.
  public static let smallestStep: Int64 = 1_000_000
  /// How far the newest record may be ahead of the wall clock when a server starts.
  public static let longestLead: Milliseconds = TimeText.day

  /// The server's time less the monotonic clock, in microseconds. It only grows.
  public private(set) var offset: Int64
  /// The wall clock less the monotonic clock, as last seen.
  public private(set) var wallOffset: Int64
  /// The sum of all steps ahead that were followed since the start.
  public private(set) var stepsFollowed: Int64 = 0
  private var doubt: (offset: Int64, since: Int64)?

  /// Starts at the wall clock's time; times before 1970 count as 1970.
  public init(_ reading: Reading) {
    wallOffset = reading.wall - reading.monotonic
    offset = max(0, reading.wall) - reading.monotonic
  }

  /// The server's time at a reading of the monotonic clock, in microseconds since 1970.
  public func time(at monotonic: Int64) -> Int64 { offset + monotonic }

  /// Whether a step ahead is being doubted.
  public var isDoubting: Bool { doubt != nil }

  /// How far the wall clock is ahead of the server's time; negative if it is behind.
  public var wallLead: Int64 { wallOffset - offset }

  /// Continues from an earlier time, such as that of the newest record.
  public mutating func advance(to time: Int64, at monotonic: Int64) { offset = max(offset, time - monotonic) }

  /// Whether the wall clock is so far behind the newest record that the server cannot decide which one is right.
  public static func isConflict(newest: Milliseconds, wall: Milliseconds) -> Bool { newest - wall > longestLead }

  /// Processes a reading of both clocks.
  ///
  /// - Parameter told: the latest time that the reader was given. The result is not earlier even if both clocks go
  ///   back, as on a virtual machine that was restored from an earlier state.
  public mutating func read(_ reading: Reading, notBefore told: Int64 = 0) -> Event? {
    let back = told - time(at: reading.monotonic)
    if back > 0 { offset += back }
    let event = follow(reading)
    return event == nil && back >= Self.smallestStep ? .steppedBack(back) : event
  }

  private mutating func follow(_ reading: Reading) -> Event? {
    let found = reading.wall - reading.monotonic
    let step = found - wallOffset
    let lead = found - offset
    wallOffset = found
    if lead > Self.longestStep { return doubt(found, lead, at: reading.monotonic) }
    let wasDoubting = doubt != nil
    doubt = nil
    follow(lead)
    if wasDoubting { return .retracted }
    if step >= Self.smallestStep { return .steppedAhead(step) }
    return step <= -Self.smallestStep ? .steppedBack(-step) : nil
  }

  private mutating func doubt(_ found: Int64, _ lead: Int64, at monotonic: Int64) -> Event? {
    guard let doubt, abs(found - doubt.offset) < Self.smallestStep else {
      doubt = (found, monotonic)
      return .doubted(lead)
    }
    guard monotonic - doubt.since >= Self.patience else { return nil }
    self.doubt = nil
    follow(lead)
    return .believed(lead)
  }

  private mutating func follow(_ lead: Int64) {
    guard lead > 0 else { return }
    offset += lead
    if lead >= Self.smallestStep { stepsFollowed += lead }
  }
}
