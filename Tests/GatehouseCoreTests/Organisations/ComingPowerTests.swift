import Testing

@testable import GatehouseCore

/// Nobody prepares more for a right that is to come, or makes more of one that lasts, than was given with it.
@Suite struct ComingPowerTests {
  private let core = CoreHarness(partitions: 8)

  init() {
    for line in [
      "PRODUCT.CREATE payroll", "ACCOUNT.CREATE Widgets CUSTOMER", "ACCOUNT.CREATE Gadgets CUSTOMER",
      "GROUP.CREATE Europe", "GROUP.ADD Europe Widgets",
      "ROLE.DEFINE clerk user.read user.create employment.manage account.manage",
      "USER.CREATE mia PRODUCT payroll NOINVITE ROLE clerk WITHIN", "USER.CREATE bob NOINVITE ACCOUNT Gadgets",
      "USER.CREATE tim NOINVITE",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
  }

  private static let beginning = "2026-04-01"

  @Test(
    "power over an account that begins later is not spread before",
    arguments: [
      "ROLE.GRANT mia training-administrator ACCOUNT Widgets FROM \(beginning)",
      "ROLE.GRANT mia manager ACCOUNT Widgets FROM \(beginning)",
    ])
  func employing(grant: String) {
    #expect(!core.run(grant).isError)
    let mia = core.logIn("mia", "payroll")
    for person in ["bob", "tim"] {
      #expect(
        core.run("EMPLOY.ADD \(person) Widgets", as: mia).text?.hasSuffix(
          " over \(person), to have it by way of the account") == true)
    }
    let contact = core.run("CONTACT.CREATE NAME Former")["contact"]
    #expect(
      core.run("USER.CREATE former CONTACT #\(contact) NOINVITE ACCOUNT Widgets", as: mia).text?.hasSuffix(
        "to have it by way of the account") == true)
    #expect(!core.run("USER.CREATE fresh NOINVITE ACCOUNT Widgets", as: mia).isError)
    #expect(!core.run("EMPLOY.ADD tim Gadgets", as: mia).isError)
  }

  @Test("an employment may be shortened, or end before the power begins") func harmless() {
    core.run("EMPLOY.ADD bob Widgets")
    core.run("ROLE.GRANT mia manager ACCOUNT Widgets FROM \(Self.beginning)")
    let mia = core.logIn("mia", "payroll")
    #expect(core.run("EMPLOY.SET bob Widgets TO 2026-12-31", as: mia).integer == 1)
    #expect(core.run("EMPLOY.SET bob Widgets MAIN", as: mia).integer == 1)
    #expect(core.run("EMPLOY.SET bob Widgets TO none", as: mia).isError)
    #expect(core.run("EMPLOY.ADD tim Widgets TO 2026-03-15", as: mia).text == "OK")
    #expect(core.run("EMPLOY.SET tim Widgets TO 2026-04-15", as: mia).isError)
  }

  @Test("nor is it by a management link that a later role fills") func managing() {
    core.run("MANAGE.ADD mia ACCOUNT Widgets")
    core.run("ROLE.GRANT mia manager WORKSPACE main FROM \(Self.beginning)")
    let mia = core.logIn("mia", "payroll")
    #expect(core.run("EMPLOY.ADD tim Widgets", as: mia).text?.hasSuffix("to have it by way of the account") == true)
  }

  @Test("nor is power over a group by more accounts") func grouping() {
    core.run("ROLE.GRANT mia training-administrator GROUP Europe FROM \(Self.beginning)")
    let mia = core.logIn("mia", "payroll")
    #expect(
      core.run("GROUP.ADD Europe Gadgets", as: mia).text?.hasSuffix(
        " over the account Gadgets, to have it by way of the group") == true)
  }

  @Test("who has it over everybody for a time does not keep it over somebody by way of an account") func lasting() {
    core.run("ROLE.GRANT mia training-administrator WORKSPACE main UNTIL \(Self.beginning)")
    core.run("ROLE.GRANT mia training-administrator ACCOUNT Widgets")
    core.run("ROLE.GRANT mia training-administrator GROUP Europe")
    let mia = core.logIn("mia", "payroll")
    let employing = core.run("EMPLOY.ADD tim Widgets", as: mia).text ?? ""
    #expect(
      employing.hasSuffix(" over tim beyond 2026-04-02T00:00:00.000Z, to have it by way of the account"), "\(employing)"
    )
    let grouping = core.run("GROUP.ADD Europe Gadgets", as: mia).text ?? ""
    #expect(
      grouping.hasSuffix(" over the account Gadgets beyond 2026-04-02T00:00:00.000Z, to have it by way of the group"),
      "\(grouping)")
    core.run("ROLE.GRANT mia training-administrator WORKSPACE main UNTIL none")
    let later = core.logIn("mia", "payroll")
    #expect(core.run("EMPLOY.ADD tim Widgets", as: later).text == "OK")
    #expect(core.run("GROUP.ADD Europe Gadgets", as: later).integer == 1)
  }

  @Test("W4: who has power over an account is not told of others, not even by a trial or a refusal")
  func otherAccounts() {
    core.run("USER.CREATE ann PRODUCT payroll NOINVITE")
    core.run("ROLE.GRANT ann training-administrator ACCOUNT Widgets")
    core.run("USER.CREATE eve NOINVITE ACCOUNT Widgets")
    core.run("EMPLOY.ADD eve Gadgets")
    core.run("MANAGE.ADD eve ACCOUNT Gadgets")
    let ann = core.logIn("ann", "payroll")
    for line in ["EMPLOY.END eve Widgets", "USER.DELETE eve REASON x"] {
      let tried = core.run("\(line) DRYRUN", as: ann)
      #expect(!tried.isError && !"\(tried)".contains("Gadgets"), "\(line): \(tried)")
      #expect("\(core.run("\(line) DRYRUN"))".contains("Gadgets"))
    }
  }
}
