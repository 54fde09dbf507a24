import Testing

@testable import GatehouseCore

/// W3, S2: what a workspace has recorded of somebody stays its own after the person has left it.
@Suite struct FormerMemberTests {
  private let core = CoreHarness(partitions: 8)
  private let boss: String
  private let stranger: String

  init() {
    for line in [
      "WORKSPACE.CREATE a", "WORKSPACE.CREATE b", "PRODUCT.CREATE a/app", "PRODUCT.CREATE b/app",
      "USER.CREATE sue WORKSPACE a PRODUCT a/app PRODUCT b/app NOINVITE",
      "USER.CREATE tim WORKSPACE a PRODUCT a/app NOINVITE",
      "USER.CREATE boss WORKSPACE b PRODUCT b/app NOINVITE", "ROLE.GRANT boss super-administrator WORKSPACE b",
      "USER.CREATE clerk WORKSPACE b PRODUCT b/app NOINVITE",
      "ENTRY.ADD sue START 100 END 200 WORKSPACE b NOTE here", "ENTRY.ADD sue START 300 END 400 WORKSPACE a NOTE there",
      "LINK.ADD sue booking C1 WORKSPACE b", "LINK.ADD sue booking C2 WORKSPACE a",
      "WORKSPACE.MEMBER b sue REMOVE",
    ] {
      let answer = core.run(line)
      precondition(!answer.isError, "\(line): \(answer)")
    }
    boss = core.logIn("boss", "b/app")
    stranger = core.logIn("clerk", "b/app")
  }

  @Test("W3, S2: administrators list the time and the records that their workspace has") func lists() {
    let (id, contact) = (core.run("USER.GET sue")["id"], core.run("USER.GET sue")["contact"])
    for word in ["sue", "#\(id)"] {
      let entries = core.run("ENTRY.LIST \(word) WORKSPACE b", as: boss)
      #expect(entries[1].items.map { $0["note"].text } == ["here"])
    }
    for word in ["sue", "#\(contact)"] {
      let links = core.run("LINK.LIST \(word) WORKSPACE b", as: boss)
      #expect(links[1].items.map { $0["ref"].text } == ["C1"])
    }
    let trail = core.run("AUDIT.LIST USER #\(id) WORKSPACE b", as: boss)
    #expect(trail[1].items.contains { $0["command"].text == "WORKSPACE.MEMBER" })
    #expect(!"\(trail)".contains("C2"))
  }

  @Test("W4: nothing else is known of who has left, and of others not even that they are there") func nothingElse() {
    for line in ["USER.GET sue", "ENTRY.LIST sue", "ENTRY.LIST tim WORKSPACE b", "AUDIT.LIST USER tim WORKSPACE b"] {
      let name = line.contains("sue") ? "sue" : "tim"
      #expect(core.run(line, as: boss).text == "NOTFOUND user \(name)", "\(line)")
    }
    #expect(core.run("ENTRY.LIST sue WORKSPACE a", as: boss).text?.hasPrefix("NOTFOUND ") == true)
    // Nor does an unknown workspace tell who there is.
    for word in ["tim", "nobody", "#\(core.run("USER.GET tim")["id"])", "#99999"] {
      for line in [
        "ENTRY.LIST \(word) WORKSPACE a", "LINK.LIST \(word) WORKSPACE a", "AUDIT.LIST USER \(word) WORKSPACE a",
      ] {
        #expect(core.run(line, as: boss).text == "NOTFOUND workspace a", "\(line)")
      }
    }
    // Who may read nothing there learns nothing.
    for name in ["sue", "tim", "nobody"] {
      let answer = core.run("ENTRY.LIST \(name) WORKSPACE b", as: stranger)
      #expect(answer.text == "NOPERM the permission time.read", "\(name)")
    }
  }

  @Test("W4: a name that somebody got since is not told, nor found by") func renamed() throws {
    let id = core.run("USER.GET sue")["id"]
    core.run("USER.RENAME sue susan")
    #expect(core.run("ENTRY.LIST susan WORKSPACE b", as: boss).text == "NOTFOUND user susan")
    #expect(core.run("LINK.LIST susan WORKSPACE b", as: boss).text == "NOTFOUND user susan")
    let entry = core.run("ENTRY.LIST #\(id) WORKSPACE b", as: boss)[1][0]
    #expect(entry["username"].text == "#\(id)" && entry["note"].text == "here")
    #expect(core.run("ENTRY.GET \(entry["entry"])", as: boss)["username"].text == "#\(id)")
    // Where it was a member again under the new name, it is known by that.
    core.run("WORKSPACE.MEMBER b susan")
    #expect(core.run("ENTRY.LIST susan WORKSPACE b", as: boss)[1][0]["username"].text == "susan")
    core.run("WORKSPACE.MEMBER b susan REMOVE")
    #expect(core.run("ENTRY.LIST susan WORKSPACE b", as: boss)[1][0]["username"].text == "susan")
    core.expectReplicated()
    try core.restart()
    #expect(core.run("ENTRY.LIST susan WORKSPACE b", as: boss)[1][0]["username"].text == "susan")
  }

  @Test("S12: records of somebody who came back with another login are found by the name that was known there")
  func restored() {
    core.run("USER.CREATE eva FIRST Eva WORKSPACE a PRODUCT a/app NOINVITE")
    core.run("WORKSPACE.MEMBER b eva")
    core.run("ENTRY.ADD eva START 700 END 800 WORKSPACE b NOTE evas")
    let contact = core.run("USER.GET eva")["contact"]
    for name in ["a", "b"] { core.run("WORKSPACE.SET \(name) policy.delete.keep-tracked off") }
    #expect(!core.run("USER.DELETE eva REASON x").isError)
    core.run("USER.RESTORE #\(contact) NOINVITE")
    #expect(core.run("ENTRY.LIST eva WORKSPACE b", as: boss)[1][0]["username"].text == "eva")
    // The new name is not known there, the old one is.
    core.run("USER.RENAME eva evita")
    #expect(core.run("ENTRY.LIST evita WORKSPACE b", as: boss).text == "NOTFOUND user evita")
    #expect(core.run("ENTRY.LIST #\(core.run("USER.GET evita")["id"]) WORKSPACE b", as: boss)[1].items.count == 1)
  }

  @Test("W4: people see their own names in what they did elsewhere") func ownName() {
    let token = core.logIn("sue", "a/app")
    core.run("WORKSPACE.MEMBER b sue")
    #expect(!core.run("ENTRY.ADD sue START 500 END 600 WORKSPACE b NOTE mine", as: token).isError)
    core.run("WORKSPACE.MEMBER b sue REMOVE")
    let entry = core.run("ENTRY.LIST sue", as: token)[1].items.first { $0["note"].text == "mine" }
    #expect(entry?["started-by"].text == "sue" && entry?["stopped-by"].text == "sue")
  }
}
