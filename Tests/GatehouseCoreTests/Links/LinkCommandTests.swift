import Testing

@testable import GatehouseCore

/// L3, L25: the records of other systems that people are linked to.
@Suite struct LinkCommandTests {
  let core = CoreHarness(partitions: 8)

  init() {
    core.run("PRODUCT.CREATE crm")
    core.run("USER.CREATE ana FIRST Ana PRODUCT crm NOINVITE")
  }

  @Test("L25: a course is assigned by a delegate record") func adding() {
    let link = core.run("LINK.ADD ana delegate C-101 STATUS booked ATTR seat 4 ATTR Room B")
    #expect(link["kind"].text == "delegate")
    #expect(link["ref"].text == "C-101")
    #expect(link["status"].text == "booked")
    #expect("\(link["attributes"])" == "{room: B, seat: 4}")
    #expect(link["created-by"].text == "local")
    #expect(
      core.run("LINK.ADD ana delegate C-101").text
        == "CONFLICT link: #\(link["link"]) links to delegate C-101 already")
    #expect(
      core.run("LINK.ADD ana trip C-101").text
        == "ERR no kind 'trip'; kinds are delegate, booking, invoice, award, matter, task")
    let set = core.run("LINK.SET \(link["link"]) STATUS attended ATTR seat \"\" ATTR mark 9")
    #expect("\(set["attributes"])" == "{mark: 9, room: B}")
    #expect(set["version"].integer == 2)
    #expect(core.run("LINK.LIST ana")[1][0] == set)
    #expect(core.run("LINK.REMOVE \(link["link"])").text == "OK")
    #expect(core.run("LINK.SET \(link["link"]) STATUS x").text == "NOTFOUND link #\(link["link"])")
    core.expectReplicated()
  }

  @Test("L3: all activity in one list, the newest first, by pages") func listing() {
    for (kind, ref) in [("delegate", "a"), ("booking", "b"), ("invoice", "c"), ("task", "d")] {
      core.now += 1000
      core.run("LINK.ADD ana \(kind) \(ref)")
    }
    var (cursor, found) = ("0", [String]())
    repeat {
      let page = core.run("LINK.LIST ana COUNT 3 CURSOR \(cursor)")
      found += page[1].items.compactMap { $0["ref"].text }
      cursor = page[0].text ?? "0"
    } while cursor != "0"
    #expect(found == ["d", "c", "b", "a"])
    #expect(core.run("LINK.LIST ana KIND booking")[1].items.count == 1)
  }

  @Test("S2: links outlive the login, and a contact without one has links") func ofContacts() {
    let contact = core.run("USER.GET ana")["contact"]
    core.run("LINK.ADD #\(contact) award gold")
    core.run("USER.DELETE ana REASON x")
    #expect(core.run("LINK.LIST #\(contact)")[1][0]["ref"].text == "gold")
    core.run("USER.PURGE ana")
    #expect(
      core.run("CONTACT.DELETE #\(contact)").text?
        .hasPrefix("REFUSED references: contact #\(contact) is referred to by 1 linked record (LINK.REMOVE); ") == true)
  }

  @Test("L15, B3: what is made while impersonating names both") func impersonating() {
    core.run("USER.CREATE boss ROLE super-administrator PRODUCT crm NOINVITE")
    core.run("ROLE.GRANT ana training-administrator")
    let actor = core.run("SESSION.CREATE boss crm")["session"].text ?? ""
    let token = core.run("IMPERSONATE.START \(actor) ana REASON help")["session"].text ?? ""
    core.run("USER.CREATE bob NOINVITE")
    let link = core.run("LINK.ADD bob delegate C1", as: token)
    #expect(link["created-by"].text == "boss")
    #expect(link["created-as"].text == "ana")
    #expect(core.run("LINK.LIST bob")[1][0] == link)
    core.expectReplicated()
  }

  @Test("L10: everybody books themselves, and writes nothing else of themselves") func ownBookings() {
    core.run("USER.CREATE bob NOINVITE")
    let token = core.run("SESSION.CREATE ana crm")["session"].text ?? ""
    let booking = core.run("LINK.ADD ana booking B1", as: token)
    #expect(booking["created-by"].text == "ana")
    #expect(
      core.run("LINK.ADD ana delegate C1", as: token).text == "NOPERM the permission link.write in the workspace main")
    #expect(core.run("LINK.ADD bob booking B1", as: token).text == "NOPERM the permission link.write")
    #expect(core.run("LINK.REMOVE \(booking["link"])", as: token).text == "NOPERM the permission link.write")
    core.run("USER.SET ana restrict-bookings 1")
    #expect(
      core.run("LINK.ADD ana booking B2", as: token).text?.hasPrefix("REFUSED restrict-bookings: ana may not") == true)
  }

  @Test("L4: who has restricted bookings makes none, and nobody makes any as them") func restrictedBookings() {
    core.run("ROLE.GRANT ana training-administrator")
    core.run("USER.CREATE bob NOINVITE")
    core.run("USER.SET ana restrict-bookings 1")
    let token = core.run("SESSION.CREATE ana crm")["session"].text ?? ""
    #expect(
      core.run("LINK.ADD bob booking B1", as: token).text
        == "REFUSED restrict-bookings: ana may not make bookings; let an administrator make it, or allow it with USER.SET"
        + " ana restrict-bookings 0")
    #expect(!core.run("LINK.ADD bob delegate C1", as: token).isError)
    #expect(!core.run("LINK.ADD ana booking B1").isError)
  }

  @Test("W4: each workspace sees its own links of a shared person") func twoWorkspaces() {
    for name in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(name)")
      core.run("PRODUCT.CREATE \(name)/app")
      core.run("USER.CREATE \(name)boss WORKSPACE \(name) PRODUCT \(name)/app NOINVITE")
      core.run("ROLE.GRANT \(name)boss training-administrator WORKSPACE \(name)")
      core.run("WORKSPACE.MEMBER \(name) ana")
    }
    let acme = core.run("SESSION.CREATE acmeboss acme/app")["session"].text ?? ""
    let beta = core.run("SESSION.CREATE betaboss beta/app")["session"].text ?? ""
    let link = core.run("LINK.ADD ana delegate C1 WORKSPACE acme", as: acme)
    #expect(!link.isError)
    #expect(core.run("LINK.LIST ana", as: acme)[1].items.count == 1)
    #expect("\(core.run("LINK.LIST ana", as: beta)[1])" == "[]")
    for command in ["SET \(link["link"]) STATUS x", "REMOVE \(link["link"])"] {
      #expect(core.run("LINK.\(command)", as: beta).text == "NOTFOUND link #\(link["link"])")
    }
    // The same reference in another workspace is another record.
    #expect(!core.run("LINK.ADD ana delegate C1 WORKSPACE beta", as: beta).isError)
  }
}
