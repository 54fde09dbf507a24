import Testing

@testable import GatehouseCore

/// Who defines roles takes nothing away by it that they could not revoke.
@Suite struct RoleTakingTests {
  private let core = CoreHarness(partitions: 8)

  init() {
    for line in [
      "WORKSPACE.CREATE acme", "PRODUCT.CREATE acme/crm", "ROLE.DEFINE maker role.define user.read WORKSPACE acme",
      "ROLE.DEFINE looker user.read WORKSPACE acme", "USER.CREATE eve WORKSPACE acme PRODUCT acme/crm NOINVITE",
      "ROLE.GRANT eve maker WORKSPACE acme",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
  }

  @Test("what somebody does not hold they take from nobody by changing a role") func notHeld() {
    core.run("ROLE.DEFINE chief user.read user.delete WORKSPACE acme")
    let eve = core.logIn("eve", "acme/crm")
    for line in ["ROLE.DROP chief", "ROLE.DEFINE chief user.read", "ROLE.DEFINE chief role.define"] {
      let answer = core.run("\(line) WORKSPACE acme", as: eve).text ?? ""
      #expect(answer.hasPrefix("NOPERM the permission user.delete in the workspace acme, to "), "\(line): \(answer)")
    }
    #expect(core.run("ROLE.DEFINE chief user.delete WORKSPACE acme", as: eve).isError)
    #expect(core.run("ROLE.DROP looker WORKSPACE acme", as: eve).text == "OK")
  }

  @Test("L10: nor from a super administrator") func superiors() {
    core.run("USER.CREATE sam WORKSPACE acme NOINVITE")
    core.run("ROLE.GRANT sam super-administrator WORKSPACE acme")
    core.run("ROLE.GRANT sam looker WORKSPACE acme")
    let eve = core.logIn("eve", "acme/crm")
    for line in ["ROLE.DROP looker", "ROLE.DEFINE looker role.define"] {
      #expect(
        core.run("\(line) WORKSPACE acme", as: eve).text
          == "NOPERM the role super-administrator, to manage a super administrator", "\(line)")
    }
    core.run("ROLE.REVOKE sam looker WORKSPACE acme")
    #expect(core.run("ROLE.DROP looker WORKSPACE acme", as: eve).text == "OK")
  }

  @Test("S2: a login for a contact that was there changes it only for who may change contacts") func contactOfNewLogin()
  {
    core.run("FIELD.DEFINE colour text WORKSPACE acme")
    core.run("ROLE.DEFINE adder user.create WORKSPACE acme")
    core.run("ROLE.GRANT eve adder WORKSPACE acme")
    let contact = core.run("CONTACT.CREATE NAME Con EMAIL con@a.test WORKSPACE acme")["contact"]
    let eve = core.logIn("eve", "acme/crm")
    for change in ["EMAIL attacker@evil.test", "FIRST New", "FIELD colour red"] {
      #expect(
        core.run("USER.CREATE new CONTACT #\(contact) WORKSPACE acme NOINVITE \(change)", as: eve).text?.hasPrefix(
          "NOPERM the permission contact.set") == true, "\(change)")
    }
    #expect(!core.run("USER.CREATE new CONTACT #\(contact) WORKSPACE acme NOINVITE EMAIL con@a.test", as: eve).isError)
    // P6: a username that is an address becomes the contact's only where it may.
    let bare = core.run("CONTACT.CREATE NAME Bare WORKSPACE acme")["contact"]
    #expect(!core.run("USER.CREATE bare@a.test CONTACT #\(bare) WORKSPACE acme NOINVITE", as: eve).isError)
    #expect(core.run("CONTACT.GET #\(bare)")["email"] == .null)
  }
}
