import Testing

@testable import GatehouseCore

/// L18, B7: the last super administrator and the owner of a workspace are not lost by a day of employment.
@Suite struct LastingHolderTests {
  private let core = CoreHarness(partitions: 8)
  private let on = "policy.login.within-employment on"

  init() {
    for line in [
      "WORKSPACE.CREATE acme", "USER.CREATE root EMAIL root@x.test ROLE super-administrator NOINVITE",
      "USER.CREATE olga WORKSPACE acme NOINVITE", "USER.CREATE tom WORKSPACE acme NOINVITE",
      "WORKSPACE.SET acme owner olga",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
  }

  private func expectRefused(_ line: String, _ rule: String, _ location: SourceLocation = #_sourceLocation) {
    let before = core.lsn
    let answer = core.run(line)
    #expect(answer.text?.hasPrefix("REFUSED \(rule): ") == true, "\(line): \(answer)", sourceLocation: location)
    #expect(core.lsn == before, sourceLocation: location)
  }

  @Test("L18: the last super administrator gets no date that ends the login") func lastSuperAdministrator() {
    core.run("WORKSPACE.SET main \(on)")
    for line in [
      "USER.SET root released 2020-01-01", "USER.SET root released 2099-01-01", "USER.SET root hired 2099-01-01",
      "USER.BULK SET released 2020-01-01 IDS 1 root", "USER.STATUS root inactive",
    ] {
      expectRefused(line, "last-super-administrator")
    }
    #expect(
      core.run("USER.SET root released 2020-01-01").text
        == "REFUSED last-super-administrator: root is the only super administrator whose login no date ends; grant the role"
        + " to somebody else first with ROLE.GRANT user super-administrator")
    #expect(core.run("USER.SET root hired 2020-01-01").integer == 1)
    core.run("USER.CREATE next ROLE super-administrator NOINVITE")
    #expect(core.run("USER.SET root released 2020-01-01").integer == 1)
    // Now it is the other.
    expectRefused("USER.SET next released 2020-01-01", "last-super-administrator")
    expectRefused("USER.STATUS next inactive", "last-super-administrator")
    expectRefused("ROLE.REVOKE next super-administrator", "last-super-administrator")
    expectRefused("USER.DELETE next REASON x", "last-super-administrator")
    #expect(core.run("USER.SET root released \"\"").integer == 1)
    #expect(core.run("USER.STATUS next inactive").text == "OK")
    core.expectReplicated()
  }

  @Test("L18: no policy makes a date count that ends the last one's login") func thePolicyComesAfterTheDate() {
    #expect(core.run("USER.SET root released 2020-01-01").integer == 1)
    expectRefused("WORKSPACE.SET main \(on)", "last-super-administrator")
    core.run("USER.CREATE next ROLE super-administrator NOINVITE")
    #expect(!core.run("WORKSPACE.SET main \(on)").isError)
    // Nor is one made of two who go together.
    core.run("USER.SET root released \"\"")
    expectRefused("USER.BULK SET released 2020-01-01 IDS 2 root next", "last-super-administrator")
  }

  @Test("B7: an owner gets no date either, and who has one becomes none") func owner() {
    core.run("USER.SET tom released 2020-01-01")
    core.run("WORKSPACE.SET acme \(on)")
    #expect(
      core.run("USER.SET olga released 2099-01-01").text
        == "REFUSED owner: olga owns the workspace acme, which lets nobody in outside the employment; clear the days of"
        + " hire and release, or hand the workspace on to somebody else first")
    expectRefused("WORKSPACE.TRANSFER acme tom", "owner")
    expectRefused("WORKSPACE.SET acme owner tom", "owner")
    // A merge would bring it along.
    expectRefused("USER.MERGE olga tom", "owner")
  }

  @Test("B7: the policy is refused where the owner has a date") func ownerWithADate() {
    #expect(core.run("USER.SET olga released 2020-01-01").integer == 1)
    expectRefused("WORKSPACE.SET acme \(on)", "owner")
    #expect(core.run("USER.SET olga released \"\"").integer == 1)
    #expect(!core.run("WORKSPACE.SET acme \(on)").isError)
    // Others are released as ever.
    #expect(core.run("USER.SET tom released 2020-01-01").integer == 1)
    core.expectReplicated()
  }
}
