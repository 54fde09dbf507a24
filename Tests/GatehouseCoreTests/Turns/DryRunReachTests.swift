import Testing

@testable import GatehouseCore

/// B2: a dry run shows what it would change to whoever may do it, also where their right is over some people only.
@Suite struct DryRunReachTests {
  private let core = CoreHarness(partitions: 8)

  init() {
    for line in [
      "WORKSPACE.CREATE f", "PRODUCT.CREATE f/app", "ACCOUNT.CREATE Jot CUSTOMER WORKSPACE f",
      "USER.CREATE mia WORKSPACE f PRODUCT f/app NOINVITE", "ROLE.GRANT mia manager ACCOUNT f/Jot",
      "ROLE.DEFINE helper impersonate user.read WORKSPACE f",
      "USER.CREATE hal WORKSPACE f PRODUCT f/app NOINVITE", "ROLE.GRANT hal helper ACCOUNT f/Jot",
      "USER.CREATE ivy WORKSPACE f PRODUCT f/app ACCOUNT f/Jot NOINVITE",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
  }

  private func changes(_ answer: Answer) -> [String] { answer["changes"].items.compactMap { $0["change"].text } }

  @Test("B2, L23: a manager sees what a bulk edit of people would change") func bulk() {
    let token = core.logIn("mia", "f/app")
    #expect(
      changes(core.run("USER.BULK SET phone 9 IDS 1 ivy DRYRUN", as: token))
        == changes(core.run("USER.SET ivy phone 9 DRYRUN", as: token)))
    #expect(changes(core.run("USER.BULK SET phone 9 IDS 1 ivy DRYRUN", as: token)).contains("contact-set"))
  }

  @Test("B2: an actor sees what an impersonation would do") func impersonation() {
    let token = core.logIn("hal", "f/app")
    let answer = core.run("IMPERSONATE.START \(token) ivy REASON r WORKSPACE f DRYRUN")
    #expect(changes(answer).contains("session-opened"))
  }
}
