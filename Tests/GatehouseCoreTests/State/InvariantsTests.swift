import Testing

@testable import GatehouseCore

/// Deliberate corruption is reported.
@Suite struct InvariantsTests {
  private let core = CoreHarness(partitions: 2)
  private let payroll: ProductID
  private let ana: UserReference

  init() throws {
    payroll = core.seedProduct("payroll")
    core.seedUser("ana", products: [payroll])
    core.seedUser("tom", products: [payroll], roles: [.superAdministrator])
    core.seedUser("bob", products: [payroll])
    core.run("TIMER.START ana")
    core.run("ENTRY.ADD ana START 1 END 2")
    core.run("ENTRY.ADD ana START 3 END 4")
    core.run("IMPERSONATE.START \(core.logIn("tom", "payroll")) ana REASON look")
    _ = core.logIn("ana", "payroll")
    ana = try #require(core.user("ana"))
  }

  private func problems() -> [String] { Invariants.check(core.cells, core.wholeDirectory) }

  private func expectProblem(_ part: String, _ location: SourceLocation = #_sourceLocation) {
    let found = problems()
    #expect(found.contains { $0.contains(part) }, "\(found)", sourceLocation: location)
  }

  @Test func commandsKeepTheInvariants() { #expect(problems() == []) }

  @Test func aStatusThatDoesNotFit() {
    ana.cell.state.people.users[ana.serial].status = .locked
    expectProblem("may not log in and has sessions")
    ana.cell.state.people.users[ana.serial].status = .deleted
    expectProblem("names a live user that is not its own")
    expectProblem("live users")
    expectProblem("is deleted and may enter payroll")
    expectProblem("who is deleted")
  }

  @Test func namesThatLeadNowhere() {
    ana.cell.state.people.names.remove(ana.serial, hash: ana.row.nameHash)
    expectProblem("is not whom the username leads to")
    ana.cell.state.people.users[ana.serial].nameHash ^= 1
    expectProblem("has the hash of another name")
    core.cells[0].state.people.otherNames["nobody"] = [NameHolder(user: ana.id, name: "nobody")]
    expectProblem("who has another")
  }

  @Test func countsThatAreWrong() {
    ana.cell.state.people.users[ana.serial].access.0 = 0
    expectProblem("the counted seats are wrong")
    ana.cell.state.people.users[ana.serial].roles = RoleSet([Grant(role: .manager, scope: .everywhere, isMain: true)])
    expectProblem("other roles than grants")
    ana.cell.state.people.users[ana.serial].sessionCount += 1
    expectProblem("miscounts sessions")
    ana.cell.state.sessions.count += 1
    expectProblem("sessions, not")
  }

  @Test func seatsOverTheNumberBought() {
    core.apply(PoolSet(payroll, type: Product.everyAccess, old: nil, new: 2))
    expectProblem("3 of 2 seats of *")
  }

  @Test func noSuperAdministratorIsLeft() throws {
    let tom = try #require(core.user("tom"))
    core.run("SESSION.REVOKEALL tom")
    core.apply(StatusSet(tom.id, old: .active, new: .inactive))
    expectProblem("no super administrator may log in")
  }

  @Test func sessionsThatAreLost() throws {
    let slot = Int(ana.row.sessions)
    ana.cell.state.people.users[ana.serial].sessions = ana.cell.state.sessions[slot].next
    expectProblem("is in no user's list")
    let tom = try #require(core.user("tom"))
    for session in tom.cell.state.sessionIDs(of: tom.serial) { tom.cell.state.sessions.impersonations[session] = nil }
    expectProblem("is unknown to its actor's login")
  }

  @Test func entriesThatAreLost() {
    ana.cell.state.time.entries[1].end = 0
    expectProblem("ends before it starts")
    ana.cell.state.time.entries[2].version = 7
    expectProblem("has gaps in its history")
    ana.cell.state.time.entries[2].start = 0
    expectProblem("are out of order")
    ana.cell.state.time.entries[1].isDeleted = true
    expectProblem("is in the wrong order")
    ana.cell.state.time.orders = EntryOrders()
    expectProblem("is missing in its order")
  }

  @Test func anOwnerWhoIsNoMember() {
    let acme = core.seedWorkspace("acme")
    core.apply(WorkspaceSet(acme, key: "owner", old: "", new: "#\(ana.id.raw)"))
    expectProblem("owns workspace acme and is not a member of it")
  }

  @Test func somebodyReleasedBeforeBeingHired() {
    for (field, day) in [(ContactField.hired, "2020-01-01"), (.released, "2019-01-01")] {
      core.apply(ContactSet(ana.contactID, field, old: "", new: day))
    }
    expectProblem("is released before being hired")
  }
}
