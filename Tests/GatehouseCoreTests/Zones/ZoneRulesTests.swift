import Foundation
import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite("Time zones") struct ZoneRulesTests {
  private static func time(_ text: String) -> Milliseconds { TimeText.time(text)! }

  /// A zone, a day, and when the day begins.
  private static let days: [(String, String, String)] = [
    ("Pacific/Auckland", "2026-03-01", "2026-02-28T11:00:00Z"),
    ("Pacific/Auckland", "2026-07-01", "2026-06-30T12:00:00Z"),
    ("NZ", "2026-03-01", "2026-02-28T11:00:00Z"),
    ("America/Los_Angeles", "2026-02-28", "2026-02-28T08:00:00Z"),
    ("Pacific/Kiritimati", "2026-03-01", "2026-02-28T10:00:00Z"),
    ("Asia/Kolkata", "2026-03-01", "2026-02-28T18:30:00Z"),
    // The days on which the clocks change have 23 and 25 hours.
    ("America/Los_Angeles", "2026-03-08", "2026-03-08T08:00:00Z"),
    ("America/Los_Angeles", "2026-03-09", "2026-03-09T07:00:00Z"),
    ("America/Los_Angeles", "2026-11-01", "2026-11-01T07:00:00Z"),
    ("America/Los_Angeles", "2026-11-02", "2026-11-02T08:00:00Z"),
    // If the clocks go forward at midnight, the day starts at one o'clock.
    ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
    ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"),
    ("America/Santiago", "2055-09-05", "2055-09-05T04:00:00Z"),
    // Samoa had no 30 December 2011.
    ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
    // Dublin's summer time is its standard time; the rule in the footer counts backwards.
    ("Europe/Dublin", "2060-07-01", "2060-06-30T23:00:00Z"),
    ("Europe/Dublin", "2060-01-01", "2060-01-01T00:00:00Z"),
    ("Pacific/Auckland", "9000-01-01", "8999-12-31T11:00:00Z"),
    ("UTC", "2026-03-01", "2026-03-01T00:00:00Z"),
  ]

  @Test(arguments: days) func aDayBeginsAtItsFirstMoment(_ name: String, _ day: String, _ moment: String) {
    let rules = TestZones.rules(name)
    let start = Self.time(moment)
    #expect(TimeText.text(ofDay: rules.day(at: start)) == day)
    #expect(rules.day(at: start - 1) < TimeText.dayNumber(day)!)
    #expect(rules.start(ofDay: TimeText.dayNumber(day)!) == start)
  }

  /// The far future has only rules, the near one also listed changes: both agree with Foundation's reading of the
  /// database for every zone here, on both sides of every hour in which clocks change.
  @Test func agreesWithFoundation() {
    for name in ["America/Los_Angeles", "Pacific/Auckland", "Europe/Berlin", "America/Santiago", "Europe/Dublin"] {
      let rules = TestZones.rules(name)
      let zone = TimeZone(identifier: name)!
      for year in [1975, 1999, 2010, 2026, 2036] {
        let start = TimeText.time("\(year)-01-01T00:00:00Z")! / 1000
        for step in 0..<(366 * 24) {
          let seconds = start + Int64(step) * 3600
          let found = rules.offset(at: seconds)
          let expected = Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
          guard found == expected else {
            Issue.record("\(name) at \(TimeText.text(of: seconds * 1000)): \(found), not \(expected)")
            break
          }
        }
      }
    }
  }

  /// Text, time, and hours east of UTC.
  private static let rules: [(String, String, Int64)] = [
    ("UTC0", "2026-07-01T00:00:00Z", 0),
    ("<+13>-13", "2026-07-01T00:00:00Z", 13),
    ("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59Z", -5),
    ("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", -4),
    ("EST5EDT,M3.2.0,M11.1.0", "2026-11-01T05:59:59Z", -4),
    ("EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00Z", -5),
    ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -2),
    ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -1),
    ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-27T23:59:59Z", 2),
    ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28T00:00:00Z", 3),
    ("IST-2IDT,J60/2,J300/2", "2028-02-29T12:00:00Z", 2),
    ("IST-2IDT,J60/2,J300/2", "2028-03-01T00:00:00Z", 3),
    ("IST-2IDT,59/2,299/2", "2028-02-29T00:00:00Z", 3),
    // Daylight saving time all year.
    ("XXX3EDT4,0/0,J365/23", "2026-07-01T00:00:00Z", -4),
    ("XXX3EDT4,0/0,J365/23", "2026-12-31T23:30:00Z", -4),
    ("XXX3EDT4,0/0,J365/23", "2027-01-01T03:00:00Z", -4),
  ]

  @Test(arguments: rules) func aRuleAppliesForEver(_ text: String, _ moment: String, _ hours: Int64) throws {
    let bytes = Array(text.utf8)
    let rule = try bytes.withUnsafeBytes { try ZoneRule($0) }
    #expect(rule.offset(at: Self.time(moment) / 1000) == hours * 3600)
  }

  @Test(arguments: [
    "", "E5", "EST", "EST25", "<+13", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M3.2.0,M11.1.0,",
    "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,J0,J300", "EST5EDT,366,1", "EST5EDT,M3.2.0/168,J1",
  ])
  func whatIsNoRuleIsRefused(_ text: String) {
    let bytes = Array(text.utf8)
    #expect(throws: ZoneError.self) { try bytes.withUnsafeBytes { try ZoneRule($0) } }
  }

  /// A damaged file is refused or read as something else, but never past its end.
  @Test func damagedFilesAreRefused() {
    let whole = [UInt8](TestZones.bytes("Pacific/Auckland"))
    #expect(throws: Never.self) { try whole.withUnsafeBytes { try ZoneRules(file: $0) } }
    for count in 0..<whole.count {
      #expect(throws: ZoneError.self) { try whole[..<count].withUnsafeBytes { try ZoneRules(file: $0) } }
    }
    for place in whole.indices {
      var damaged = whole
      damaged[place] ^= 0xff
      damaged.withUnsafeBytes { bytes in
        if let rules = try? ZoneRules(file: bytes) { _ = rules.day(at: CoreHarness.start) }
      }
    }
  }

  @Test func namesAreFoundInAnyCase() {
    #expect(TestZones.table.zone("pacific/AUCKLAND")?.name == "Pacific/Auckland")
    #expect(TestZones.table.zone("Mars/Olympus") == nil)
    #expect(ZoneTable.utcOnly.zone("utc")?.name == "UTC")
  }
}
