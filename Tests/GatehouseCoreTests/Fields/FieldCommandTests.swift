import Testing

@testable import GatehouseCore

/// L2: the fields that workspaces add to their people.
@Suite struct FieldCommandTests {
  let core = CoreHarness(partitions: 8)

  init() {
    core.run("WORKSPACE.CREATE acme")
    core.run("FIELD.DEFINE shoe number WORKSPACE acme")
  }

  @Test("L2: each type takes its own values, in one form") func types() {
    core.run("USER.CREATE ana WORKSPACE acme NOINVITE")
    core.run("FIELD.DEFINE colour choice CHOICES 2 Red Blue WORKSPACE acme")
    core.run("FIELD.DEFINE joined day WORKSPACE acme")
    core.run("FIELD.DEFINE badge flag WORKSPACE acme")
    core.run("FIELD.DEFINE hobby text WORKSPACE acme")
    #expect(core.run("USER.SET ana shoe 042 colour red joined 2026-03-01 badge yes hobby Chess").integer == 5)
    #expect(
      "\(core.run("USER.GET ana")["fields"])"
        == "{shoe: 42, colour: Red, joined: 2026-03-01, badge: 1, hobby: Chess}")
    #expect(core.run("USER.SET ana shoe big").text == "ERR shoe is not a whole number, such as 40")
    #expect(core.run("USER.SET ana colour green").text == "ERR colour must be one of Red, Blue")
    #expect(core.run("USER.SET ana joined soon").text == "ERR joined is not a day, such as 2026-03-01")
    #expect(core.run("USER.SET ana badge perhaps").text == "ERR badge must be 1 or 0")
    core.expectReplicated()
  }

  @Test("L2: what is mandatory must be there, and stays") func mandatory() {
    core.run("FIELD.DEFINE shoe number MANDATORY WORKSPACE acme")
    #expect(
      core.run("USER.CREATE ana WORKSPACE acme").text
        == "REFUSED user.required-fields: missing shoe; give FIELD shoe value")
    #expect(!core.run("USER.CREATE ana WORKSPACE acme FIELD shoe 40 NOINVITE").isError)
    #expect(
      core.run("USER.SET ana shoe \"\"").text
        == "REFUSED user.required-fields: acme requires shoe; give it another value")
    // A contact that has it already need not get it again.
    let contact = core.run("CONTACT.CREATE FIRST Bea WORKSPACE acme FIELD shoe 38")["contact"]
    #expect(!core.run("USER.CREATE bea WORKSPACE acme CONTACT #\(contact) NOINVITE").isError)
    core.expectReplicated()
  }

  @Test func definitionsThatCannotBe() {
    #expect(
      core.run("FIELD.DEFINE email text WORKSPACE acme").text
        == "CONFLICT field: email is a built-in field; choose another name")
    #expect(
      core.run("FIELD.DEFINE shoe text WORKSPACE acme").text
        == "CONFLICT field: shoe is of type number; drop it first with FIELD.DROP shoe")
    #expect(
      core.run("FIELD.DEFINE x choice WORKSPACE acme").text
        == "ERR a choice needs CHOICES n word…, and only a choice has them")
    #expect(
      core.run("FIELD.DEFINE x magic WORKSPACE acme").text
        == "ERR no type 'magic'; types are text, number, day, flag, choice")
  }

  @Test func aDroppedFieldIsShownNoLonger() {
    core.run("USER.CREATE ana WORKSPACE acme FIELD shoe 40 NOINVITE")
    #expect(core.run("FIELD.DROP shoe WORKSPACE acme").text == "OK")
    #expect("\(core.run("USER.GET ana")["fields"])" == "{}")
    #expect("\(core.run("FIELD.LIST WORKSPACE acme"))" == "[]")
    // Another field of the name has none of the old values.
    core.run("FIELD.DEFINE shoe text WORKSPACE acme")
    #expect("\(core.run("USER.GET ana")["fields"])" == "{shoe: nil}")
    core.expectReplicated()
  }

  /// A choice keeps the words that people have, whoever they are: users, contacts without a login, deleted logins.
  @Test("L2: a choice is not narrowed while people have its words") func narrowing() {
    let define = "FIELD.DEFINE grade choice WORKSPACE acme"
    core.run("\(define) CHOICES 3 Gold Silver Lead")
    for name in ["ana", "bob"] { core.run("USER.CREATE \(name) WORKSPACE acme FIELD grade gold NOINVITE") }
    let eva = core.run("CONTACT.CREATE FIRST Eva WORKSPACE acme FIELD grade Silver")["contact"]
    let lsn = core.lsn
    #expect(
      core.run("\(define) CHOICES 1 Lead").text
        == "REFUSED field: 3 (bob, ana, contact #\(eva)) have Gold, Silver as grade; keep the words in CHOICES, or give"
        + " these people another value first with USER.BULK or CONTACT.SET")
    #expect(
      core.run("\(define) CHOICES 2 Gold Lead").text?
        .hasPrefix("REFUSED field: 1 (contact #\(eva)) has Silver as grade; ") == true)
    #expect(core.lsn == lsn)
    // A word that nobody has goes, others come, and the spelling is free.
    #expect(core.run("\(define) CHOICES 3 GOLD Silver Tin").text == "OK")
    core.run("CONTACT.SET #\(eva) grade tin")
    core.run("USER.DELETE bob REASON left")
    let holders = core.run("\(define) CHOICES 2 Tin Silver").text ?? ""
    #expect(
      holders.hasPrefix("REFUSED field: 2 (contact #") && holders.contains(", ana) have GOLD as grade"), "\(holders)")
    // Who has left the workspace cannot be given another value, and is not waited for.
    core.run("WORKSPACE.CREATE beta")
    core.run("WORKSPACE.MEMBER beta ana")
    core.run("USER.MOVEHOME ana beta")
    core.run("WORKSPACE.MEMBER acme ana REMOVE")
    let others = core.run("\(define) CHOICES 2 Tin Silver").text ?? ""
    #expect(others.hasPrefix("REFUSED field: 1 (contact #"), "\(others)")
    core.expectReplicated()
  }

  @Test("L2, B9: taking back gives nobody a word that is gone") func noUndoToAWordThatIsGone() {
    core.run("FIELD.DEFINE grade choice WORKSPACE acme CHOICES 2 Gold Lead")
    core.run("USER.CREATE ana WORKSPACE acme FIELD grade gold NOINVITE")
    core.run("USER.BULK SET grade lead IDS 1 ana")
    let lsn = core.lsn
    core.run("FIELD.DEFINE grade choice WORKSPACE acme CHOICES 1 Lead")
    #expect(core.run("UNDO \(lsn)").text?.hasPrefix("REFUSED undo: grade cannot be Gold any more") == true)
  }

  @Test("L24: lists filter and sort by added fields") func lists() {
    for (name, size) in [("ana", 9), ("bea", 40), ("cyd", 38)] {
      core.run("USER.CREATE \(name) WORKSPACE acme FIELD shoe \(size) NOINVITE")
    }
    core.run("USER.CREATE dan NOINVITE")
    let sorted = core.run("USER.LIST WHERE shoe >= 38 SORT shoe FIELDS 2 username shoe")[1]
    #expect("\(sorted)" == "[{username: cyd, shoe: 38}, {username: bea, shoe: 40}]")
    #expect(core.run("USER.COUNT WHERE acme/shoe < 38").integer == 1)
    #expect(core.run("USER.LIST WHERE sock = 1").text?.hasPrefix("ERR no field 'sock'; fields are id, ") == true)
  }

  @Test("W3, W4: each workspace sees and sets its own fields of a shared person") func twoWorkspaces() {
    core.run("WORKSPACE.CREATE beta")
    core.run("FIELD.DEFINE grade text WORKSPACE beta")
    for name in ["acme", "beta"] {
      core.run("PRODUCT.CREATE \(name)/app")
      core.run("USER.CREATE \(name)boss WORKSPACE \(name) PRODUCT \(name)/app NOINVITE")
      core.run("ROLE.GRANT \(name)boss training-administrator WORKSPACE \(name)")
    }
    let acme = core.run("SESSION.CREATE acmeboss acme/app")["session"].text ?? ""
    let beta = core.run("SESSION.CREATE betaboss beta/app")["session"].text ?? ""
    core.run("USER.CREATE shared WORKSPACE acme FIELD shoe 40 NOINVITE")
    core.run("WORKSPACE.MEMBER beta shared")
    #expect("\(core.run("USER.GET shared", as: acme)["fields"])" == "{shoe: 40}")
    #expect("\(core.run("USER.GET shared", as: beta)["fields"])" == "{beta/grade: nil}")
    // The home governs the card; the other workspace governs what it has added itself.
    #expect(core.run("USER.SET shared grade A", as: beta).integer == 1)
    #expect(core.run("USER.SET shared first X", as: beta).text?.hasPrefix("NOPERM ") == true)
    #expect(core.run("USER.SET shared shoe 41", as: beta).text?.hasPrefix("ERR no field 'shoe'") == true)
    #expect(core.run("USER.LIST WHERE shoe = 40", as: beta).text?.hasPrefix("ERR no field 'shoe'") == true)
    #expect("\(core.run("USER.GET shared", as: acme)["fields"])" == "{shoe: 40}")
    #expect(core.run("FIELD.LIST WORKSPACE beta", as: acme).text == "NOTFOUND workspace beta")
  }
}
