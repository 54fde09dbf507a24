import Testing

@testable import GatehouseCore

/// L2: which names the fields of a workspace may have.
@Suite struct FieldNameTests {
  @Test(
    "L2: no field has the name of a column of a file of people, in whatever punctuation",
    arguments: [
      "products", "licences", "roles", "account", "authority", "restrict-bookings", "language", "e-mail", "user.name",
      "employments", "manages", "provisioned",
    ])
  func columns(_ name: String) {
    let core = CoreHarness()
    #expect(
      core.run("FIELD.DEFINE \(name) text").text
        == "CONFLICT field: \(name) is a built-in field; choose another name")
  }

  /// Nobody could be added from a file while it is mandatory, for there the column means something else.
  @Test func aFieldFromBeforeTheColumn() {
    let core = CoreHarness()
    var field = FieldDefinition(id: 1, workspace: mainWorkspace, name: "provisioned", kind: .text)
    field.isMandatory = true
    core.apply(FieldDefined(field, old: nil))
    #expect(core.run("USER.CREATE ana NOINVITE").isError)
    #expect(core.run("FIELD.DEFINE provisioned text").text == "OK", "its definition can be changed")
    #expect(!core.run("USER.CREATE ana NOINVITE").isError)
    #expect(core.run("USER.SET ana provisioned yes").integer == 1)
    #expect(core.run("USER.GET ana")["fields"]["provisioned"].text == "yes")
    core.run("FIELD.DROP provisioned")
    #expect(core.run("FIELD.DEFINE provisioned text").isError, "and there is no new one")
  }

  @Test("L2: two fields differ in more than punctuation") func punctuation() {
    let core = CoreHarness()
    core.run("FIELD.DEFINE shoe-size text")
    #expect(
      core.run("FIELD.DEFINE shoe.size text").text
        == "CONFLICT field: shoe.size differs from shoe-size in punctuation alone; choose another name")
    #expect(core.run("FIELD.DEFINE shoe-size text MANDATORY").text == "OK")
  }

  @Test(
    "L2: no field is named like an option of the commands that set fields",
    arguments: [
      ("reason", "USER.SET"), ("IDEM", "USER.SET"), ("ifversion", "USER.SET"), ("dryrun", "USER.SET"),
      ("ids", "USER.BULK"),
      ("Where", "USER.BULK"),
    ])
  func options(_ name: String, _ command: String) {
    let core = CoreHarness()
    let folded = name.lowercased()
    #expect(
      core.run("FIELD.DEFINE \(name) text").text?.hasPrefix("CONFLICT field: \(folded) is an option of ") == true)
    #expect(
      core.run("FIELD.DEFINE \(name) text").text?.hasSuffix("choose another name, such as \(folded)-text") == true)
  }

  /// One that is named so from before is set beside its workspace.
  @Test func aFieldNamedLikeAnOption() {
    let core = CoreHarness()
    core.directory.state.apply(
      AnyChange.directory(
        FieldDefined(FieldDefinition(id: 1, workspace: mainWorkspace, name: "reason", kind: .text), old: nil)),
      lsn: 1,
      header: RecordHeader(
        time: core.now, service: 0, actor: nil, subject: nil, connection: 0, command: "FIELD.DEFINE", reason: ""))
    core.run("USER.CREATE ana NOINVITE")
    #expect(core.run("USER.SET ana first Ana main/reason late").integer == 2)
    #expect(core.run("USER.GET ana")["fields"]["reason"].text == "late")
    #expect(core.run("FIELD.DEFINE reason text MANDATORY").text == "OK")
  }

  @Test("L2, L23: a flag that is not set is not shown as 0") func unsetFlag() {
    let core = CoreHarness()
    core.run("FIELD.DEFINE member flag")
    core.run("USER.CREATE ana NOINVITE")
    core.run("USER.CREATE bob FIELD member 0 NOINVITE")
    let items = core.run("USER.LIST FIELDS 2 username member SORT username")[1]
    #expect("\(items)" == "[{username: ana, member: nil}, {username: bob, member: 0}]")
  }

  @Test(
    "characters that only control how text is shown are refused",
    arguments: ["\u{81}", "\u{2028}", "\u{2029}"])
  func controls(_ character: String) {
    let core = CoreHarness()
    core.run("USER.CREATE ana NOINVITE")
    #expect(
      core.run(["USER.SET", "ana", "first", "a\(character)b"]).text
        == "ERR first has control characters; leave them out")
  }

  @Test("L22: an account is named as lists show it, also beside its workspace") func accountName() {
    let core = CoreHarness()
    core.run("WORKSPACE.CREATE acme")
    core.run("ACCOUNT.CREATE Widgets CUSTOMER WORKSPACE acme")
    core.run("USER.CREATE ana WORKSPACE acme ACCOUNT acme/Widgets RESTRICT-BOOKINGS NOINVITE")
    #expect(core.run("USER.GET ana")["account"].text == "acme/Widgets")
    #expect(core.run("USER.GET ana")["restrict-bookings"].integer == 1)
    #expect(core.run("USER.CREATE bo WORKSPACE acme ACCOUNT main/Widgets NOINVITE").isError)
  }
}
