import GatehouseTestSupport
import Testing

@testable import GatehouseCore

@Suite struct EntryCommandTests {
  private let core = CoreHarness()
  private let payroll: ProductID
  private let ana: UserID

  init() {
    payroll = core.seedProduct("payroll")
    ana = core.seedUser("ana", products: [payroll])
  }

  /// Hours before the start of the harness's clock.
  private func hour(_ before: Int64) -> Milliseconds { CoreHarness.start - before * 3_600_000 }

  private func add(_ from: Int64, _ to: Int64, _ options: String = "") -> Int64 {
    let entry = core.run("ENTRY.ADD ana START \(hour(from)) END \(hour(to)) \(options)")
    #expect(!entry.isError, "\(entry)")
    return entry["entry"].integer ?? 0
  }

  @Test func anEntryNeedsStartAndEndInOrder() {
    #expect(core.run("ENTRY.ADD ana").text?.hasPrefix("ERR START is missing") == true)
    #expect(core.run("ENTRY.ADD ana START 5").text?.hasPrefix("ERR END is missing") == true)
    #expect(core.run("ENTRY.ADD ana START 6 END 5").text?.hasPrefix("REFUSED end: ") == true)
    #expect(core.run("ENTRY.ADD ana START 5 END 5")["end"].integer == 5)
    let ahead = core.now + Limits.futureTolerance + 1
    #expect(core.run("ENTRY.ADD ana START 5 END \(ahead)").text?.hasPrefix("REFUSED future: ") == true)
    #expect(core.run("ENTRY.ADD ana START soon END 5").text?.hasPrefix("ERR START is not a time") == true)
  }

  @Test func correctionsKeepEveryVersion() {
    core.seedUser("tom", products: [payroll], roles: [.trainingAdministrator])
    let administrator = core.logIn("tom", "payroll")
    let entry = add(3, 2, "PROJECT site NOTE first REASON \"forgot the clock\"")
    core.advance(1000)
    let corrected = core.run("ENTRY.CORRECT \(entry) END \(hour(1)) REASON \"left later\"", as: administrator)
    #expect(corrected["version"].integer == 2)
    #expect(corrected["end"].integer == hour(1))
    #expect(corrected["project"].text == "site")
    core.advance(1000)
    #expect(core.run(["ENTRY.CORRECT", "\(entry)", "NOTE", ""])["note"].isNull)
    core.advance(1000)
    #expect(core.run("ENTRY.DELETE \(entry) REASON double")["deleted"].integer == 1)
    #expect(core.run("ENTRY.GET \(entry)").text == "NOTFOUND entry #\(entry)")
    #expect(core.run("ENTRY.CORRECT \(entry) NOTE x").text == "NOTFOUND entry #\(entry)")
    #expect(core.run("ENTRY.DELETE \(entry)").text == "NOTFOUND entry #\(entry)")
    let history = core.run("ENTRY.HISTORY \(entry)").items
    #expect(history.map { $0["version"].integer } == [1, 2, 3, 4])
    #expect(history.map { $0["by"].text } == ["local", "tom", "local", "local"])
    #expect(history.map { $0["reason"].text } == ["forgot the clock", "left later", nil, "double"])
    #expect(history.map { $0["time"].integer } == (0..<4).map { CoreHarness.start + $0 * 1000 })
    #expect(history.map { $0["end"].integer } == [hour(2), hour(1), hour(1), hour(1)])
    #expect(history.map { $0["note"].text } == ["first", "first", nil, nil])
    #expect(history.map { $0["deleted"].integer } == [0, 0, 0, 1])
  }

  @Test("B3, B11: every version says as whom it was made, also after a restart") func impersonatedVersions() throws {
    core.seedUser("tom", products: [payroll], roles: [.trainingAdministrator])
    let administrator = core.logIn("tom", "payroll")
    let entry = add(3, 2)
    let session = try #require(
      core.run("IMPERSONATE.START \(administrator) ana REASON clock WORKSPACE main")["session"].text)
    #expect(core.run("ENTRY.CORRECT \(entry) NOTE one", as: session)["version"].integer == 2)
    core.run("ENTRY.CORRECT \(entry) NOTE two", as: administrator)
    core.run("ENTRY.CORRECT \(entry) NOTE three", as: session)
    #expect(core.run("ENTRY.DELETE \(entry)", as: session)["version"].integer == 5)
    func check() {
      let history = core.run("ENTRY.HISTORY \(entry)").items
      #expect(history.map { $0["by"].text } == ["local", "tom", "tom", "tom", "tom"])
      #expect(history.map { $0["as"].text } == [nil, "ana", nil, "ana", "ana"])
    }
    check()
    core.expectReplicated()
    try core.restart()
    check()
  }

  @Test("B3, L15: entries and timers say who started and stopped them, and as whom, also after a restart")
  func impersonatedTimers() throws {
    core.seedUser("tom", products: [payroll], roles: [.trainingAdministrator])
    let administrator = core.logIn("tom", "payroll")
    let session = try #require(
      core.run("IMPERSONATE.START \(administrator) ana REASON clock WORKSPACE main")["session"].text)
    func marks(_ answer: Answer, _ fields: [String]) -> [String?] { fields.map { answer[$0].text } }
    #expect(marks(core.run("TIMER.START ana", as: session), ["started-by", "started-as"]) == ["tom", "ana"])
    try core.restart()
    #expect(marks(core.run("TIMER.CURRENT ana"), ["started-by", "started-as"]) == ["tom", "ana"])
    #expect(marks(core.run("TIMER.RUNNING")[1][0], ["started-by", "started-as"]) == ["tom", "ana"])
    let all = ["started-by", "started-as", "stopped-by", "stopped-as"]
    let stopped = core.run("TIMER.STOP ana", as: administrator)
    #expect(marks(stopped, all) == ["tom", "ana", "tom", nil])
    let added = core.run(
      "ENTRY.ADD ana START 2026-03-01T06:00:00Z END 2026-03-01T07:00:00Z", as: session)
    #expect(marks(added, all) == ["tom", "ana", "tom", "ana"])
    core.expectReplicated()
    try core.restart()
    #expect(core.run("ENTRY.GET \(stopped["entry"])") == stopped)
    #expect(core.run("ENTRY.GET \(added["entry"])") == added)
    #expect(Set(core.run("ENTRY.LIST ana")[1].items.map { $0["started-as"].text }) == ["ana"])
  }

  @Test func aCorrectionAppliesToTheVersionThatWasRead() {
    let entry = add(3, 2)
    #expect(core.run("ENTRY.CORRECT \(entry) NOTE x IFVERSION 2").text?.hasPrefix("STALE version 1") == true)
    #expect(core.run("ENTRY.CORRECT \(entry) NOTE x IFVERSION 1")["version"].integer == 2)
    let length = core.log.count
    #expect(core.run("ENTRY.CORRECT \(entry) NOTE x")["version"].integer == 2)
    #expect(core.log.count == length)
    #expect(core.run("ENTRY.CORRECT \(entry)").text?.hasPrefix("ERR nothing to correct") == true)
    #expect(core.run("ENTRY.CORRECT \(entry) START \(core.now)").text?.hasPrefix("REFUSED end: ") == true)
    #expect(core.run("ENTRY.DELETE \(entry) IFVERSION 1").text?.hasPrefix("STALE ") == true)
    #expect(core.run("ENTRY.GET 999").text == "NOTFOUND entry #999")
    #expect(core.run("ENTRY.GET x").text?.hasPrefix("ERR ") == true)
  }

  @Test func entriesAreListedNewestFirst() {
    // Added in another order than they were worked.
    let second = add(20, 18)
    let first = add(30, 25)
    let third = add(10, 8)
    let gone = add(5, 4)
    core.run("ENTRY.DELETE \(gone)")
    func ids(_ options: String = "") -> [Int64] {
      core.run("ENTRY.LIST ana \(options)")[1].items.compactMap { $0["entry"].integer }
    }
    #expect(ids() == [third, second, first])
    #expect(ids("FROM \(hour(19)) TO \(hour(10))") == [second])
    #expect(ids("FROM \(hour(18))") == [third])
    #expect(ids("TO \(hour(20))") == [first])
    #expect(ids("COUNT 2") == [third, second])
    let cursor = core.run("ENTRY.LIST ana COUNT 2")[0].text ?? ""
    #expect(ids("COUNT 2 CURSOR \(cursor)") == [first])
    #expect(core.run("ENTRY.LIST ana COUNT 2 CURSOR \(cursor)")[0].text == "0")
    #expect(core.run("ENTRY.LIST ana COUNT 3")[0].text == "0")
  }

  /// Pages of any length and span, over entries added, corrected and deleted in any order, equal those of the fully
  /// sorted list; also after a restart.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func pagesAreThoseOfTheWholeList(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    core.run("WORKSPACE.CREATE acme")
    core.apply(WorkspaceJoined(ana, 2))
    var known: [Int64: (start: Int64, end: Int64, workspace: String)] = [:]
    for _ in 0..<120 {
      let start = Int64.random(in: 1...500, using: &random)
      let end = start + (Int.random(in: 0..<10, using: &random) == 0 ? 300 : Int64.random(in: 0...5, using: &random))
      let workspace = Bool.random(using: &random) ? "main" : "acme"
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        let added = core.run("ENTRY.ADD ana START \(start) END \(end) WORKSPACE \(workspace)")
        known[try #require(added["entry"].integer)] = (start, end, workspace)
      case 6..<8:
        guard let entry = known.keys.randomElement(using: &random), let old = known[entry] else { continue }
        core.run("ENTRY.CORRECT \(entry) START \(start) END \(end)")
        known[entry] = (start, end, old.workspace)
      default:
        guard let entry = known.keys.randomElement(using: &random) else { continue }
        core.run("ENTRY.DELETE \(entry)")
        known[entry] = nil
      }
    }
    for _ in 0..<40 {
      let from = Int64.random(in: 0...500, using: &random)
      let to = from + Int64.random(in: 1...300, using: &random)
      let workspace = ["", "WORKSPACE main", "WORKSPACE acme"].randomElement(using: &random) ?? ""
      let expected = known.filter { _, entry in
        entry.start < to && (entry.end > from || entry.start >= from)
          && (workspace.isEmpty || workspace.hasSuffix(entry.workspace))
      }.sorted { ($0.value.start, $0.key) > ($1.value.start, $1.key) }.map(\.key)
      let count = Int.random(in: 1...9, using: &random)
      var found: [Int64] = []
      var cursor = "0"
      repeat {
        let page = core.run("ENTRY.LIST ana FROM \(from) TO \(to) \(workspace) COUNT \(count) CURSOR \(cursor)")
        cursor = try #require(page[0].text)
        let items = page[1].items.compactMap { $0["entry"].integer }
        #expect(items.count == count || cursor == "0")
        found += items
      } while cursor != "0" && found.count <= known.count
      #expect(found == expected, "FROM \(from) TO \(to) \(workspace) COUNT \(count)")
    }
    let cell = core.cells[core.partitioning.partition(of: ana)]
    var again = try PartitionCell.decode(cell.encoded, index: cell.index, core.partitioning)
    #expect(again.state.time.orders.of(1).map(\.serials) == cell.state.time.orders.of(1).map(\.serials))
    #expect(again.state.time.orders.of(1).map(\.lsn) == cell.state.time.orders.of(1).map(\.lsn))
    for entry in known.keys { core.run("ENTRY.DELETE \(entry)") }
    again = try PartitionCell.decode(cell.encoded, index: cell.index, core.partitioning)
    #expect(!again.state.hasTrackedTime(1) { _ in true } && !cell.state.hasTrackedTime(1) { _ in true })
  }

  @Test func recordedTimeKeepsALoginOnlyInItsWorkspace() {
    core.run("WORKSPACE.CREATE acme")
    core.apply(WorkspaceJoined(ana, 2))
    let state = core.cells[core.partitioning.partition(of: ana)]
    func isTracked(_ workspace: WorkspaceID) -> Bool { state.state.hasTrackedTime(1) { $0 == workspace } }
    let entry = add(3, 2, "WORKSPACE acme")
    #expect(isTracked(2) && !isTracked(1))
    core.run("ENTRY.DELETE \(entry)")
    #expect(!isTracked(2))
    core.run("TIMER.START ana WORKSPACE main")
    #expect(isTracked(1) && !isTracked(2))
  }

  @Test func recordedTimeOutlivesTheLogin() {
    let entry = add(3, 2)
    core.apply(StatusSet(ana, old: .active, new: .deleted))
    #expect(core.run("ENTRY.LIST #\(ana.raw)")[1].items.map { $0["entry"].integer } == [entry])
    #expect(core.run("ENTRY.GET \(entry)")["username"].text == "ana")
    #expect(core.run("ENTRY.ADD ana START 1 END 2").text?.hasPrefix("REFUSED status: ") == true)
    // S12: a new login on the same contact has the history.
    let cell = core.cells[core.partitioning.partition(of: ana)]
    let again: UserID = cell.state.id(cell.state.people.users.last + 1)
    core.apply(
      UserCreated(
        user: again, contact: cell.state.id(1), username: "ana2", status: .active, workspaces: [mainWorkspace],
        fields: []),
      AccessSet(again, old: nil, new: ProductAccess(product: payroll, isEnabled: true)))
    #expect(core.run("ENTRY.LIST ana2")[1].items.map { $0["entry"].integer } == [entry])
    let own = core.logIn("ana2", "payroll")
    #expect(core.run("ENTRY.GET \(entry)", as: own)["user"].integer == Int64(ana.raw))
    #expect(core.run("ENTRY.CORRECT \(entry) NOTE mine", as: own)["version"].integer == 2)
  }

  @Test func theOwnerSeesTheTimeOfTheWorkspaceOnly() {
    let acme = core.seedWorkspace("acme")
    let owner = core.seedUser("olga", workspaces: [mainWorkspace, acme], products: [payroll])
    core.apply(WorkspaceJoined(ana, acme))
    core.apply(WorkspaceSet(acme, key: "owner", old: "", new: "#\(owner.raw)"))
    let elsewhere = add(9, 8)
    let here = add(7, 6, "WORKSPACE acme")
    let olga = core.logIn("olga", "payroll")
    #expect(core.run("ENTRY.LIST ana", as: olga)[1].items.map { $0["entry"].integer } == [here])
    // W4: entries elsewhere do not exist for them.
    #expect(core.run("ENTRY.GET \(elsewhere)", as: olga).text == "NOTFOUND entry #\(elsewhere)")
    #expect(core.run("ENTRY.CORRECT \(here) NOTE seen", as: olga)["version"].integer == 2)
    #expect(core.run("ENTRY.LIST ana WORKSPACE main", as: olga).text?.hasPrefix("NOPERM ") == true)
    core.seedUser("ben", products: [payroll])
    #expect(core.run("ENTRY.LIST ana", as: core.logIn("ben", "payroll")).text?.hasPrefix("NOPERM ") == true)
  }

  @Test func namesOfManyAuthorsNeedOneRetry() {
    let core = CoreHarness(partitions: 64)
    let payroll = core.seedProduct("payroll")
    core.seedUser("ana")
    for number in 0..<20 {
      core.seedUser("admin\(number)", products: [payroll], roles: [.trainingAdministrator])
      let token = core.logIn("admin\(number)", "payroll")
      core.run("ENTRY.ADD ana START \(number) END \(number + 1)", as: token)
    }
    let items = core.run("ENTRY.LIST ana")[1].items
    #expect(items.map { $0["stopped-by"].text } == (0..<20).reversed().map { "admin\($0)" })
    #expect(core.decisions == 2)
  }
}
