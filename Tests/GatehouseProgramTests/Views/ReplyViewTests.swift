import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

@testable import gatehouse

/// Replies as shown to people on a terminal.
@Suite(.blocking) struct ReplyViewTests {
  private func lines(
    _ reply: RESPValue, width: Int = 80, zone: String = "UTC", names: [String: String] = [:]
  ) throws -> [String] {
    let field = ShownField(zone: try #require(TimeZone(identifier: zone)))
    return ReplyView(style: TextStyle(usesColour: false), width: width, names: UserNames(names), field: field)
      .lines(of: reply)
  }

  private func map(_ pairs: (String, RESPValue)...) -> RESPValue {
    .map(pairs.map { RESPValue.Pair(.bulk($0.0), $0.1) })
  }

  private func sessions() -> RESPValue {
    .array([
      map(
        ("id", .integer(273)), ("kind", .bulk("impersonation")), ("actor", .bulk("sam")),
        ("created", .integer(1_795_868_744_885)), ("reason", .bulk("left running since Monday"))),
      map(
        ("id", .integer(81)), ("kind", .bulk("login")), ("actor", .null), ("created", .integer(1_795_868_744_000)),
        ("reason", .null)),
    ])
  }

  @Test func `lists of maps are tables`() throws {
    #expect(
      try lines(sessions()) == [
        "id   kind           actor  created              reason",
        "273  impersonation  sam    2026-11-28 12:25:44  left running since Monday",
        "81   login                 2026-11-28 12:25:44",
      ])
  }

  @Test func `what a command would do is a line for each change, then logins and seats`() throws {
    let change = map(
      ("change", .bulk("status-set")), ("entity", .bulk("user #5")),
      ("fields", .array([map(("name", .bulk("status")), ("old", .bulk("active")), ("new", .bulk("locked")))])))
    let login = map(
      ("user", .integer(5)), ("username", .bulk("ana")), ("product", .bulk("payroll")), ("before", .bulk("ALLOW")),
      ("after", .bulk("DENY status-locked")))
    #expect(
      try lines(map(("changes", .array([change])), ("logins", .array([login])), ("seats", .array([])))) == [
        "changes", "  status-set  user #5  status active → locked", "logins",
        "  user  username  product  before  after", "  5     ana       payroll  ALLOW   DENY status-locked", "seats",
        "  (none)",
      ])
  }

  /// Texts are truncated, numbers and times never; uninformative columns are dropped first.
  @Test func `tables are fitted to the width`() throws {
    #expect(
      try lines(sessions(), width: 64) == [
        "id   kind           actor  created              reason",
        "273  impersonation  sam    2026-11-28 12:25:44  left running si…",
        "81   login                 2026-11-28 12:25:44",
      ])
    for width in 52...120 {
      let shown = try lines(sessions(), width: width)
      #expect(shown.allSatisfy { TextWidth.of($0) <= width }, "\(width)")
      #expect(shown.count { $0.contains("2026-11-28 12:25:44") } == 2, "\(width)")
    }
    #expect(
      try lines(sessions(), width: 40).prefix(7) == [
        "id       273", "kind     impersonation", "actor    sam", "created  2026-11-28 12:25:44",
        "reason   left running since Monday", "", "id       81",
      ])
    let empty = RESPValue.array([map(("name", .bulk("a")), ("nothing-at-all", .null), ("plan", .bulk("free")))])
    #expect(try lines(empty, width: 80)[0] == "name  nothing-at-all  plan")
    #expect(try lines(empty, width: 12)[0] == "name  plan")
  }

  /// A reason that is cut off reads like another one.
  @Test func `reasons of refused logins stay whole`() throws {
    let refusals = RESPValue.array(
      [("unknown-product", "payroll-of-the-whole-company"), ("outside-employment", "crm")].map { reason, product in
        map(
          ("time", .integer(1_795_868_744_885)), ("user", .null), ("username", .bulk("somebody-whom-nobody-knows")),
          ("product", .bulk(product)), ("reason", .bulk(reason)), ("command", .bulk("LOGIN.CHECK")),
          ("service", .null))
      })
    for width in 20...120 {
      let text = try lines(refusals, width: width).joined(separator: "\n")
      #expect(text.contains("unknown-product") && text.contains("outside-employment"), "\(width)")
    }
    let table = try lines(refusals, width: 70)
    #expect(table.count == 3 && table.allSatisfy { TextWidth.of($0) <= 70 })
  }

  @Test func `wide characters keep columns aligned`() throws {
    let reply = RESPValue.array([
      map(("name", .bulk("山田")), ("plan", .bulk("free"))), map(("name", .bulk("José")), ("plan", .bulk("pro"))),
    ])
    #expect(try lines(reply) == ["name  plan", "山田  free", "José  pro"])
    #expect(TextWidth.cut("山田太郎", to: 5) == "山田…")
    #expect(TextWidth.cut("abc", to: 3) == "abc")
  }

  @Test func `maps are aligned pairs, with nested values below`() throws {
    let user = map(
      ("username", .bulk("ana")), ("middle", .null), ("roles", .array([.bulk("manager"), .bulk("individual")])),
      ("products", .array([map(("product", .bulk("payroll")), ("enabled", .integer(1)), ("admin", .integer(0)))])),
      ("version", .integer(3)))
    #expect(
      try lines(user) == [
        "username  ana", "middle    -", "roles     manager, individual", "products", "  product  enabled  admin",
        "  payroll  yes      no", "version   3",
      ])
  }

  @Test func `times and flags read as such, in whatever list`() throws {
    let lines = try lines(
      .array([
        map(
          ("requested", .integer(1_795_868_744_885)), ("next", .integer(1_795_868_744_885)), ("current", .integer(1)),
          ("mandatory", .integer(0)))
      ]))
    #expect(lines.count == 2 && lines[1].hasSuffix("  yes      no"))
    #expect(lines[1].matches(of: /2026-11-2\d \d\d:\d\d:44/).count == 2)
  }

  @Test func `pages say how to continue`() throws {
    let page = { (cursor: String) in
      RESPValue.array([.bulk(cursor), .array([self.map(("user", .integer(1)))])])
    }
    #expect(try lines(page("192")) == ["user", "1", "(more with CURSOR 192)"])
    #expect(try lines(page("0")) == ["user", "1"])
    #expect(try lines(.array([])) == ["(none)"])
    #expect(try lines(.null) == ["(nothing)"])
    // Two texts are not a page.
    #expect(try lines(.array([.bulk("a1"), .bulk("b")])) == ["a1", "b"])
  }

  @Test func `times are local`() throws {
    let timer = map(("start", .integer(1_772_323_200_123)), ("idle", .integer(1_772_323_200_123)))
    #expect(try lines(timer, zone: "Europe/Berlin") == ["start  2026-03-01 01:00:00", "idle   1772323200123"])
    let text = map(("new", .bulk("2026-07-01T12:00:00.500Z")), ("day", .bulk("2026-07-01")))
    #expect(try lines(text, zone: "Asia/Kolkata") == ["new  2026-07-01 17:30:00", "day  2026-07-01"])
  }

  @Test func `rules have ticks, crosses and remedies`() throws {
    func rule(_ name: String, _ passed: Int64, _ detail: String, _ remedy: RESPValue) -> RESPValue {
      map(("rule", .bulk(name)), ("passed", .integer(passed)), ("detail", .bulk(detail)), ("remedy", remedy))
    }
    let rules = RESPValue.array([
      rule("unknown-user", 1, "user #102", .null),
      rule("no-licence", 0, "no licence", .bulk("assign one with LICENCE.ASSIGN")),
    ])
    #expect(
      try lines(rules) == [
        "✓ unknown-user  user #102", "✗ no-licence    no licence", "  → assign one with LICENCE.ASSIGN",
      ])
  }

  @Test func `the trail shows names next to ids`() throws {
    func field(_ name: String, _ old: RESPValue, _ new: RESPValue) -> RESPValue {
      map(("name", .bulk(name)), ("old", old), ("new", new))
    }
    let record = map(
      ("lsn", .integer(1752)), ("time", .integer(1_795_868_744_885)), ("actor", .bulk("sam")),
      ("subject", .bulk("ana")), ("service", .null), ("command", .bulk("TIMER.STOP")),
      ("reason", .bulk("left \"running\"")),
      (
        "changes",
        .array([
          map(
            ("change", .bulk("timer-stopped")), ("entity", .bulk("user #107")),
            (
              "fields",
              .array([
                field("owner", .bulk("#107"), .bulk("#64")), field("plan", .bulk("free"), .null),
                field("entry", .null, .bulk("#107")),
              ])
            ))
        ])
      ))
    let page = RESPValue.array([.bulk("11"), .array([record])])
    #expect(
      try lines(page, names: ["#107": "ana"]) == [
        "#1752  2026-11-28 12:25:44  TIMER.STOP  by sam as ana  \"left \\\"running\\\"\"",
        "  timer-stopped  user #107 ana  owner #107 ana → #64, plan free → -, entry #107",
        "(more with CURSOR 11)",
      ])
  }

  /// Texts by others cannot redraw a terminal or forge a line.
  @Test func `texts by others are shown escaped`() throws {
    let hostile = "x\u{1B}[2J\ny\u{202e}"
    let escaped = #"x\u{1b}[2J\ny\u{202e}"#
    #expect(try lines(.bulk(hostile)) == [escaped])
    #expect(try lines(.error(hostile)) == ["✗ \(escaped)"])
    #expect(try lines(map((hostile, .bulk(hostile)))) == ["\(escaped)  \(escaped)"])
    #expect(try lines(.array([map(("name", .bulk(hostile)))])) == ["name", escaped])
    let record = map(
      ("lsn", .integer(1)), ("time", .integer(1)), ("actor", .bulk(hostile)), ("subject", .bulk(hostile)),
      ("service", .bulk(hostile)), ("command", .bulk(hostile)), ("reason", .bulk(hostile)),
      ("changes", .array([map(("change", .bulk(hostile)), ("entity", .bulk(hostile)), ("fields", .array([])))])))
    #expect(try lines(.array([record])).count == 2)
    #expect(try lines(.array([record])).joined().unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{202e}" })
  }
}
