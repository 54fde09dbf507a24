import Testing

@testable import GatehouseCore

/// Contacts by themselves, and the logins that come and go on them.
@Suite struct ContactCommandTests {
  let core = CoreHarness(partitions: 8)

  @Test("P2: a contact need not be a user") func aContactWithoutALogin() {
    let id = core.run("CONTACT.CREATE NAME \"Eva Marie Lind\" EMAIL eva@acme.test PHONE 123")["contact"]
    let contact = core.run("CONTACT.GET #\(id)")
    #expect(contact["name"].text == "Eva Marie Lind")
    #expect(contact["first"].text == "Eva")
    #expect(contact["middle"].text == "Marie")
    #expect(contact["last"].text == "Lind")
    #expect(contact["phone"].text == "123")
    #expect(contact["home"].text == "main")
    #expect(contact["user"].isNull)
    #expect("\(contact["logins"])" == "[]")
    #expect(core.run("USER.LIST").items[1].items.isEmpty)
    core.expectReplicated()
  }

  @Test("P2: a contact has a name or an e-mail") func aContactNeedsAName() {
    #expect(
      core.run("CONTACT.CREATE PHONE 123").text
        == "ERR a contact needs a name or an e-mail; give NAME, FIRST, LAST or EMAIL")
  }

  @Test("S8, S12: the login goes and comes again, the contact and what it did stay") func loginsOnOneContact() throws {
    let contact = core.run("USER.CREATE eva FIRST Eva EMAIL eva@acme.test NOINVITE")["contact"]
    core.run("ENTRY.ADD eva START 2026-03-01T08:00:00Z END 2026-03-01T08:30:00Z NOTE old")
    core.run("WORKSPACE.SET main policy.delete.keep-tracked off")
    #expect(core.run("USER.DELETE eva REASON left").text == "OK")
    var shown = core.run("CONTACT.GET #\(contact)")
    #expect(shown["first"].text == "Eva")
    #expect(shown["user"].isNull)
    #expect(shown["logins"][0]["username"].text == "eva")
    #expect(shown["logins"][0]["status"].text == "deleted")
    // The sequence of S11: another e-mail, another login, nothing lost.
    #expect(core.run("CONTACT.SET #\(contact) email eva@other.test").integer == 1)
    #expect(!core.run("USER.CREATE eva@other.test CONTACT #\(contact) NOINVITE").isError)
    shown = core.run("CONTACT.GET #\(contact)")
    #expect(shown["username"].text == "eva@other.test")
    #expect(shown["logins"].items.compactMap { $0["username"].text } == ["eva@other.test", "eva"])
    #expect(core.run("ENTRY.LIST eva@other.test")[1][0]["note"].text == "old")
    core.expectReplicated()
  }

  @Test func threeLoginsStayInTheirOrder() {
    let contact = core.run("USER.CREATE one FIRST Eva NOINVITE")["contact"]
    for (old, new) in [("one", "two"), ("two", "three")] {
      core.run("USER.DELETE \(old) REASON x")
      core.run("USER.CREATE \(new) CONTACT #\(contact) NOINVITE")
    }
    core.run("USER.DELETE three REASON x")
    let logins = core.run("CONTACT.GET #\(contact)")["logins"].items
    #expect(logins.compactMap { $0["username"].text } == ["three", "two", "one"])
    core.expectReplicated()
  }

  @Test func aContactWithALiveLoginGetsNoOther() {
    let contact = core.run("USER.CREATE eva NOINVITE")["contact"]
    #expect(
      core.run("USER.CREATE other CONTACT #\(contact)").text
        == "CONFLICT contact: #\(contact) has the live user eva; delete that one first")
  }

  @Test func aContactGoesWhenNothingRefersToIt() {
    let id = core.run("CONTACT.CREATE FIRST Eva")["contact"]
    core.run("USER.CREATE eva CONTACT #\(id) NOINVITE")
    #expect(
      core.run("CONTACT.DELETE #\(id)").text
        == "REFUSED references: contact #\(id) is referred to by the login eva (USER.DELETE); remove what can be"
        + " removed first, or clear the personal data with USER.ANONYMISE")
    core.run("USER.DELETE eva REASON x")
    #expect(core.run("CONTACT.DELETE #\(id)").text?.contains("the deleted login eva") == true)
    let free = core.run("CONTACT.CREATE FIRST Eva")["contact"]
    #expect(core.run("CONTACT.DELETE #\(free)").text == "OK")
    #expect(core.run("CONTACT.GET #\(free)").text == "NOTFOUND contact #\(free)")
    #expect(core.run("CONTACT.CREATE FIRST Eva")["contact"] != free)
    core.expectReplicated()
  }

  @Test func fieldsOfTheLoginAreNoneOfTheContact() {
    let contact = core.run("USER.CREATE eva NOINVITE")["contact"]
    #expect(
      core.run("CONTACT.SET #\(contact) initials E").text
        == "ERR initials is a field of the login; set it with USER.SET user initials value")
  }

  @Test("W2, W4: a contact of another workspace is not there") func contactsOfAnotherWorkspace() {
    for name in ["acme", "beta"] { core.run("WORKSPACE.CREATE \(name)") }
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE boss WORKSPACE acme PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT boss training-administrator WORKSPACE acme")
    let token = core.run("SESSION.CREATE boss acme/app")["session"].text ?? ""
    let own = core.run("CONTACT.CREATE FIRST Own WORKSPACE acme")["contact"]
    let other = core.run("CONTACT.CREATE FIRST Other WORKSPACE beta")["contact"]
    #expect(core.run("CONTACT.GET #\(own)", as: token)["first"].text == "Own")
    #expect(core.run("CONTACT.SET #\(own) first Mine", as: token).integer == 1)
    for command in ["GET #\(other)", "SET #\(other) first Mine", "DELETE #\(other)"] {
      #expect(core.run("CONTACT.\(command)", as: token).text == "NOTFOUND contact #\(other)")
    }
    #expect(core.run("CONTACT.LIST", as: token)[1].items.compactMap { $0["name"].text }.sorted() == ["Mine"])
    #expect("\(core.run("CONTACT.SEARCH other", as: token))" == "[]")
    #expect(core.run("CONTACT.CREATE FIRST X WORKSPACE beta", as: token).text == "NOTFOUND workspace beta")
  }

  @Test func listsOfContacts() {
    core.run("CONTACT.CREATE FIRST Bea LAST Two")
    core.run("CONTACT.CREATE FIRST Ada LAST One")
    core.run("USER.CREATE cyd FIRST Cyd LAST Three NOINVITE")
    let all = core.run("CONTACT.LIST SORT last DESC FIELDS 2 name username")[1]
    #expect(
      "\(all)" == "[{name: Bea Two, username: nil}, {name: Cyd Three, username: cyd}, {name: Ada One, username: nil}]")
    #expect("\(core.run("CONTACT.LIST WHERE username = \"\" WHERE first = ada FIELDS 1 last"))" == "[0, [{last: One}]]")
    // By pages, each contact comes once.
    var (cursor, names) = ("0", [String]())
    repeat {
      let page = core.run("CONTACT.LIST COUNT 1 CURSOR \(cursor) FIELDS 1 first")
      names += page[1].items.compactMap { $0["first"].text }
      cursor = page[0].text ?? "0"
    } while cursor != "0"
    #expect(names.sorted() == ["Ada", "Bea", "Cyd"])
    #expect(core.run("CONTACT.LIST WHERE status = active").text?.hasPrefix("ERR no field 'status'") == true)
  }

  @Test("a contact goes on counting its versions when it gets a login, and another one") func versionsOfLogins() {
    let contact = core.run("CONTACT.CREATE NAME \"A B\"")["contact"]
    for phone in 1...3 { core.run("CONTACT.SET #\(contact) phone \(phone)") }
    var version = core.run("CONTACT.GET #\(contact)")["version"].integer ?? 0
    for line in [
      "USER.CREATE vu NOINVITE CONTACT #\(contact)", "USER.DELETE vu REASON x", "USER.RESTORE #\(contact) NOINVITE",
    ] {
      #expect(!core.run(line).isError, "\(line)")
      let new = core.run("CONTACT.GET #\(contact)")["version"].integer ?? 0
      #expect(new > version, "\(line)")
      #expect(core.run("CONTACT.SET #\(contact) phone 9 IFVERSION \(version)").text?.hasPrefix("STALE") == true)
      version = new
    }
  }
}
