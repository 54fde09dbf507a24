import Testing

@testable import GatehouseCore

/// L3: who is linked to a record.
@Suite("Linked people")
struct LinkedPeopleTests {
  private let core = CoreHarness(partitions: 4)

  init() {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
    for name in ["ana", "bob", "cy"] {
      core.run("USER.CREATE \(name) PRODUCT acme/app FIRST \(name) EMAIL \(name)@acme.test NOINVITE")
    }
    core.run("USER.CREATE zoe PRODUCT beta/app NOINVITE")
    core.run("WORKSPACE.MEMBER beta ana")
    core.run("LINK.ADD ana delegate course-7 WORKSPACE acme STATUS booked ATTR seat 3")
    core.advance(1000)
    core.run("LINK.ADD bob delegate course-7 WORKSPACE acme STATUS waiting")
    core.advance(1000)
    core.run("LINK.ADD bob delegate course-8 WORKSPACE acme")
    core.run("LINK.ADD cy booking course-7 WORKSPACE acme")
    core.run("LINK.ADD zoe delegate course-7 WORKSPACE beta")
    core.run("LINK.ADD ana delegate course-7 WORKSPACE beta")
  }

  private func people(_ line: String, as token: String? = nil) -> [String] {
    let answer = token.map { core.run("LINK.PEOPLE \(line)", as: $0) } ?? core.run("LINK.PEOPLE \(line)")
    return answer[1].items.map { $0["username"].text ?? "-" }
  }

  @Test("L3: the delegates of a course are listed, newest first, and so are its bookers")
  func lists() {
    #expect(people("delegate course-7 WORKSPACE acme") == ["bob", "ana"])
    #expect(people("booking course-7") == ["cy"])
    #expect(people("delegate course-7 WORKSPACE acme STATUS booked") == ["ana"])
    let first = core.run("LINK.PEOPLE delegate course-7 WORKSPACE acme STATUS booked")[1][0]
    #expect(
      first.keys == [
        "link", "contact", "user", "username", "name", "email", "workspace", "status", "attributes", "created",
      ])
    #expect(first["email"].text == "ana@acme.test" && first["attributes"]["seat"].text == "3")
    #expect(core.run("LINK.PEOPLE guest course-7").text?.hasPrefix("ERR no kind 'guest'") == true)
  }

  @Test("L3: pages follow each other, also where a delegate has no login any more")
  func pages() {
    core.run("USER.DELETE ana REASON left")
    var found: [String] = []
    var cursor = "0"
    repeat {
      let page = core.run("LINK.PEOPLE delegate course-7 COUNT 1 CURSOR \(cursor)")
      found += page[1].items.map { "\($0["username"].text ?? "-") in \($0["workspace"].text ?? "")" }
      cursor = page[0].text ?? "0"
    } while cursor != "0"
    #expect(found.count == 4 && Set(found).count == 4)
    #expect(found.suffix(2) == ["bob in acme", "ana in acme"])
  }

  @Test("W4, L10: everybody sees those whom they may see, in the workspaces where they may")
  func reach() {
    core.run("USER.CREATE tess PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT tess training-administrator WORKSPACE acme")
    let tess = core.logIn("tess", "acme/app")
    #expect(people("delegate course-7", as: tess) == ["bob", "ana"])
    #expect(core.run("LINK.PEOPLE delegate course-7 WORKSPACE beta", as: tess).isError)
    core.run("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme")
    core.run("EMPLOY.ADD ana acme/Widgets")
    core.run("USER.CREATE mia PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT mia manager ACCOUNT acme/Widgets")
    #expect(people("delegate course-7", as: core.logIn("mia", "acme/app")) == ["ana"])
    #expect(
      core.run("LINK.PEOPLE delegate course-7", as: core.logIn("bob", "acme/app")).text?.hasPrefix("NOPERM ") == true)
  }
}
