import Testing

@testable import GatehouseCore

@Suite("The server's time") struct SteadyClockTests {
  private static let second: Int64 = 1_000_000
  private static let minute = 60 * second
  private static let hour = 60 * minute
  /// 2026-03-01T09:00:00Z.
  private static let start: Int64 = 1_772_355_600 * second

  /// Both clocks of a machine.
  private struct Machine {
    var wall = SteadyClockTests.start
    var monotonic: Int64 = 5 * SteadyClockTests.hour

    mutating func pass(_ span: Int64) {
      wall += span
      monotonic += span
    }

    var reading: SteadyClock.Reading { SteadyClock.Reading(wall: wall, monotonic: monotonic) }
  }

  private var machine = Machine()
  private var clock: SteadyClock

  init() { clock = SteadyClock(machine.reading) }

  private var now: Int64 { clock.time(at: machine.monotonic) }

  private mutating func look() -> SteadyClock.Event? { clock.read(machine.reading) }

  @Test mutating func followsTheWallClock() {
    #expect(now == Self.start)
    machine.pass(Self.hour)
    #expect(look() == nil)
    #expect(now == machine.wall)
    machine.wall += Self.second / 2
    #expect(look() == nil)
    #expect(now == machine.wall)
  }

  @Test(arguments: [second, minute, hour, 24 * 365 * 26 * hour, 10_000 * 24 * 365 * hour])
  mutating func continuesWhenTheWallClockGoesBack(by span: Int64) {
    machine.wall -= span
    #expect(look() == .steppedBack(span))
    #expect(now == Self.start)
    machine.pass(2 * Self.second)
    #expect(look() == nil)
    #expect(now == Self.start + 2 * Self.second)
    #expect(clock.wallLead == -span)
    machine.wall += span
    #expect(look() == .steppedAhead(span))
    #expect(now == machine.wall)
  }

  @Test mutating func neverGoesBackEvenIfBothClocksDo() {
    machine.pass(Self.minute)
    let told = now
    machine.pass(-Self.hour)
    #expect(clock.read(machine.reading, notBefore: told) == .steppedBack(Self.hour))
    #expect(now == told)
    machine.pass(2 * Self.second)
    #expect(clock.read(machine.reading, notBefore: told) == nil)
    #expect(now == told + 2 * Self.second)
  }

  @Test mutating func followsAStepOfAnHourAtOnce() {
    machine.wall += Self.hour
    #expect(look() == .steppedAhead(Self.hour))
    #expect(now == machine.wall)
    #expect(clock.stepsFollowed == Self.hour)
  }

  @Test mutating func aStepFarAheadMustPersist() {
    let step = 100 * 365 * 24 * Self.hour
    machine.wall += step
    #expect(look() == .doubted(step))
    for _ in 0..<9 {
      machine.pass(Self.minute)
      #expect(look() == nil)
      #expect(clock.isDoubting)
      #expect(now == machine.wall - step)
    }
    machine.pass(Self.minute)
    #expect(look() == .believed(step))
    #expect(now == machine.wall)
    #expect(!clock.isDoubting)
    #expect(clock.stepsFollowed == step)
  }

  @Test mutating func aRevertedStepLeavesNoTrace() {
    let step = 2 * Self.hour
    machine.wall += step
    #expect(look() == .doubted(step))
    machine.pass(9 * Self.minute)
    #expect(look() == nil)
    machine.wall -= step
    #expect(look() == .retracted)
    #expect(now == machine.wall)
    machine.pass(Self.hour)
    #expect(look() == nil)
    #expect(now == Self.start + Self.hour + 9 * Self.minute)
    #expect(clock.stepsFollowed == 0)
  }

  @Test mutating func anotherStepMustPersistAgain() {
    machine.wall += 2 * Self.hour
    #expect(look() == .doubted(2 * Self.hour))
    machine.pass(9 * Self.minute)
    machine.wall += 3 * Self.hour
    #expect(look() == .doubted(5 * Self.hour))
    machine.pass(9 * Self.minute)
    #expect(look() == nil)
    machine.pass(Self.minute)
    #expect(look() == .believed(5 * Self.hour))
  }

  @Test mutating func continuesFromTheNewestRecord() {
    clock.advance(to: Self.start + Self.hour, at: machine.monotonic)
    #expect(now == Self.start + Self.hour)
    clock.advance(to: Self.start, at: machine.monotonic)
    machine.pass(Self.minute)
    #expect(look() == nil)
    #expect(now == Self.start + Self.hour + Self.minute)
  }

  @Test func thereIsNoTimeBefore1970() {
    let clock = SteadyClock(SteadyClock.Reading(wall: -Self.hour, monotonic: 3 * Self.second))
    #expect(clock.time(at: 3 * Self.second) == 0)
    #expect(clock.time(at: 4 * Self.second) == Self.second)
  }

  @Test func aRecordMayBeAtMostADayAhead() {
    #expect(!SteadyClock.isConflict(newest: TimeText.day + 5, wall: 5))
    #expect(SteadyClock.isConflict(newest: TimeText.day + 6, wall: 5))
    #expect(!SteadyClock.isConflict(newest: 5, wall: 100 * TimeText.day))
  }
}
