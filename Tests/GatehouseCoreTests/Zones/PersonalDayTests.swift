import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite("A person's days") struct PersonalDayTests {
  private let core = CoreHarness()

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("WORKSPACE.SET main policy.login.within-employment on")
  }

  private func check(_ user: String, at moment: String) -> String? {
    core.now = TimeText.time(moment)!
    return core.run("LOGIN.CHECK \(user) payroll").text
  }

  private func employment(of user: String, at moment: String, _ core: CoreHarness) -> Answer {
    core.run("LOGIN.EXPLAIN \(user) payroll AT \(moment)").items.last!
  }

  @Test(arguments: [
    ("TIMEZONE Pacific/Auckland HIRED 2026-03-01", "2026-02-28T10:59:59.999Z", "2026-02-28T11:00:00Z"),
    ("TIMEZONE Pacific/Kiritimati HIRED 2026-03-01", "2026-02-28T09:59:59.999Z", "2026-02-28T10:00:00Z"),
    ("TIMEZONE NZ HIRED 2026-03-01", "2026-02-28T10:59:59.999Z", "2026-02-28T11:00:00Z"),
    ("TIMEZONE America/Santiago HIRED 2026-09-06", "2026-09-06T03:59:59.999Z", "2026-09-06T04:00:00Z"),
    ("HIRED 2026-03-01", "2026-02-28T23:59:59.999Z", "2026-03-01T00:00:00Z"),
  ])
  func theFirstDayBeginsWhereThePersonIs(_ options: String, _ before: String, _ first: String) {
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE \(options)")
    #expect(check("ana", at: before) == "DENY outside-employment")
    #expect(check("ana", at: first) == "ALLOW")
  }

  @Test(arguments: [
    ("TIMEZONE America/Los_Angeles RELEASED 2026-02-28", "2026-03-01T07:59:59.999Z", "2026-03-01T08:00:00Z"),
    // The last day has 23 or 25 hours.
    ("TIMEZONE America/Los_Angeles RELEASED 2026-03-08", "2026-03-09T06:59:59.999Z", "2026-03-09T07:00:00Z"),
    ("TIMEZONE America/Los_Angeles RELEASED 2026-11-01", "2026-11-02T07:59:59.999Z", "2026-11-02T08:00:00Z"),
    ("TIMEZONE Pacific/Kiritimati RELEASED 2026-02-28", "2026-02-28T09:59:59.999Z", "2026-02-28T10:00:00Z"),
    ("RELEASED 2026-02-28", "2026-02-28T23:59:59.999Z", "2026-03-01T00:00:00Z"),
  ])
  func theLastDayEndsWhereThePersonIs(_ options: String, _ last: String, _ after: String) {
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE \(options)")
    #expect(check("ana", at: last) == "ALLOW")
    #expect(check("ana", at: after) == "DENY outside-employment")
  }

  @Test func theWorkspacesZoneAppliesToUsersWithoutOne() {
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE HIRED 2026-03-01")
    core.run("USER.CREATE bob PRODUCT payroll NOINVITE HIRED 2026-03-01 TIMEZONE UTC")
    #expect(core.run("WORKSPACE.SET main policy.timezone pacific/auckland").integer == 1)
    #expect(core.run("WORKSPACE.GET main")["policy.timezone"].text == "Pacific/Auckland")
    #expect(check("ana", at: "2026-02-28T20:00:00Z") == "ALLOW")
    #expect(check("bob", at: "2026-02-28T20:00:00Z") == "DENY outside-employment")
    // A profile says how a product works, not where its customers live.
    core.run("WORKSPACE.SET main profile clockify policy.login.within-employment on")
    #expect(core.run("WORKSPACE.GET main")["policy.timezone"].text == "Pacific/Auckland")
    core.expectReplicated()
  }

  @Test func sessionsEndWithTheLastDayToo() {
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE TIMEZONE America/Los_Angeles RELEASED 2026-03-01")
    core.now = TimeText.time("2026-03-02T07:00:00Z")!
    let token = core.logIn("ana", "payroll")
    core.advance(3_599_999)
    #expect(!core.run("SESSION.CHECK \(token)").isNull)
    core.advance(1)
    #expect(core.run("SESSION.CHECK \(token)").isNull)
  }

  @Test func explainSaysTheDayAndTheZone() {
    let core = CoreHarness(now: TimeText.time("2026-02-01T00:00:00Z")!)
    core.run("PRODUCT.CREATE payroll")
    core.run("WORKSPACE.SET main policy.login.within-employment on")
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE TIMEZONE Pacific/Auckland HIRED 2026-03-01")
    core.run("USER.CREATE bob PRODUCT payroll NOINVITE RELEASED 2026-02-28")
    core.now = CoreHarness.start
    let before = employment(of: "ana", at: "2026-02-28T10:59:59Z", core)
    #expect(before["passed"].integer == 0)
    #expect(
      before["detail"].text
        == "hired 2026-03-01, released -; it is 2026-02-28 in Pacific/Auckland, the person's time zone")
    #expect(employment(of: "ana", at: "2026-02-28T11:00:00Z", core)["passed"].integer == 1)
    let after = employment(of: "bob", at: "2026-03-01T00:00:00Z", core)
    #expect(after["passed"].integer == 0)
    #expect(
      after["detail"].text == "hired -, released 2026-02-28; it is 2026-03-01 in UTC, the workspace's time zone")
    #expect(core.run("LOGIN.EXPLAIN ana payroll AT soon").isError)
  }

  @Test("B1, B7: where a moment is asked for, a day is one of the person's; limits hold from its beginning to its end")
  func daysAsMoments() {
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE TIMEZONE Pacific/Auckland HIRED 2026-03-05")
    #expect(employment(of: "ana", at: "2026-03-04", core)["passed"].integer == 0)
    #expect(employment(of: "ana", at: "2026-03-05", core)["passed"].integer == 1)
    #expect(
      employment(of: "ana", at: "2026-03-05", core) == employment(of: "ana", at: "2026-03-04T11:00:00Z", core))
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    for line in [
      "ROLE.GRANT ana manager FROM 2026-03-05 UNTIL 2026-03-06",
      "PRODUCT.ENABLE ana payroll FROM 2026-03-05 UNTIL 2026-03-06",
      "WORKSPACE.MEMBER acme ana FROM 2026-03-05 UNTIL 2026-03-06",
    ] {
      #expect(!core.run(line).isError, "\(line)")
      let fields = core.records.last?.first.changeTexts().flatMap(\.fields) ?? []
      #expect(fields.last { $0.name == "from" }?.new == "2026-03-04T11:00:00.000Z", "\(line)")
      #expect(fields.last { $0.name == "until" }?.new == "2026-03-06T11:00:00.000Z", "\(line)")
    }
    // Who has no zone is where the workspace is.
    core.run("USER.CREATE bob PRODUCT payroll NOINVITE")
    core.run("WORKSPACE.SET main policy.timezone America/Los_Angeles")
    core.run("PRODUCT.ENABLE bob payroll UNTIL 2026-03-08")
    #expect(core.records.last?.first.changeTexts()[0].fields.last?.new == "2026-03-09T07:00:00.000Z")
  }

  @Test func anUnknownZoneIsRefused() {
    let expected = "is not a time zone of the IANA database; give a name such as Europe/Prague"
    for name in ["Mars/Olympus", "+02:00", "Europe", "Europe/Praha"] {
      #expect(core.run("USER.CREATE ana TIMEZONE \(name)").text == "ERR timezone '\(name)' \(expected)")
    }
    core.run("USER.CREATE ana TIMEZONE europe/prague")
    #expect(core.run("USER.GET ana")["timezone"].text == "Europe/Prague")
    #expect(core.run("USER.SET ana timezone Mars/Olympus").text == "ERR timezone 'Mars/Olympus' \(expected)")
    #expect(
      core.run("WORKSPACE.SET main policy.timezone Mars/Olympus").text
        == "ERR policy.timezone 'Mars/Olympus' \(expected)")
    #expect(core.run("WORKSPACE.SET main policy.timezone \"\"").isError)
    #expect(core.run("USER.SET ana timezone \"\"").integer == 1)
  }

  /// Left by an older version or an older database.
  @Test func anUnknownRecordedZoneFallsBackToTheWorkspaces() {
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE HIRED 2026-03-01")
    core.run("WORKSPACE.SET main policy.timezone Pacific/Auckland")
    let contact: ContactID = core.partitioning.id(serial: 1, partition: core.user("ana")!.cell.index)
    core.apply(ContactSet(contact, .timezone, old: "", new: "Atlantis/Capital"))
    #expect(check("ana", at: "2026-02-28T11:00:00Z") == "ALLOW")
    #expect(
      employment(of: "ana", at: "2026-02-28T11:00:00Z", core)["detail"].text?.hasSuffix(
        "in Pacific/Auckland, the workspace's time zone, because the person's, Atlantis/Capital, is unknown") == true)
  }

  @Test func aPointInTimeCountsAsThePersonsDay() {
    core.run("USER.CREATE ana TIMEZONE Pacific/Auckland HIRED 2026-02-28T11:00:00Z RELEASED 2026-03-31T10:59:59Z")
    #expect(core.run("USER.GET ana")["hired"].text == "2026-03-01")
    #expect(core.run("USER.GET ana")["released"].text == "2026-03-31")
    core.run("USER.SET ana hired 2026-02-28T11:00:00Z timezone America/Los_Angeles")
    #expect(core.run("USER.GET ana")["hired"].text == "2026-02-28")
    core.run("USER.SET ana hired 2026-03-01T07:59:59Z")
    #expect(core.run("USER.GET ana")["hired"].text == "2026-02-28")
    core.run("USER.SET ana timezone \"\" hired 2026-03-01T07:59:59Z")
    #expect(core.run("USER.GET ana")["hired"].text == "2026-03-01")
    core.run("USER.CREATE bob TIMEZONE America/Los_Angeles HIRED 1970-01-01T00:00:00Z")
    #expect(core.run("USER.GET bob")["hired"].text == "1970-01-01")
    core.expectReplicated()
  }

  /// Days and points in time are compared in each person's zone.
  @Test func listsCompareDaysInEachPersonsZone() {
    core.now = TimeText.time("2026-02-28T20:00:00Z")!
    core.run("USER.CREATE ana TIMEZONE Pacific/Auckland HIRED 2026-03-01")
    core.run("USER.CREATE bob TIMEZONE America/Los_Angeles HIRED 2026-03-01")
    func found(_ condition: String) -> [String] {
      core.run("USER.LIST WHERE \(condition) SORT username FIELDS 1 username")[1].items.compactMap {
        $0["username"].text
      }
    }
    #expect(found("created = 2026-03-01") == ["ana"])
    #expect(found("created = 2026-02-28") == ["bob"])
    #expect(found("created >= 2026-03-01") == ["ana"])
    #expect(found("created < 2026-03-01") == ["bob"])
    #expect(found("created <= 2026-03-01") == ["ana", "bob"])
    #expect(found("created > 2026-02-27") == ["ana", "bob"])
    #expect(found("hired <= 2026-02-28T20:00:00Z") == ["ana"])
    #expect(found("hired > 2026-02-28T20:00:00Z") == ["bob"])
    #expect(found("released = 2026-02-28T20:00:00Z").isEmpty)
  }
}
