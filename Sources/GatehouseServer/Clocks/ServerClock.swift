import GatehouseCore
import Logging
import Synchronization

/// The server's time: one clock for all lanes, tasks and threads.
///
/// `SteadyClock` decides what the time is. This type publishes its result in atomics, so that a lane can read the time
/// without a lock, once per read of a socket, and it logs jumps of the wall clock. On the usual path the wall clock has
/// not jumped, and a look costs two clock readings, two loads and an addition.
final class ServerClock: Sendable {
  /// The time, and the monotonic reading at which it was taken.
  struct Look {
    let now: Milliseconds
    let nanoseconds: UInt64
  }

  /// The figures shown by `INFO clock`.
  struct Figures: Sendable {
    /// Jumps of the wall clock since the start.
    var jumps: UInt64 = 0
    /// The last jump in milliseconds, negative if the clock went back, and the server's time when it happened.
    var lastJump: Int64 = 0
    var lastJumpTime: Milliseconds = 0
    /// How far the wall clock is ahead of the server's time, in milliseconds.
    var wallLead: Int64 = 0
    /// Whether the wall clock is too far ahead to be followed yet.
    var isDoubted = false
  }

  private struct State {
    var clock: SteadyClock
    var figures = Figures()
    /// When a jump was last logged, in the monotonic clock's nanoseconds.
    var loggedAt: UInt64?
  }

  /// The largest apparent move, in microseconds, that is not a jump: time passes between reading one clock and the
  /// other.
  private static let slack: Int64 = 1000
  /// Nanoseconds between two log lines about jumps: a clock that jumps back and forth must not flood the log.
  private static let logPause: UInt64 = 1_000_000_000
  /// What stands for the wall clock while it is doubted.
  private static let doubted = Int64.min / 2

  /// The server's time less the monotonic clock, in microseconds.
  private let offset: Atomic<Int64>
  /// The wall clock less the monotonic clock, as last seen. While the wall clock is doubted it is far from any real
  /// value, so that every look takes the slow path.
  private let wallOffset: Atomic<Int64>
  private let state: Mutex<State>
  private let logger: Logger

  init(logger: Logger) {
    let clock = SteadyClock(Self.reading())
    self.logger = logger
    offset = Atomic(clock.offset)
    wallOffset = Atomic(clock.wallOffset)
    state = Mutex(State(clock: clock))
  }

  /// Reads the time.
  ///
  /// - Parameter last: the time that the caller got before. The result is never earlier, even if the monotonic clock
  ///   goes back, as it does on a virtual machine that was restored from an earlier state.
  @inline(__always)
  func look(notBefore last: Milliseconds = 0) -> Look {
    // Read the wall clock first: a delay between the two readings then makes it seem behind, never ahead.
    let wall = Clock.wallMicroseconds()
    let nanoseconds = Clock.nanoseconds()
    let monotonic = Int64(nanoseconds / 1000)
    var now = (offset.load(ordering: .relaxed) + monotonic) / 1000
    let moved = wall - monotonic &- wallOffset.load(ordering: .relaxed)
    if moved > Self.slack || moved < -Self.slack || now < last { now = lookClosely(notBefore: last) }
    return Look(now: now, nanoseconds: nanoseconds)
  }

  /// The server's time at a monotonic reading that `look` returned, or at one shortly after.
  @inline(__always)
  func time(at nanoseconds: UInt64) -> Milliseconds {
    (offset.load(ordering: .relaxed) + Int64(nanoseconds / 1000)) / 1000
  }

  /// Milliseconds since 1970.
  var milliseconds: Milliseconds { look().now }

  /// Microseconds since 1970.
  var microseconds: Int64 {
    _ = look()
    return offset.load(ordering: .relaxed) + Int64(Clock.nanoseconds() / 1000)
  }

  /// By how many milliseconds the wall clock is behind the server's time; 0 if it is not.
  var wallLag: Milliseconds {
    _ = look()
    let wall = wallOffset.load(ordering: .relaxed)
    // While a step ahead is doubted it is no real value.
    return wall == Self.doubted ? 0 : max(0, offset.load(ordering: .relaxed) - wall) / 1000
  }

  /// Moves the server's time forward to the newest record's time, if it is behind.
  func advance(to time: Milliseconds) {
    state.withLock { state in
      state.clock.advance(to: time * 1000, at: Int64(Clock.nanoseconds() / 1000))
      publish(state.clock)
    }
  }

  /// How far the clock was set ahead since the start, in milliseconds, counting only steps that were followed. Things
  /// seem older by this much than they are.
  var stepsFollowed: Milliseconds { state.withLock { $0.clock.stepsFollowed } / 1000 }

  var figures: Figures {
    _ = look()
    return state.withLock { state in
      var figures = state.figures
      figures.wallLead = state.clock.wallLead / 1000
      figures.isDoubted = state.clock.isDoubting
      return figures
    }
  }

  // MARK: The slow path

  /// Reads both clocks, again if the thread was interrupted between the two readings, so that a delay does not look
  /// like a jump.
  private static func reading() -> SteadyClock.Reading {
    var wall: Int64 = 0
    var after: UInt64 = 0
    for _ in 0..<8 {
      let before = Clock.nanoseconds()
      wall = Clock.wallMicroseconds()
      after = Clock.nanoseconds()
      if after &- before < UInt64(slack) * 1000 { break }
    }
    return SteadyClock.Reading(wall: wall, monotonic: Int64(after / 1000))
  }

  @inline(never)
  private func lookClosely(notBefore last: Milliseconds) -> Milliseconds {
    let (now, event) = state.withLock { state -> (Milliseconds, (event: SteadyClock.Event, isLogged: Bool)?) in
      // Read under the lock, so that readings reach `SteadyClock` in order.
      let reading = Self.reading()
      let event = state.clock.read(reading, notBefore: last * 1000)
      publish(state.clock)
      let now = state.clock.time(at: reading.monotonic) / 1000
      return (now, event.map { ($0, note($0, at: now, &state)) })
    }
    if let event, event.isLogged { log(event.event) }
    return now
  }

  private func publish(_ clock: SteadyClock) {
    offset.store(clock.offset, ordering: .relaxed)
    wallOffset.store(clock.isDoubting ? Self.doubted : clock.wallOffset, ordering: .relaxed)
  }

  /// Records a jump in the figures.
  ///
  /// - Returns: whether to log it.
  private func note(_ event: SteadyClock.Event, at now: Milliseconds, _ state: inout State) -> Bool {
    switch event {
    case .steppedAhead(let step), .doubted(let step), .believed(let step):
      state.figures.lastJump = step / 1000
    case .steppedBack(let step): state.figures.lastJump = -step / 1000
    case .retracted: break
    }
    if case .believed = event {} else { state.figures.jumps += 1 }
    state.figures.lastJumpTime = now
    let nanoseconds = Clock.nanoseconds()
    if let last = state.loggedAt, nanoseconds &- last < Self.logPause { return false }
    state.loggedAt = nanoseconds
    return true
  }

  private func log(_ event: SteadyClock.Event) {
    func seconds(_ step: Int64) -> Logger.Metadata { ["seconds": "\(Double(step / 1000) / 1000)"] }
    switch event {
    case .steppedAhead(let step):
      logger.warning("the clock was set ahead; the server's time follows it", metadata: seconds(step))
    case .steppedBack(let step):
      logger.warning(
        "the clock was set back; the server's time goes on by the monotonic clock", metadata: seconds(step))
    case .doubted(let step):
      logger.error(
        "the clock is far ahead; the server's time follows it once it has stayed there for \(Self.patience) minutes",
        metadata: seconds(step))
    case .believed(let step):
      logger.error("the clock has stayed far ahead; the server's time follows it now", metadata: seconds(step))
    case .retracted: logger.warning("the clock has come back; the server's time never followed it")
    }
  }

  private static let patience = SteadyClock.patience / 60_000_000
}
