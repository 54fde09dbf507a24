/// The server's time, which never goes back.
///
/// It follows the wall clock ahead. Where the wall clock is set back, it runs on by the monotonic clock, so that a
/// session still ends when its time is over. A step far ahead is not believed at once: one record with a time of the
/// next century would hold back every later one, so such a step must stand for a while before it is followed.
///
/// A value without I/O: its owner passes readings of the clocks in and reports the events that come out.
public struct SteadyClock: Sendable {
  /// Both clocks at one moment.
  public struct Reading: Sendable, Equatable {
    /// Microseconds since 1970, as the machine's clock has it.
    public let wall: Int64
    /// Microseconds since any fixed moment, by a clock that nobody sets.
    public let monotonic: Int64

    public init(wall: Int64, monotonic: Int64) {
      self.wall = wall
      self.monotonic = monotonic
    }
  }

  /// What somebody should hear of. All spans are in microseconds.
  public enum Event: Sendable, Equatable {
    /// The wall clock was set ahead by so much and is followed.
    case steppedAhead(Int64)
    /// The wall clock was set back by so much and is not followed.
    case steppedBack(Int64)
    /// The wall clock is so far ahead of the server's time that it must stand before it is followed.
    case doubted(Int64)
    /// A step ahead that was doubted has stood, and is followed.
    case believed(Int64)
    /// The wall clock came back from a step that was doubted.
    case retracted
  }

  /// A step that is longer is not followed at once.
  public static let longestStep: Int64 = 3_600_000_000
  /// How long such a step must stand.
  public static let patience: Int64 = 600_000_000
  /// A step that is shorter is no event: time servers correct clocks by so much.
  public static let smallestStep: Int64 = 1_000_000
  /// How far the newest record may lie ahead of the wall clock when a server starts.
  public static let longestLead: Milliseconds = TimeText.day

  /// The server's time less the monotonic clock, in microseconds. It only grows.
  public private(set) var offset: Int64
  /// The wall clock less the monotonic clock, as it was last seen.
  public private(set) var wallOffset: Int64
  /// The steps ahead that were followed since the start, together.
  public private(set) var stepsFollowed: Int64 = 0
  private var doubt: (offset: Int64, since: Int64)?

  /// Begins at the wall clock's time. Before 1970 there is no time.
  public init(_ reading: Reading) {
    wallOffset = reading.wall - reading.monotonic
    offset = max(0, reading.wall) - reading.monotonic
  }

  /// The server's time at a moment of the monotonic clock, in microseconds since 1970.
  public func time(at monotonic: Int64) -> Int64 { offset + monotonic }

  /// Whether a step ahead waits to be believed.
  public var isDoubting: Bool { doubt != nil }

  /// How far the wall clock is ahead of the server's time; negative where it is behind.
  public var wallLead: Int64 { wallOffset - offset }

  /// Goes on from a time that was told before, such as that of the newest record.
  public mutating func advance(to time: Int64, at monotonic: Int64) { offset = max(offset, time - monotonic) }

  /// Whether a wall clock is too far behind the newest record for a server to choose by itself which is right.
  public static func isConflict(newest: Milliseconds, wall: Milliseconds) -> Bool { newest - wall > longestLead }

  /// Takes in a reading of both clocks.
  ///
  /// - Parameter told: the newest time that the reader was told before. It holds even where both clocks go back, as on a
  ///   virtual machine that is set back to an earlier state.
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
