import Testing

@testable import GatehouseCore

@Suite struct LoginCommandTests {
  @Test func denialsFollowTheOrderOfTheRules() {
    let core = CoreHarness()
    let payroll = core.seedProduct("payroll")
    let ana = core.seedUser("ana@acme.test", products: [payroll])
    #expect(core.run("LOGIN.CHECK nobody payroll").text == "DENY unknown-user")
    #expect(core.run("LOGIN.CHECK ana@acme.test nothing").text == "DENY unknown-product")
    #expect(core.run("LOGIN.CHECK ana@acme.test payroll").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK ANA@Acme.Test Payroll").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK #\(ana.raw) main/payroll").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK #00\(ana.raw) payroll").text == "ALLOW")
    #expect(core.run("LOGIN.CHECK #999999 payroll").text == "DENY unknown-user")
    #expect(core.run("LOGIN.CHECK #x payroll").text?.hasPrefix("ERR ") == true)
  }

  @Test(arguments: Status.allCases)
  func statusDecides(_ status: Status) {
    let core = CoreHarness()
    let payroll = core.seedProduct("payroll")
    core.seedUser("ana", status: status, products: [payroll])
    let answer = core.run("LOGIN.CHECK ana payroll").text
    #expect(answer == (status.mayLogIn ? "ALLOW" : "DENY status-\(status.name)"))
  }

  @Test func aProductWithPoolsNeedsALicence() {
    let core = CoreHarness()
    let office = core.seedProduct("office")
    let ana = core.seedUser("ana", products: [office])
    core.apply(PoolSet(office, type: Product.everyAccess, old: nil, new: 9))
    #expect(core.run("LOGIN.CHECK ana office").text == "ALLOW")
    core.apply(PoolSet(office, type: "guest", old: nil, new: 2))
    #expect(core.run("LOGIN.CHECK ana office").text == "DENY no-licence")
    let enabled = ProductAccess(product: office, isEnabled: true)
    core.apply(AccessSet(ana, old: enabled, new: ProductAccess(product: office, isEnabled: true, licence: 2)))
    #expect(core.run("LOGIN.CHECK ana office").text == "ALLOW")
    #expect(core.wholeDirectory.counters.used(SeatKey(product: office, licence: 2)) == 1)
  }

  @Test func employmentCountsOnlyWithThePolicy() {
    let core = CoreHarness()
    let payroll = core.seedProduct("payroll")
    let ana = core.seedUser("ana", products: [payroll])
    let contact: ContactID = core.partitioning.id(serial: 1, partition: core.partitioning.partition(of: ana))
    core.apply(ContactSet(contact, .released, old: "", new: "2026-02-28"))
    #expect(core.run("LOGIN.CHECK ana payroll").text == "ALLOW")
    core.seedPolicy("login.within-employment", "on")
    #expect(core.run("LOGIN.CHECK ana payroll").text == "DENY outside-employment")
    core.apply(ContactSet(contact, .released, old: "2026-02-28", new: "2026-03-01"))
    #expect(core.run("LOGIN.CHECK ana payroll").text == "ALLOW")
    core.advance(TimeText.day)
    #expect(core.run("LOGIN.CHECK ana payroll").text == "DENY outside-employment")
  }

  /// Services ask about everybody; a user must not find out which names exist and who is locked.
  @Test func usersAskAboutThemselvesAndWhomTheyManage() {
    let core = CoreHarness(partitions: 16)
    let payroll = core.seedProduct("payroll")
    core.seedUser("ana", products: [payroll])
    core.seedUser("bob", status: .locked, products: [payroll])
    core.seedUser("tom", products: [payroll], roles: [.trainingAdministrator])
    core.seedUser("root", products: [payroll], roles: [.superAdministrator])
    func check(_ user: String, as token: String) -> String? { core.run("LOGIN.CHECK \(user) payroll", as: token).text }
    let own = core.logIn("ana", "payroll")
    #expect(check("ana", as: own) == "ALLOW")
    #expect(check("bob", as: own)?.hasPrefix("NOPERM ") == true)
    #expect(check("nobody", as: own) == check("bob", as: own))
    let administrator = core.logIn("tom", "payroll")
    #expect(check("bob", as: administrator) == "DENY status-locked")
    #expect(check("nobody", as: administrator) == "DENY unknown-user")
    #expect(check("root", as: administrator)?.hasPrefix("NOPERM ") == true)
    #expect(core.run("LOGIN.EXPLAIN bob payroll", as: administrator).items.count == LoginDenial.rules.count)
    for line in ["LOGIN.EXPLAIN root payroll", "LOGIN.EXPLAIN ana payroll"] {
      let token = line.contains("root") ? administrator : own
      #expect(core.run(line, as: token).text?.hasPrefix("NOPERM ") == true)
    }
  }

  @Test func explainsEveryRule() {
    let core = CoreHarness()
    core.seedProduct("payroll")
    core.seedUser("ana", status: .locked)
    let rules = core.run("LOGIN.EXPLAIN ana payroll").items
    #expect(rules.map { $0["rule"].text } == LoginDenial.rules.map { "\($0.reason)" })
    let failed = rules.filter { $0["passed"].integer == 0 }
    #expect(failed.map { $0["rule"].text } == ["status-locked", "product-disabled"])
    #expect(failed.allSatisfy { $0["remedy"].text != nil })
  }

  @Test func aNameInOnePartitionLeadsToAUserInAnother() {
    let core = CoreHarness(partitions: 16)
    let payroll = core.seedProduct("payroll")
    let ana = core.seedUser("ana", products: [payroll])
    let elsewhere = (0..<100).map { "name\($0)" }
      .first { NameKey($0, core.partitioning).partition != core.partitioning.partition(of: ana) }!
    core.apply(UserRenamed(ana, old: "ana", new: elsewhere))
    #expect(core.run("LOGIN.CHECK \(elsewhere) payroll").text == "ALLOW")
    #expect(core.decisions == 2)
    #expect(core.run("LOGIN.CHECK ana payroll").text == "DENY unknown-user")
  }

  @Test func aReplyAboutAnUnknownUserWaitsForThePartitionsLastRecord() {
    let core = CoreHarness(partitions: 1)
    core.seedUser("ana")
    core.seedUser("ben")
    _ = core.run("LOGIN.CHECK ana x")
    #expect(core.horizon == 1)
    _ = core.run("LOGIN.CHECK nobody x")
    #expect(core.horizon == 2)
  }
}
