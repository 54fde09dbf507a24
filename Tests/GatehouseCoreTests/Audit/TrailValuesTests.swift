import GatehouseTestSupport
import Testing

@testable import GatehouseCore

/// L19, B3, B5: what the trail says of what was, of whom it was, and by whom it was done.
@Suite("Values in the trail") struct TrailValuesTests {
  private let core = CoreHarness()

  /// The changes of the last record as the trail shows them.
  private var last: [String] {
    core.records.last?.parts.flatMap { $0.changeTexts(in: core.directory.state.view) }.map(\.description) ?? []
  }

  private func newest(_ line: String) -> Answer { core.run(line)[1][0] }

  @Test("L19: what is deleted stays in the record of the deletion, as old values") func deletions() throws {
    core.run("WORKSPACE.CREATE acme")
    core.run("FIELD.DEFINE colour choice CHOICES 2 red blue MANDATORY WORKSPACE acme")
    let contact = core.run("CONTACT.CREATE FIRST Ana EMAIL ana@acme.test WORKSPACE acme FIELD colour red")["contact"]
    core.run("CONTACT.DELETE #\(contact)")
    #expect(
      last == [
        "field-set contact #\(contact), field: colour, workspace: acme, value: red → ",
        "contact-deleted contact #\(contact), first: Ana → , email: ana@acme.test → , workspace: acme → ",
      ])
    core.run("FIELD.DROP colour WORKSPACE acme")
    #expect(
      last == ["field-dropped field colour, workspace: acme → , type: choice → , choices: red blue → , mandatory: 1 → "]
    )
    core.run("ACCOUNT.CREATE Widgets customer WORKSPACE acme")
    core.run("GROUP.CREATE Europe EXTERNAL g-7 WORKSPACE acme")
    core.run("GROUP.ADD acme/Europe acme/Widgets")
    #expect(core.run("GROUP.DELETE acme/Europe").text == "OK")
    #expect(
      last == ["group-deleted group acme/Europe, workspace: acme → , external-id: g-7 → , accounts: acme/Widgets → "])
    core.run("ACCOUNT.DELETE acme/Widgets")
    #expect(last == ["account-deleted account acme/Widgets, workspace: acme → , type: customer → "])
    core.run("ROLE.DEFINE clerk user.read user.status WORKSPACE acme")
    core.run("ROLE.DROP clerk WORKSPACE acme")
    #expect(last.count == 1 && last[0].hasSuffix("workspace: acme → , permissions: user.status user.read → "))
    core.seedUser("ana")
    let entry = core.run("ENTRY.ADD ana START 2026-03-01T06:00:00Z END 2026-03-01T07:00:00Z PROJECT site")["entry"]
    core.run("ENTRY.DELETE \(entry)")
    #expect(
      last.first?.hasSuffix(
        "start: 2026-03-01T06:00:00.000Z → , end: 2026-03-01T07:00:00.000Z → , project: site → ") == true)
    core.run("SERVICE.CREATE root ADMIN")
    core.connection.service = 1
    core.run("SERVICE.CREATE crew READ WORKSPACE acme")
    core.run("SERVICE.DELETE crew")
    #expect(last == ["service-deleted service crew, rights: READ → , workspaces: acme → "])
    core.expectReplicated()
    try core.restart()
  }

  @Test("L19: a role that goes says until when it was, and that it was the main one") func revokedRole() {
    core.seedUser("ana")
    core.run("ROLE.GRANT ana manager UNTIL 2026-05-01T00:00:00Z")
    core.run("ROLE.REVOKE ana manager")
    #expect(
      last == ["role-revoked user #\(user("ana")), role: manager → , main: 1 → , until: 2026-05-01T00:00:00.000Z → "])
  }

  @Test("L8, L19: where the main employment moves, the trail says of both what they were") func movedEmployment() throws
  {
    core.seedUser("ana")
    for name in ["One", "Two"] { core.run("ACCOUNT.CREATE \(name) customer") }
    core.run("EMPLOY.ADD ana One")
    let contact = core.run("USER.GET ana")["contact"]
    core.run("EMPLOY.ADD ana Two MAIN")
    #expect(
      last == [
        "employment-set contact #\(contact), account: One, main: 1 → 0",
        "employment-set contact #\(contact), account: Two, main: 1",
      ])
    core.run("EMPLOY.SET ana One MAIN FROM 2026-01-01")
    #expect(
      last == [
        "employment-set contact #\(contact), account: Two, main: 1 → 0",
        "employment-set contact #\(contact), account: One, from: 2026-01-01, main: 0 → 1",
      ])
    core.run("EMPLOY.END ana One")
    #expect(
      last == [
        "employment-set contact #\(contact), account: One, to: 2026-02-28",
        "employment-set contact #\(contact), account: One, main: 1 → 0",
        "employment-set contact #\(contact), account: Two, main: 0 → 1",
      ])
    core.expectReplicated()
    try core.restart()
  }

  @Test("L11, L19: copied access says which role is the main one no more") func copiedAccess() {
    core.seedUser("ana")
    core.seedUser("ben")
    core.run("ROLE.GRANT ana manager")
    core.run("ROLE.GRANT ben individual")
    core.run("USER.COPYACCESS ana ben")
    #expect(
      last == [
        "role-granted user #\(user("ben")), role: individual, main: 1 → 0",
        "role-granted user #\(user("ben")), role: manager, main: 1",
      ])
  }

  @Test("B3: names stand beside the ids of everybody in a change", arguments: ChangeSamples.all.map(\.name))
  func everybodyIsNamed(_ name: String) throws {
    var change = try #require(ChangeSamples.all.first { $0.name == name }).change
    var finder = PeopleFinder()
    change.visit(&finder)
    let (users, contacts) = AuditReach.people(of: [change.carried], withNamed: true)
    let shown = ChangeText(change.carried).fields.flatMap { [$0.old, $0.new] }.compactMap(\.self)
    for id in finder.users where shown.contains(where: { $0.contains("#\(id.raw)") }) { #expect(users.contains(id)) }
    for id in finder.contacts where shown.contains("#\(id.raw)") { #expect(contacts.contains(id)) }
  }

  @Test("B3: owners are named in both values, and find the record in their trail") func owners() throws {
    let (ana, ben) = (core.seedUser("ana"), core.seedUser("ben"))
    core.run("WORKSPACE.SET main owner ana")
    core.run("WORKSPACE.TRANSFER main ben")
    let event = newest("AUDIT.LIST ENTITY workspace main")
    #expect(event["changes"][0]["fields"][0]["old"].text == "#\(ana.raw)")
    #expect(event["names"]["user #\(ana.raw)"].text == "ana" && event["names"]["user #\(ben.raw)"].text == "ben")
    for name in ["ana", "ben"] {
      #expect(newest("AUDIT.LIST USER \(name)")["command"].text == "WORKSPACE.TRANSFER", "\(name)")
    }
  }

  @Test("W4: a second workspace is told of the member whom a user's creation gives it") func joining() throws {
    core.run("WORKSPACE.CREATE acme")
    core.run("PRODUCT.CREATE crm")
    core.run("PRODUCT.CREATE acme/app")
    core.run("USER.CREATE ana PRODUCT crm PRODUCT acme/app NOINVITE")
    let changes = newest("AUDIT.LIST WORKSPACE acme")["changes"].items
    #expect(changes.map { $0["change"].text } == ["workspace-joined", "access-set"])
    #expect(core.run("USER.GET ana")["workspaces"].items.map(\.text) == ["main", "acme"])
    core.expectReplicated()
    try core.restart()
  }

  @Test("B9: an undo renames nobody; a name that was another's meanwhile is got back") func regained() throws {
    let ria = core.seedUser("ria")
    #expect(core.run("USER.DELETE ria REASON left").text == "OK")
    #expect(!core.run("UNDO \(core.lsn)").isError)
    #expect(!last.contains { $0.hasPrefix("user-renamed") || $0.hasPrefix("username-regained") })
    core.run("USER.DELETE ria REASON left")
    let deletion = core.lsn
    core.run("USER.CREATE ria NOINVITE")
    core.run("USER.RENAME ria mia")
    #expect(core.run("USER.GET ria")["status"].text == "deleted")
    // A folder of an earlier version did not keep whom the name led to before.
    let key = NameKey("ria", core.partitioning)
    for cells in [core.cells, core.replica] { cells[key.partition].state.leave("ria", key, by: ria) }
    #expect(core.run("USER.GET ria").isError)
    #expect(!core.run("UNDO \(deletion)").isError)
    #expect(last.contains("username-regained user #\(user("ria")), username: ria"))
    #expect(core.run("USER.GET ria")["status"].text == "active")
    #expect(core.run("USER.GET mia")["status"].text == "active")
    core.expectReplicated()
    try core.restart()
    #expect(core.run("USER.GET ria")["status"].text == "active")
  }

  @Test("T2, T8: a password is shared data, and its record names the products touched") func password() {
    core.seedProduct("payroll")
    core.seedProduct("crm")
    core.run("USER.CREATE ana PRODUCT payroll PRODUCT crm NOINVITE")
    core.run("PASSWORD.SET ana \"lange worte 44 zeilen\"")
    #expect(last.contains("noted user #\(user("ana")), products-touched: payroll crm"))
  }

  @Test("a connection without a service is called local in the trail too, and the server itself is not") func local() {
    core.run("WORKSPACE.CREATE acme")
    #expect(newest("AUDIT.LIST WORKSPACE acme")["service"].text == "local")
    core.connection.id = 0
    core.run("WORKSPACE.SET acme plan enterprise")
    #expect(newest("AUDIT.LIST WORKSPACE acme")["service"].isNull)
  }

  private func user(_ name: String) -> String { core.run("USER.GET \(name)")["id"].description }
}

/// All ids of people in a change.
private struct PeopleFinder: FieldVisitor {
  typealias Failure = Never

  var users: [UserID] = []
  var contacts: [ContactID] = []

  mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    if let id = value as? UserID { users.append(id) }
    if let id = value as? ContactID { contacts.append(id) }
    users += value as? [UserID] ?? []
    contacts += value as? [ContactID] ?? []
    if let link = value as? ManagementLink, case .user(let id) = link.target { users.append(id) }
    if let impersonation = value as? Impersonation { users.append(impersonation.actor) }
  }

  mutating func later() {}
}
