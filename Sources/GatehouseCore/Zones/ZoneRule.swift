/// The rule that a zone follows for ever, in the form of the POSIX variable `TZ`: `NZST-12NZDT,M9.5.0,M4.1.0/3`.
struct ZoneRule: Sendable, Equatable {
  /// A yearly change: its day, and its time on the clock before the change.
  struct Change: Sendable, Equatable {
    enum Day: Sendable, Equatable {
      /// From 1; 29 February is never counted.
      case julian(Int)
      /// From 0; 29 February is counted.
      case ofYear(Int)
      /// Week 5 is the last; Sunday is 0.
      case ofWeek(month: Int, week: Int, weekday: Int)
    }

    let day: Day
    /// Seconds since midnight; may be negative or more than a day.
    let time: Int64
  }

  struct Saving: Sendable, Equatable {
    let offset: Int64
    let start: Change
    let end: Change
  }

  /// Seconds east of UTC.
  let standard: Int64
  let saving: Saving?

  /// Seconds east of UTC at a point in time, given in seconds since 1970.
  func offset(at seconds: Int64) -> Int64 {
    guard let saving else { return standard }
    // The latest change decides. Look one year back and ahead, because a change can fall outside its year. If two
    // coincide, the one of the later year counts; zones with daylight saving time all year are written that way.
    let year = Int64(TimeText.civil(Int((seconds + standard).dividedDown(by: 86_400))).year)
    var newest = Int64.min
    var offset = standard
    for year in year - 1...year + 1 {
      let changes = [
        (saving.start.moment(in: year) - standard, saving.offset),
        (saving.end.moment(in: year) - saving.offset, standard),
      ]
      for (moment, next) in changes where moment <= seconds && moment >= newest {
        newest = moment
        offset = next
      }
    }
    return offset
  }
}

extension ZoneRule.Change {
  /// The time of the change in a year by the clock before the change, in seconds since 1970 as if that clock were UTC.
  func moment(in year: Int64) -> Int64 {
    let year = Int(year)
    let first = TimeText.days(year, 1, 1)
    let number: Int
    switch day {
    case .julian(let day): number = first + day - 1 + (day > 59 && TimeText.daysIn(2, of: year) == 29 ? 1 : 0)
    case .ofYear(let day): number = first + day
    case .ofWeek(let month, let week, let weekday):
      let start = TimeText.days(year, month, 1)
      // 1970-01-01 was a Thursday.
      let ahead = ((weekday - (start + 4)) % 7 + 7) % 7
      let day = ahead + (week - 1) * 7
      number = start + (day < TimeText.daysIn(month, of: year) ? day : day - 7)
    }
    return Int64(number) * 86_400 + time
  }
}

// MARK: - Reading

extension ZoneRule {
  init(_ text: UnsafeRawBufferPointer) throws(ZoneError) {
    var reader = ZoneRuleReader(rest: text[...])
    try reader.name()
    standard = -(try reader.time(hours: 24))
    guard !reader.isAtEnd else {
      saving = nil
      return
    }
    try reader.name()
    let offset = reader.isAt(0x2c) ? standard + 3600 : -(try reader.time(hours: 24))
    let start = try reader.change()
    saving = Saving(offset: offset, start: start, end: try reader.change())
    guard reader.isAtEnd else { throw ZoneRuleReader.failure }
  }
}

private struct ZoneRuleReader {
  static let failure = ZoneError("the rule in the footer is invalid")

  var rest: Slice<UnsafeRawBufferPointer>

  var isAtEnd: Bool { rest.isEmpty }

  func isAt(_ byte: UInt8) -> Bool { rest.first == byte }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard isAt(byte) else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func require(_ byte: UInt8) throws(ZoneError) {
    guard skip(byte) else { throw Self.failure }
  }

  private mutating func number(_ range: ClosedRange<Int>) throws(ZoneError) -> Int {
    let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
    guard (1...3).contains(digits.count) else { throw Self.failure }
    rest = rest.dropFirst(digits.count)
    let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    guard range.contains(value) else { throw Self.failure }
    return value
  }

  /// A name of at least three letters, or one of other characters in angle brackets.
  mutating func name() throws(ZoneError) {
    if skip(0x3c) {
      rest = rest.drop { $0 != 0x3e }
      return try require(0x3e)
    }
    let letters = rest.prefix { ($0 | 0x20) &- 0x61 < 26 }
    guard letters.count >= 3 else { throw Self.failure }
    rest = rest.dropFirst(letters.count)
  }

  /// `[+|-]hh[:mm[:ss]]` in seconds.
  mutating func time(hours: Int) throws(ZoneError) -> Int64 {
    let isNegative = skip(0x2d)
    if !isNegative { _ = skip(0x2b) }
    var seconds = try number(0...hours) * 3600
    if skip(0x3a) {
      seconds += try number(0...59) * 60
      if skip(0x3a) { seconds += try number(0...59) }
    }
    return Int64(isNegative ? -seconds : seconds)
  }

  /// `,Mm.w.d[/time]`, `,Jn[/time]` or `,n[/time]`; the default time is two o'clock.
  mutating func change() throws(ZoneError) -> ZoneRule.Change {
    try require(0x2c)
    let day: ZoneRule.Change.Day
    if skip(0x4d) {
      let month = try number(1...12)
      try require(0x2e)
      let week = try number(1...5)
      try require(0x2e)
      day = .ofWeek(month: month, week: week, weekday: try number(0...6))
    } else if skip(0x4a) {
      day = .julian(try number(1...365))
    } else {
      day = .ofYear(try number(0...365))
    }
    return ZoneRule.Change(day: day, time: skip(0x2f) ? try time(hours: 167) : 7200)
  }
}
