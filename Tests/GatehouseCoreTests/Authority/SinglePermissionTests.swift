import Testing

@testable import GatehouseCore

/// P6: roles or single permissions are set while adding.
@Suite("Single permissions")
struct SinglePermissionTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE tess PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT tess training-administrator WORKSPACE acme")
  }

  @Test("P6: a single permission is given while adding a user, as a role is")
  func whileAdding() {
    let tess = core.logIn("tess", "acme/app")
    #expect(
      !core.run(
        "USER.CREATE ana PRODUCT acme/app ROLE individual ROLE user.read ROLE USER.SET WITHIN NOINVITE", as: tess
      )
      .isError)
    #expect(
      core.run("ROLE.LIST ana").items.map { "\($0["role"].text ?? "") \($0["main"].integer ?? 9)" }.sorted()
        == ["individual 1", "user.read 0", "user.set 0"])
    let ana = core.logIn("ana", "acme/app")
    #expect(core.run("USER.SET tess initials TE", as: ana).integer == 1)
    #expect(core.run("USER.STATUS tess inactive", as: ana).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.COUNT WHERE role = user.read").integer == 1)
    core.run("ROLE.REVOKE ana user.set WORKSPACE acme")
    #expect(core.run("USER.SET tess initials TX", as: ana).text?.hasPrefix("NOPERM ") == true)
    core.expectReplicated()
  }

  @Test("P6: nobody gives a permission that they do not hold, and none of the whole server in a workspace")
  func limits() {
    let tess = core.logIn("tess", "acme/app")
    #expect(core.run("ROLE.GRANT tess role.define WORKSPACE acme", as: tess).text?.hasPrefix("NOPERM ") == true)
    #expect(
      core.run("ROLE.GRANT tess server.read WORKSPACE acme").text
        == "ERR server.read is about the whole server, and is given everywhere only")
    #expect(!core.run("ROLE.GRANT tess server.read").isError)
    #expect(
      core.run("ROLE.GRANT tess user.reed WORKSPACE acme").text?
        .hasSuffix(", and single permissions as PERMISSION.LIST names them") == true)
    #expect(core.run("ROLE.DEFINE user.read user.set").text == "CONFLICT role: user.read already exists")
  }
}
