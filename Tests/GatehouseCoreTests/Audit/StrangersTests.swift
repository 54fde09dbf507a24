import GatehouseCore
import Testing

/// W4: actions by people of another workspace on a shared person are shown, but not who they are, nor their reasons.
@Suite struct StrangersTests {
  @Test func actorsFromElsewhereAreShownById() throws {
    let core = CoreHarness()
    for name in ["acme", "beta"] {
      core.seedWorkspace(name)
      core.run("PRODUCT.CREATE \(name)/app")
      core.run("USER.CREATE \(name)-admin WORKSPACE \(name) PRODUCT \(name)/app")
      core.run("ROLE.GRANT \(name)-admin training-administrator WORKSPACE \(name)")
    }
    core.run("USER.CREATE ann WORKSPACE acme PRODUCT acme/app")
    core.run("WORKSPACE.MEMBER beta ann")
    core.run("PRODUCT.ENABLE ann beta/app")
    let (acme, beta) = (core.logIn("acme-admin", "acme/app"), core.logIn("beta-admin", "beta/app"))
    core.run("SESSION.CREATE ann beta/app")
    core.run("TIMER.START ann WORKSPACE beta")
    core.run("USER.STATUS ann deleted REASON secret", as: acme)
    if core.run("LOGIN.CHECK ann acme/app").text == "ALLOW" {
      core.run("USER.STATUS ann locked REASON secret", as: acme)
    }

    let event = core.run("AUDIT.LIST COUNT 1", as: beta)[1][0]
    #expect(event["actor"].text?.hasPrefix("#") == true && event["reason"].isNull, "\(event)")
    let own = core.run("AUDIT.LIST COUNT 1", as: acme)[1][0]
    #expect(own["actor"].text == "acme-admin" && own["reason"].text == "secret", "\(own)")
    let all = core.run("AUDIT.LIST COUNT 1")[1][0]
    #expect(all["actor"].text == "acme-admin" && all["reason"].text == "secret", "\(all)")
  }
}
