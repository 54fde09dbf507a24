import Testing

@testable import GatehouseCore

@Suite struct TimerCommandTests {
  private let core = CoreHarness()
  private let payroll: ProductID
  private let ana: UserID

  init() {
    payroll = core.seedProduct("payroll")
    ana = core.seedUser("ana", email: "ana@acme.test", products: [payroll])
  }

  private var start: Milliseconds { CoreHarness.start }

  @Test func aTimerBecomesAnEntry() {
    let started = core.run("TIMER.START ana PROJECT site NOTE \"the gate\"")
    #expect(
      started.description
        == "{user: \(ana.raw), username: ana, workspace: main, project: site, note: the gate, start: \(start), "
        + "started-by: local, started-as: nil, stopped: nil}")
    #expect(core.run("TIMER.CURRENT ana")["start"].integer == start)
    core.advance(90_000)
    let entry = core.run("TIMER.STOP ana")
    #expect(
      entry.description
        == "{entry: \(ana.raw), user: \(ana.raw), username: ana, workspace: main, project: site, note: the gate, "
        + "start: \(start), end: \(start + 90_000), started-by: local, started-as: nil, stopped-by: local, "
        + "stopped-as: nil, version: 1, deleted: 0}")
    #expect(core.run("TIMER.CURRENT ana").isNull)
    #expect(core.run("TIMER.STOP ana").text == "NOTFOUND timer of ana in main; WORKSPACE w names another workspace")
    #expect(core.run("TIMER.STOP ana WORKSPACE main").text == "NOTFOUND timer of ana in main")
    #expect(core.run("ENTRY.GET \(entry["entry"])") == entry)
  }

  @Test func oneTimerRunsPerWorkspace() {
    let acme = core.seedWorkspace("acme")
    core.apply(WorkspaceJoined(ana, acme))
    core.run("TIMER.START ana")
    #expect(core.run("TIMER.START ana").text?.hasPrefix("CONFLICT timer-running; ") == true)
    #expect(!core.run("TIMER.START ana WORKSPACE acme").isError)
    #expect(core.run("TIMER.STOP ana WORKSPACE acme")["workspace"].text == "acme")
    #expect(!core.run("TIMER.CURRENT ana").isNull)
  }

  @Test func switchingStopsTheOtherAtTheNewStart() {
    core.run("TIMER.START ana PROJECT one")
    core.advance(60_000)
    let second = core.run("TIMER.START ana PROJECT two AT \(start + 30_000) SWITCH")
    let entry = core.run("ENTRY.GET \(second["stopped"])")
    #expect(entry["project"].text == "one")
    #expect(entry["end"].integer == start + 30_000)
    #expect(core.run("TIMER.CURRENT ana")["start"].integer == start + 30_000)
    #expect(core.run("TIMER.START ana AT \(start) SWITCH").text?.hasPrefix("REFUSED end: ") == true)
    #expect(core.run("TIMER.CURRENT ana")["project"].text == "two")
  }

  @Test func timesHaveBounds() {
    let ahead = start + Limits.futureTolerance
    #expect(core.run("TIMER.START ana AT \(ahead + 1)").text?.hasPrefix("REFUSED future: ") == true)
    #expect(core.run("TIMER.START ana AT -1").text?.hasPrefix("ERR AT ") == true)
    #expect(core.run("TIMER.START ana AT 1969-12-31T23:59:59Z").text?.hasPrefix("ERR AT ") == true)
    #expect(core.run("TIMER.START ana AT \(ahead)")["start"].integer == ahead)
    #expect(core.run("TIMER.STOP ana AT \(ahead - 1)").text?.hasPrefix("REFUSED end: ") == true)
    #expect(core.run("TIMER.STOP ana AT \(ahead)")["end"].integer == ahead)
    #expect(core.run("TIMER.START ana AT 1970-01-01T00:00:00Z")["start"].integer == 0)
  }

  @Test func aTimerThatStartsAheadIsStoppedAtItsStart() {
    let ahead = start + 4 * 60_000
    core.run("TIMER.START ana AT \(ahead)")
    let stopped = core.run("TIMER.STOP ana")
    #expect(stopped["start"].integer == ahead && stopped["end"].integer == ahead)
    core.run("TIMER.START ana AT \(ahead)")
    let other = core.run("TIMER.START ana SWITCH")
    #expect(other["start"].integer == start)
    #expect(core.run("ENTRY.GET \(other["stopped"])")["end"].integer == ahead)
  }

  @Test func onlyMembersWithALoginRecordTime() {
    core.seedWorkspace("acme")
    core.seedUser("bob", status: .deleted)
    #expect(core.run("TIMER.START ana WORKSPACE acme").text?.hasPrefix("REFUSED member: ") == true)
    #expect(core.run("TIMER.START bob").text?.hasPrefix("REFUSED status: ") == true)
    #expect(core.run("TIMER.START nobody").text == "NOTFOUND user nobody")
    #expect(core.run("TIMER.START ana WORKSPACE nowhere").text == "NOTFOUND workspace nowhere")
    #expect(core.run("TIMER.START ana IFVERSION 1").text?.hasPrefix("ERR IFVERSION ") == true)
    core.connection.rights = [.read, .sessions]
    #expect(core.run("TIMER.START ana").text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("TIMER.CURRENT ana").isNull)
  }

  @Test func runningTimersAreListedOldestFirst() {
    let acme = core.seedWorkspace("acme")
    for number in 0..<10 {
      core.seedUser("user\(number)", workspaces: [mainWorkspace, acme])
      core.run(
        "TIMER.START user\(number) AT \(start - Int64(number) * 60_000) WORKSPACE \(number < 3 ? "acme" : "main")")
    }
    let all = core.run("TIMER.RUNNING")
    #expect(all[0].text == "0")
    #expect(all[1].items.compactMap { $0["username"].text } == (0..<10).reversed().map { "user\($0)" })
    #expect(core.run("TIMER.RUNNING WORKSPACE acme")[1].items.count == 3)
    #expect(
      core.run("TIMER.RUNNING LONGER 7m")[1].items.compactMap { $0["username"].text } == ["user9", "user8", "user7"])
    var names: [String] = []
    var cursor = "0"
    repeat {
      let page = core.run("TIMER.RUNNING COUNT 3 CURSOR \(cursor)")
      #expect(page[1].items.count <= 3)
      names += page[1].items.compactMap { $0["username"].text }
      cursor = page[0].text ?? "0"
    } while cursor != "0"
    #expect(names == (0..<10).reversed().map { "user\($0)" })
    #expect(core.run("TIMER.RUNNING CURSOR x").text?.hasPrefix("ERR CURSOR ") == true)
  }

  // MARK: On the authority of a session

  @Test func usersRecordTheirOwnTime() {
    core.seedUser("ben", products: [payroll])
    let own = core.logIn("ana", "payroll")
    let other = core.logIn("ben", "payroll")
    #expect(core.run("TIMER.START ana", as: own)["started-by"].text == "ana")
    #expect(core.run("TIMER.STOP ana", as: other).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("TIMER.CURRENT ana", as: other).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("TIMER.RUNNING", as: other).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("TIMER.STOP ana", as: own)["stopped-by"].text == "ana")
    #expect(core.records.last?.first.header.actor == ana)
  }

  @Test func administratorsAndTheOwnerStopAnybodysTimer() {
    let tom = core.seedUser("tom", products: [payroll], roles: [.trainingAdministrator])
    let owner = core.seedUser("olga", products: [payroll])
    core.seedUser("sue", products: [payroll], roles: [.superAdministrator])
    core.apply(WorkspaceSet(mainWorkspace, key: "owner", old: "", new: "#\(owner.raw)"))
    let administrator = core.logIn("tom", "payroll")
    let olga = core.logIn("olga", "payroll")
    core.run("TIMER.START ana")
    let entry = core.run("TIMER.STOP ana", as: administrator)
    #expect(entry["started-by"].text == "local")
    #expect(entry["stopped-by"].text == "tom")
    #expect(core.records.last?.first.header.actor == tom)
    core.run("TIMER.START ana")
    #expect(core.run("TIMER.STOP ana", as: olga)["stopped-by"].text == "olga")
    core.run("TIMER.START sue")
    #expect(core.run("TIMER.STOP sue", as: administrator).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("TIMER.RUNNING", as: administrator)[1].items.count == 0)
    #expect(core.run("TIMER.RUNNING", as: olga)[1].items.count == 1)
    // K1: the workspace may require the owner, and the plan.
    core.seedPolicy("accounts.needs-owner", "on")
    core.seedPolicy("accounts.needs-enterprise", "on")
    core.run("TIMER.START ana")
    #expect(core.run("TIMER.STOP ana", as: administrator).text?.contains("accounts.needs-owner") == true)
    #expect(core.run("TIMER.STOP ana", as: olga).text?.contains("accounts.needs-enterprise") == true)
    core.apply(WorkspaceSet(mainWorkspace, key: "plan", old: "free", new: "enterprise"))
    #expect(core.run("TIMER.STOP ana", as: olga)["stopped-by"].text == "olga")
  }

  @Test func administratorsOfAWorkspaceSeeOnlyItsTime() {
    let acme = core.seedWorkspace("acme")
    let adam = core.seedUser("adam", workspaces: [acme], products: [payroll])
    core.apply(RoleGranted(adam, Grant(role: .trainingAdministrator, scope: .workspace(acme), isMain: true)))
    core.apply(WorkspaceJoined(ana, acme))
    core.seedUser("tina", workspaces: [acme], roles: [.superAdministrator])
    let token = core.logIn("adam", "payroll")
    for user in ["ana", "tina"] { core.run("TIMER.START \(user) WORKSPACE acme") }
    core.run("TIMER.START ana")
    #expect(core.run("TIMER.RUNNING", as: token)[1].items.map { $0["username"].text } == ["ana"])
    // W4: adam is not a member of main, which does not exist for him.
    for line in ["TIMER.RUNNING WORKSPACE main", "TIMER.STOP ana"] {
      #expect(core.run(line, as: token).text?.hasPrefix("NOTFOUND workspace main") == true)
    }
    #expect(core.run("TIMER.STOP tina WORKSPACE acme", as: token).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("TIMER.STOP ana WORKSPACE acme", as: token)["stopped-by"].text == "adam")
    core.run("TIMER.STOP ana")
    #expect(core.run("ENTRY.LIST ana", as: token)[1].items.map { $0["workspace"].text } == ["acme"])
    #expect(core.run("ENTRY.LIST tina", as: token).text?.hasPrefix("NOPERM ") == true)
  }

  @Test func usersAreNotifiedOfStoppedTimersIfThePolicySaysSo() {
    core.seedUser("tom", products: [payroll], roles: [.trainingAdministrator])
    let own = core.logIn("ana", "payroll")
    let administrator = core.logIn("tom", "payroll")
    func mails() -> [Mail] { core.cells.flatMap { $0.state.outbox.mails } }
    core.run("TIMER.START ana")
    core.run("TIMER.STOP ana", as: administrator)
    #expect(mails().isEmpty)
    core.seedPolicy("timer.notify-stopped", "on")
    core.run("TIMER.START ana")
    core.run("TIMER.STOP ana", as: own)
    #expect(mails().isEmpty)
    core.run("TIMER.START ana")
    core.run("TIMER.STOP ana", as: administrator)
    #expect(mails().map(\.kind) == [.timerStopped])
    #expect(mails().first?.recipient == "ana@acme.test")
    #expect(mails().first?.fact(.actor) == "tom")
  }

  @Test func aKeyAnswersOnce() {
    let first = core.run("TIMER.START ana IDEM a")
    #expect(core.run("TIMER.START ana IDEM a") == first)
    #expect(core.run("TIMER.START ana").text?.hasPrefix("CONFLICT timer-running; ") == true)
    #expect(core.run("TIMER.STOP ana IDEM a").text?.hasPrefix("CONFLICT idem") == true)
  }

  /// Who started a timer stands there by name, wherever they live, and unknown people of other workspaces do not (W4).
  @Test func theListNamesWhoStartedATimer() {
    let acme = core.seedWorkspace("acme")
    for number in 0..<6 { core.seedUser("user\(number)", workspaces: [acme], products: [payroll]) }
    core.seedUser("root", products: [payroll], roles: [.superAdministrator])
    let adam = core.seedUser("adam", workspaces: [acme], products: [payroll])
    core.apply(RoleGranted(adam, Grant(role: .trainingAdministrator, scope: .workspace(acme), isMain: true)))
    let main = core.seedUser("mary", products: [payroll])
    core.apply(RoleGranted(main, Grant(role: .trainingAdministrator, scope: .workspace(mainWorkspace), isMain: true)))
    for number in 0..<6 {
      core.run("TIMER.START user\(number) WORKSPACE acme", as: core.logIn(number < 3 ? "adam" : "root", "payroll"))
    }
    for line in ["TIMER.RUNNING", "TIMER.RUNNING COUNT 4"] {
      let items = core.run(line, as: core.logIn("adam", "payroll"))[1].items
      #expect(!items.isEmpty)
      for item in items {
        let isOfAdam = ["user0", "user1", "user2"].contains(item["username"].text)
        #expect(item["started-by"].text == (isOfAdam ? "adam" : "root"), "\(item)")
        #expect(item["started-by"] == core.run("TIMER.CURRENT \(item["username"]) WORKSPACE acme")["started-by"])
      }
    }
    let together = core.runTogether(["TIMER.RUNNING"])[0]
    #expect(
      together[1].items.map { $0["started-by"].text }
        == core.run("TIMER.RUNNING")[1].items.map { $0["started-by"].text })
  }

  /// The list is read in slices, from the place where it goes on; what starts and stops meanwhile shifts nothing.
  @Test func manyTimersAreReadInSlices() throws {
    let core = CoreHarness(partitions: 2)
    for number in 0..<700 {
      core.run("USER.CREATE u\(number) NOINVITE")
      core.run("TIMER.START u\(number) AT \(core.now - Int64(number % 7) * 60_000)")
    }
    for number in stride(from: 0, to: 700, by: 5) { core.run("TIMER.STOP u\(number)") }
    try core.restart()
    for cell in core.cells { #expect(cell.state.time.timerOrder.count > Limits.rowsOfSlice) }
    var names: [String] = []
    var cursor = "0"
    repeat {
      let page = core.run("TIMER.RUNNING COUNT 300 CURSOR \(cursor)")
      names += page[1].items.compactMap { $0["username"].text }
      cursor = page[0].text ?? "0"
    } while cursor != "0"
    #expect(Set(names) == Set((0..<700).filter { $0 % 5 != 0 }.map { "u\($0)" }) && names.count == 560)
    var gathered = Gathered()
    gathered.leave(at: ListCursor([1, 2, 3]), found: 9)
    #expect(!gathered.isAtStart)
    #expect(
      core.run("TIMER.RUNNING LONGER 6m COUNT 300")[1].items.count == (0..<700).count { $0 % 7 == 6 && $0 % 5 != 0 })
    #expect(Invariants.check(core.cells, core.wholeDirectory) == [])
    core.expectReplicated()
  }
}
