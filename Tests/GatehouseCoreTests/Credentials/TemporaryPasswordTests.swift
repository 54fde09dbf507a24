import Testing

@testable import GatehouseCore

/// P13: a temporary password must be changed, and until then its sessions do nothing else.
@Suite("Temporary passwords")
struct TemporaryPasswordTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    core.run("PRODUCT.CREATE payroll")
    core.run("USER.CREATE tom PRODUCT payroll ROLE super-administrator NOINVITE PASSWORD correct-horse")
    core.run("USER.CREATE ana PRODUCT payroll NOINVITE")
    core.decidesTwice = true
  }

  private func logIn(_ password: String) -> String {
    core.run(["LOGIN.PASSWORD", "tom", "payroll", password])["session"].text ?? ""
  }

  private static let refusal =
    "REFUSED password: it is temporary, and somebody else knows it; change it first with PASSWORD.CHANGE old new"

  @Test(
    "P13: its session writes nothing, makes no credential, and reads what is its user's alone, whatever roles they have",
    arguments: [
      "APIKEY.CREATE tom", "TOTP.ENROL tom", "USER.SET tom first Tom", "USER.CREATE eve", "TIMER.START tom",
      "USER.DELETE ana REASON x", "ROLE.GRANT ana super-administrator", "WORKSPACE.SET main policy.undo.window 0",
      "PASSWORD.SET ana battery-staple", "APPROVAL.GRANT 1",
    ])
  func writes(_ line: String) {
    let session = logIn("correct-horse")
    #expect(core.run("SESSION.CHECK \(session)")["must-change"].integer == 1)
    let before = core.lsn
    #expect(core.run(line, as: session).text == Self.refusal, "\(line)")
    #expect(core.run("IMPERSONATE.START \(session) ana REASON help").text == Self.refusal)
    #expect(core.lsn == before)
    #expect(core.run("USER.GET tom", as: session)["username"].text == "tom")
    #expect(core.run("USER.GET ana", as: session).text == Self.refusal)
    #expect(core.run("USER.SEARCH ana", as: session).text == Self.refusal)
    #expect(core.run("USER.LIST", as: session).description.contains("ana") == false)
    #expect(core.run("AUDIT.LIST", as: session).description.contains("ana") == false)
    core.expectReplicated()
  }

  @Test("P13: the password is changed, and then all is as ever, also after a restart")
  func changed() throws {
    let session = logIn("correct-horse")
    try core.restart()
    #expect(core.run("APIKEY.CREATE tom", as: session).text == Self.refusal)
    #expect(core.run("PASSWORD.CHANGE correct-horse battery-staple", as: session).text == "OK")
    #expect(core.run("SESSION.CHECK \(session)").isNull)
    let next = logIn("battery-staple")
    #expect(core.run("SESSION.CHECK \(next)")["must-change"].isNull)
    #expect(core.run("APIKEY.CREATE tom", as: next)["key"].text != nil)
    #expect(core.run("USER.GET ana", as: next)["username"].text == "ana")
    core.expectReplicated()
  }

  @Test("P13: logging out is no write that must wait, and what does not rest on the password is not restricted")
  func others() {
    let session = logIn("correct-horse")
    let own = core.logIn("tom", "payroll")
    #expect(
      core.run("USER.SET ana phone 1", as: own).integer == 1, "the application has authenticated the user by itself")
    #expect(core.run("SESSION.REVOKE \(session)", as: session).integer == 1)
    #expect(core.run("SESSION.CHECK \(own)")["must-change"].isNull)
    core.run("WORKSPACE.SET main policy.password.admin-sets-final on")
    core.run("PASSWORD.SET tom battery-staple FINAL")
    #expect(core.run("USER.SET ana phone 2", as: logIn("battery-staple")).integer == 1)
    core.expectReplicated()
  }
}
