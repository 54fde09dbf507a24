import Testing

@testable import GatehouseCore

/// What a refusal for want of seats tells, and whom it names.
@Suite("Holders of seats in refusals")
struct RefusedSeatsTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("WORKSPACE.CREATE plan")
    for product in ["lic", "app"] { core.run("PRODUCT.CREATE plan/\(product)") }
    core.run("POOL.SET plan/lic seat 1")
    core.run("ACCOUNT.CREATE Acme CUSTOMER WORKSPACE plan")
    core.run("ROLE.DEFINE acctadm user.read licence.assign product.access WORKSPACE plan")
    core.run("USER.CREATE sup LICENCE plan/lic seat NOINVITE")
    core.run("USER.CREATE man WORKSPACE plan ACCOUNT Acme NOINVITE")
    core.run("USER.CREATE aa WORKSPACE plan PRODUCT plan/lic PRODUCT plan/app ACCOUNT Acme NOINVITE")
    core.run("ROLE.GRANT aa acctadm ACCOUNT plan/Acme")
    core.run("ROLE.GRANT aa acctadm PRODUCT plan/lic")
  }

  @Test("W4: NOSEATS names only holders whom the caller may see, and counts the others")
  func onlyVisible() {
    core.run("ROLE.REVOKE aa acctadm PRODUCT plan/lic")
    core.run("ROLE.DEFINE access licence.assign product.access WORKSPACE plan")
    core.run("ROLE.GRANT aa access PRODUCT plan/lic")
    let token = core.logIn("aa", "plan/app")
    let line = "LICENCE.ASSIGN man plan/lic seat"
    #expect(
      core.run("PRODUCT.ENABLE man plan/lic LICENCE seat", as: token).text
        == "NOSEATS seat bought 1, used 1; raise it with POOL.SET plan/lic seat, or remove somebody's licence first")
    core.run("PRODUCT.ENABLE man plan/lic")
    #expect(core.run(line, as: token).text?.hasPrefix("NOSEATS seat bought 1, used 1; ") == true)
    core.run("POOL.SET plan/lic seat 2")
    core.run("USER.CREATE eve WORKSPACE plan LICENCE plan/lic seat ACCOUNT Acme NOINVITE")
    #expect(
      core.run(line, as: token).text?
        .hasPrefix("NOSEATS seat bought 2, used 2 by eve and 1 more; ") == true)
    // Who may see all is told of all.
    #expect(core.run(line).text?.contains(" by ") == true && core.run(line).text?.contains("sup") == true)
  }

  @Test("T6: a refusal for want of seats of the product itself names holders, too")
  func everyAccess() {
    core.run("POOL.SET plan/lic * 2")
    let refusal = core.run("PRODUCT.ENABLE man plan/lic").text ?? ""
    #expect(refusal.hasPrefix("NOSEATS * bought 2, used 2 by ") && refusal.contains("aa") && refusal.contains("sup"))
    #expect(refusal.hasSuffix("; raise it with POOL.SET plan/lic *, or disable somebody's access first"))
  }

  @Test("P5, P9: a refusal of several users at once names the row, how many seats are needed, and what can be done")
  func severalUsers() {
    core.run("POOL.SET plan/lic office 2")
    #expect(
      core.run(
        "USER.CREATEMANY WORKSPACE plan FIELDS 2 username licence ROWS 6 x1 plan/lic:office x2 plan/lic:office x3"
          + " plan/lic:office"
      ).text
        == "NOSEATS office bought 2, used 0, and 3 are needed: row 3 finds none; raise it with POOL.SET plan/lic office"
    )
  }
}
