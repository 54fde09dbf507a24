import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite struct TimeTextTests {
  /// Values of `date -u -d … +%s`.
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600_000), ("2026-03-01T09:30:00Z", 1_772_357_400_000),
    ("2026-03-01T09:30:00.5Z", 1_772_357_400_500), ("2026-03-01T09:30:00.123456789Z", 1_772_357_400_123),
    ("2026-03-01t10:30:00+01:00", 1_772_357_400_000), ("2026-03-01 04:00:00-05:30", 1_772_357_400_000),
    ("2038-01-19T03:14:08Z", 2_147_483_648_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ("2100-03-01T00:00:00z", 4_107_542_400_000), ("1772357400000", 1_772_357_400_000), ("0", 0),
    ("20261301", 20_261_301), ("20260230", 20_260_230), ("18991231", 18_991_231),
  ])
  func readsTimes(_ text: String, _ time: Int64) {
    #expect(TimeText.time(text) == time)
  }

  @Test(arguments: [
    "", "now", "-1", "253402300800000", "99999999999999999999", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00+1:00",
    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01",
    "20260301", "19991231", "2026-01-01", "2026-01-01T00:00:00Z ", "２026-01-01T00:00:00Z", "1.5",
    "2026-01-01T00:00:00+24:00",
  ])
  func refusesWhatIsNoTime(_ text: String) {
    #expect(TimeText.time(text) == nil)
  }

  @Test("a day is told by its hyphens, before 1970 too; a number is a point in time, and no year")
  func days() {
    for (text, day) in [("1970-01-01", 0), ("1969-12-31", -1), ("0001-01-01", -719_162), ("9999-12-31", 2_932_896)] {
      #expect(TimeText.dayNumber(text) == Int32(day))
      #expect(TimeText.text(ofDay: Int32(day)) == text)
    }
    for text in ["0000-12-31", "2026-1-01", "20260101", "2026"] { #expect(TimeText.dayNumber(text) == nil) }
    for text in ["0", "2026", "20260301", "86399999"] { #expect(TimeText.timeOfDay(text) == nil) }
    #expect(TimeText.timeOfDay("86400000") == 86_400_000)
    #expect(TimeText.timeOfDay("1970-01-01T00:00:00Z") == 0)
  }

  /// For every time, also of a clock before 1970 or far in the future. Values of `date`.
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (-86_400_000, "1969-12-31T00:00:00.000Z"),
      (-86_400_001, "1969-12-30T23:59:59.999Z"), (-315_619_200_000, "1960-01-01T00:00:00.000Z"),
      (-62_167_219_200_001, "-0001-12-31T23:59:59.999Z"), (253_402_300_800_000, "10000-01-01T00:00:00.000Z"),
      (Int64.max, "292278994-08-17T07:12:55.807Z"), (Int64.min, "-292275055-05-16T16:47:04.192Z"),
    ] as [(Int64, String)])
  func writesEveryTime(_ time: Int64, _ text: String) {
    #expect(TimeText.text(of: time) == text)
  }

  @Test(arguments: [
    ("0", 0), ("1500", 1500), ("1500ms", 1500), ("90s", 90_000), ("15m", 900_000), ("8h", 28_800_000),
    ("30d", 2_592_000_000),
  ])
  func readsDurations(_ text: String, _ span: Int64) {
    #expect(TimeText.duration(text) == span)
  }

  @Test(arguments: ["", "s", "-1s", "1.5h", "1 h", "1H", "1w", "9999999999999999d", "٣s", "1hh"])
  func refusesOtherDurations(_ text: String) {
    #expect(TimeText.duration(text) == nil)
  }

  @Test func writesWhatItReads() {
    #expect(TimeText.text(of: 0) == "1970-01-01T00:00:00.000Z")
    #expect(TimeText.text(of: 1_772_357_400_007) == "2026-03-01T09:30:00.007Z")
    #expect(TimeText.text(of: -1) == "1969-12-31T23:59:59.999Z")
    var random = SeededRandom(seed: 3)
    for _ in 0..<2000 {
      let time = Int64.random(in: 0...Limits.latestTime, using: &random)
      #expect(TimeText.time(TimeText.text(of: time)) == time)
    }
  }

  /// Every day of 800 years, counted by hand.
  @Test func everyDayFollowsTheOneBefore() {
    var (year, month, day) = (1970, 1, 1)
    for number in Int32(0)..<292_194 {
      func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
      let text = "\(year)-\(two(month))-\(two(day))"
      guard TimeText.text(ofDay: number) == text, TimeText.dayNumber(text) == number else {
        Issue.record("day \(number) is \(TimeText.text(ofDay: number)), not \(text)")
        return
      }
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let last = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
      day += 1
      if day > last { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
    #expect(year == 2770)
  }
}
