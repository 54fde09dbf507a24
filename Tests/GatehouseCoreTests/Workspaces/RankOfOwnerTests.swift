import Testing

@testable import GatehouseCore

/// K1: what the account tools ask for is not lifted by those whom it limits.
@Suite("What limits the owner and the plan")
struct RankOfOwnerTests {
  private let core = CoreHarness(partitions: 4)
  private let owner: String
  private let admin: String

  init() {
    core.run("WORKSPACE.CREATE fr PROFILE clockify")
    core.run("PRODUCT.CREATE fr/app")
    for name in ["own", "fa", "puppet"] { core.run("USER.CREATE \(name) PRODUCT fr/app NOINVITE") }
    core.run("WORKSPACE.TRANSFER fr own")
    core.run("ROLE.GRANT fa super-administrator WORKSPACE fr")
    owner = core.logIn("own", "fr/app")
    admin = core.logIn("fa", "fr/app")
  }

  @Test(
    "K1: the plan's limit is lifted by who sets the plan, and not by the owner",
    arguments: [
      "policy.accounts.needs-enterprise off", "profile actitime",
      "profile clockify policy.accounts.needs-enterprise off",
    ])
  func plan(setting: String) {
    for token in [owner, admin] {
      #expect(
        core.run("WORKSPACE.SET fr \(setting)", as: token).text?.hasPrefix("NOPERM ") == true)
    }
    #expect(!core.run("WORKSPACE.SET fr \(setting)").isError)
  }

  @Test("K1: what is left to the owner is given to others by the owner only")
  func others() {
    core.run("WORKSPACE.SET fr plan enterprise")
    #expect(
      core.run("WORKSPACE.SET fr policy.accounts.needs-owner off", as: admin).text
        == "NOPERM the ownership of workspace fr, to let others have what the policy accounts.needs-owner leaves to the"
        + " owner; ask the owner")
    #expect(core.run("WORKSPACE.SET fr policy.accounts.needs-owner off", as: owner).integer == 1)
    // Asking for more is for everybody who sets the security.
    #expect(core.run("WORKSPACE.SET fr policy.accounts.needs-owner on", as: admin).integer == 1)
  }

  @Test("K1: nobody but the owner and the operator hands a workspace on, to whomever", arguments: ["fa", "puppet"])
  func ownership(to new: String) {
    for line in ["WORKSPACE.TRANSFER fr \(new)", "WORKSPACE.SET fr owner \(new)"] {
      #expect(
        core.run(line, as: admin).text
          == "NOPERM the ownership of workspace fr, to hand it on; ask its owner, or an administrator everywhere")
    }
    #expect(core.run("WORKSPACE.TRANSFER fr \(new)", as: owner).text == "OK")
    #expect(core.run("WORKSPACE.TRANSFER fr own").text == "OK")
  }
}
