import Testing

@testable import GatehouseCore

/// L13: two users who are one person.
@Suite struct MergeTests {
  let core = CoreHarness(partitions: 8)

  init() {
    core.run("PRODUCT.CREATE crm")
    core.run("POOL.SET crm * 2")
    core.run("USER.CREATE ana FIRST Ana PRODUCT crm NOINVITE")
    core.run("PRODUCT.CREATE hr")
    core.run("USER.CREATE anna FIRST Anna LAST Nova EMAIL anna@x.test PRODUCT hr ROLE manager NOINVITE")
    core.run("ENTRY.ADD ana START 100 END 200 NOTE a1")
    core.run("ENTRY.ADD anna START 150 END 250 NOTE b1")
    core.run("ENTRY.ADD ana START 150 END 250 NOTE a2")
    core.run("LINK.ADD anna delegate C1")
  }

  private func notes(_ user: String) -> [String] {
    core.run("ENTRY.LIST \(user)")[1].items.compactMap { $0["note"].text }
  }

  @Test("L13: lists and searches find the kept user by the dropped name", arguments: ["anna", "ANNA"])
  func listsByOtherNames(name: String) {
    let gone = core.run("USER.GET anna")["id"].integer ?? 0
    core.run("USER.SET ana email ana@x.test")
    #expect(!core.run("USER.INVITE ana").isError)
    #expect(!core.run("USER.MERGE ana anna").isError)
    func names(_ line: String) -> [String?] {
      let answer = core.run(line)
      return (line.contains("SEARCH") ? answer.items : answer[1].items).map { $0["username"].text }
    }
    #expect(names("USER.SEARCH \(name)") == ["ana"])
    #expect(names("CONTACT.SEARCH \(name)") == ["ana"])
    for comparison in ["=", "=="] {
      #expect(names("USER.LIST WHERE username \(comparison) \(name)") == ["ana"], "\(comparison)")
      #expect(names("CONTACT.LIST WHERE username \(comparison) \(name) FIELDS 1 username") == ["ana"], "\(comparison)")
      #expect(core.run("USER.COUNT WHERE username \(comparison) \(name)").integer == 1)
    }
    #expect("\(core.run("USER.BULK SET division north WHERE username = \(name)"))" == "{users: 1, changed: 1}")
    #expect(core.run("USER.GET ana")["division"].text == "north")
    #expect(names("USER.LIST WHERE username = \(name) WHERE status = locked") == [])
    #expect(names("USER.SEARCH ana") == ["ana"] && names("USER.LIST WHERE username = ana") == ["ana"])
    #expect(names("USER.LIST WHERE username = nobody") == [] && names("USER.LIST WHERE username = #\(gone)") == [])
    #expect(names("MAIL.LIST USER \(name)").count == names("MAIL.LIST USER ana").count)
    #expect(names("MAIL.LIST USER #\(gone)").count == names("MAIL.LIST USER ana").count)
    #expect(!names("MAIL.LIST USER ana").isEmpty)
    #expect(names("MAIL.LIST USER nobody") == [])
  }

  @Test("W4: somebody who knows only the one who was merged is not led to the other by lists")
  func listsOfOthers() {
    for workspace in ["red", "blue"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
    core.run("USER.CREATE keep WORKSPACE red NOINVITE")
    core.run("USER.CREATE drop WORKSPACE red NOINVITE")
    core.run("USER.MERGE keep drop")
    core.run("USER.CREATE tess PRODUCT blue/app NOINVITE")
    core.run("ROLE.GRANT tess training-administrator WORKSPACE blue")
    let token = core.logIn("tess", "blue/app")
    #expect(core.run("USER.SEARCH drop", as: token).items.isEmpty)
    #expect(core.run("USER.COUNT WHERE username = drop", as: token).integer == 0)
  }

  @Test("L13: the dropped id and name lead to the kept user, and so does what was recorded") func merging() {
    let (kept, gone) = (core.run("USER.GET ana"), core.run("USER.GET anna"))
    let answer = core.run("USER.MERGE ana anna")
    #expect(
      "\(answer)"
        == "{user: \(kept["id"]), username: ana, contact: \(kept["contact"]), fields: [last, email], products: [hr],"
        + " workspaces: []}")
    for name in ["anna", "#\(gone["id"])", "ana"] {
      let shown = core.run("USER.GET \(name)")
      #expect(shown["username"].text == "ana")
      #expect(shown["name"].text == "Ana Nova")
      #expect(shown["email"].text == "anna@x.test")
      #expect("\(shown["roles"])" == "[]")
    }
    #expect(core.run("LOGIN.CHECK anna hr").text == "ALLOW")
    #expect(Set(notes("anna")) == ["a1", "a2", "b1"])
    #expect(core.run("LINK.LIST ana")[1][0]["ref"].text == "C1")
    #expect(core.run("CONTACT.GET #\(gone["contact"])")["contact"] == kept["contact"])
    #expect(core.run("CONTACT.LIST")[1].items.count == 1)
    #expect(core.run("AUDIT.LIST USER ana")[1].items.count > 5)
    core.expectReplicated()
  }

  @Test("L13: pages of the union show each entry once") func pages() {
    core.run("USER.MERGE ana anna")
    var (cursor, found) = ("0", [String]())
    repeat {
      let page = core.run("ENTRY.LIST ana COUNT 1 CURSOR \(cursor)")
      found += page[1].items.compactMap { $0["note"].text }
      cursor = page[0].text ?? "0"
    } while cursor != "0"
    #expect(found == notes("ana"))
    #expect(found.sorted() == ["a1", "a2", "b1"])
  }

  @Test("L13: nobody else gets the name of who was merged") func theNameStaysTaken() {
    core.run("USER.MERGE ana anna")
    #expect(core.run("USER.CREATE anna").text?.hasPrefix("CONFLICT username: anna leads to whom user ") == true)
    let merge = core.lsn
    // To whom it leads, it may be given.
    #expect(core.run("USER.RENAME ana anna").text == "OK")
    #expect(core.run("USER.GET anna")["username"].text == "anna")
    #expect(core.run("UNDO \(merge)").text?.contains("the username anna was given to somebody else since") == true)
    core.expectReplicated()
  }

  @Test("L13: who was merged can be merged on") func chains() {
    core.run("USER.CREATE bea FIRST Bea NOINVITE")
    core.run("USER.MERGE ana anna")
    core.run("USER.MERGE bea ana")
    #expect(core.run("USER.GET anna")["username"].text == "bea")
    #expect(Set(notes("bea")) == ["a1", "a2", "b1"])
    core.expectReplicated()
  }

  @Test("L13, L18: what cannot be merged") func refusals() {
    #expect(core.run("USER.MERGE ana ana").text == "CONFLICT user: ana and ana are one person already")
    core.run("USER.CREATE root ROLE super-administrator NOINVITE")
    #expect(core.run("USER.MERGE ana root").text?.hasPrefix("REFUSED last-super-administrator: ") == true)
    core.run("WORKSPACE.SET main owner anna")
    #expect(core.run("USER.MERGE ana anna").text?.hasPrefix("REFUSED owner: anna owns the workspace main; ") == true)
  }

  @Test("W2: both homes must allow it") func twoHomes() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE boss WORKSPACE acme PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE acme")
    core.run("USER.CREATE own WORKSPACE acme NOINVITE")
    core.run("WORKSPACE.MEMBER acme anna")
    let token = core.run("SESSION.CREATE boss acme/app")["session"].text ?? ""
    for line in ["USER.MERGE own anna", "USER.MERGE anna own"] {
      #expect(core.run(line, as: token).text?.hasPrefix("NOPERM the permission user.merge in ") == true)
    }
  }

  // MARK: Taking back

  @Test("B9: a merge is taken back") func takingBack() {
    let (ana, anna) = (core.run("USER.GET ana"), core.run("USER.GET anna"))
    core.run("USER.MERGE ana anna")
    #expect(core.run("UNDO \(core.lsn)")["command"].text == "USER.MERGE")
    for (name, before) in [("ana", ana), ("anna", anna)] {
      let now = core.run("USER.GET \(name)")
      for key in now.keys where key != "version" { #expect(now[key] == before[key], "\(name) \(key)") }
    }
    #expect(notes("anna") == ["b1"])
    #expect(core.run("LOGIN.CHECK anna hr").text == "ALLOW")
    core.expectReplicated()
  }

  @Test("B9: a delete is taken back with its access, seats and roles") func takingBackADelete() {
    core.run("WORKSPACE.SET main policy.delete.keep-tracked off")
    core.run("USER.DELETE anna REASON x")
    let record = core.lsn
    core.run("USER.CREATE other PRODUCT crm NOINVITE")
    #expect("\(core.run("UNDO \(record)")["users"])" == "[anna]")
    let undone = core.lsn
    #expect(core.run("LOGIN.CHECK anna hr").text == "ALLOW")
    #expect(core.run("USER.GET anna")["roles"].items.map { "\($0["role"])" } == ["manager"])
    #expect(
      core.run("UNDO \(record)").text
        == "REFUSED undo: record \(record) was taken back already, by record \(undone); what was done since has a record of"
        + " its own; AUDIT.LIST names it")
    core.expectReplicated()
  }

  @Test("B9: not where the seat is taken, the name is taken, or the time is over") func whatCannotBeTakenBack() {
    core.run("WORKSPACE.SET main policy.delete.keep-tracked off")
    core.run("USER.DELETE ana REASON x")
    let record = core.lsn
    core.run("USER.CREATE p1 PRODUCT crm NOINVITE")
    core.run("USER.CREATE p2 PRODUCT crm NOINVITE")
    #expect(core.run("UNDO \(record)").text?.hasPrefix("NOSEATS * bought 2, used 2 by ") == true)
    core.run("PRODUCT.DISABLE p2 crm")
    core.run("USER.CREATE ana NOINVITE")
    #expect(
      core.run("UNDO \(record)").text?
        .hasPrefix("REFUSED undo: the username ana was given to somebody else since; ") == true)
    core.run("USER.DELETE ana REASON x")
    core.now += 8 * TimeText.day
    #expect(core.run("UNDO \(record)").text?.hasPrefix("REFUSED undo.window: record \(record) is of ") == true)
    #expect(core.run("UNDO 999").text == "NOTFOUND record 999; AUDIT.LIST names them")
  }

  @Test("B9: another command is not taken back") func onlyTheThree() {
    core.run("USER.SET ana phone 1")
    #expect(
      core.run("UNDO \(core.lsn)").text
        == "REFUSED undo: record \(core.lsn) cannot be taken back: its command is USER.SET; only USER.DELETE, USER.MERGE and"
        + " USER.BULK can, each in a record of its own; give the command that changes it back")
  }

  @Test("B9, W4: of people whom the caller does not know a record says nothing") func ofStrangers() {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE boss WORKSPACE acme PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT boss super-administrator WORKSPACE acme")
    core.run("USER.MERGE ana anna")
    let record = core.lsn
    let token = core.run("SESSION.CREATE boss acme/app")["session"].text ?? ""
    #expect(core.run("UNDO \(record)", as: token).text == "NOTFOUND record \(record); AUDIT.LIST names them")
  }
}
