import Testing

@testable import GatehouseCore

@Suite struct RecordTextTests {
  @Test func changesReadAsSentences() {
    let core = CoreHarness(partitions: 1)
    let office = core.seedProduct("office")
    let crm = core.seedProduct("crm", workspace: core.seedWorkspace("acme"))
    core.apply(.poolSet(office, type: "guest", old: nil, new: 5))
    let view = core.directory.state.view
    func text(_ change: Change) -> String { ChangeText(change, in: view).description }
    let ana = UserID(raw: 12)
    #expect(text(.statusSet(ana, old: .active, new: .locked)) == "status-set user #12, status: active → locked")
    #expect(
      text(.contactSet(ContactID(raw: 3), .email, old: "", new: "a@b.test"))
        == "contact-set contact #3, email:  → a@b.test")
    let old = ProductAccess(product: office, isEnabled: true)
    let new = ProductAccess(product: office, isEnabled: true, isAdministrator: true, licence: 1)
    #expect(
      text(.accessSet(ana, old: old, new: new))
        == "access-set user #12, product: office, permission: regular → administrator, licence:  → guest")
    #expect(
      text(.accessSet(ana, old: nil, new: ProductAccess(product: crm, isEnabled: true)))
        == "access-set user #12, product: acme/crm, access: enabled, permission: regular, licence: ")
    #expect(
      text(.roleGranted(ana, Grant(role: .manager, scope: .product(crm), isMain: true)))
        == "role-granted user #12, role: manager in product acme/crm, main: 1")
    #expect(
      text(.poolSet(office, type: "guest", old: 5, new: 7)) == "pool-set product office, type: guest, bought: 5 → 7")
    let content = EntryContent(start: 0, end: 1000, project: "x", note: "")
    var corrected = content
    corrected.end = 2000
    #expect(
      text(.entryCorrected(EntryID(raw: 4), ana, old: content, new: corrected))
        == "entry-corrected entry #4, user: #12, end: 1970-01-01T00:00:01.000Z → 1970-01-01T00:00:02.000Z")
    #expect(
      ChangeText(.accessSet(ana, old: nil, new: new)).description
        == "access-set user #12, product: 1, access: enabled, permission: administrator, licence: 1")
  }

  @Test func secretsHaveNoText() {
    let core = CoreHarness(partitions: 1)
    let token = Digest(0x1111, 0x2222, 0x3333, 0x4444)
    let opened = SessionOpened(
      session: SessionID(raw: 1), user: UserID(raw: 2), token: token, product: 0, workspace: 1, expires: 0,
      idleSeconds: 5,
      impersonation: Impersonation(
        actor: UserID(raw: 3), actorName: "tom", actorSession: SessionID(raw: 9), reason: "look"))
    let texts = [
      Change.sessionOpened(opened), .serviceCreated(1, name: "web", .all, secret: token),
      .answerKept(KeptAnswer(partition: 0, key: token, arguments: token, reply: Reply())),
      .mailQueued(
        Mail(id: MailID(raw: 1), user: UserID(raw: 2), kind: .invitation, recipient: "a@b.test", message: "hidden")),
    ].map { ChangeText($0, in: core.directory.state.view).description }
    for text in texts {
      for part in ["1111", "2222", "3333", "4444", "4369", "hidden"] { #expect(!text.contains(part), "\(text)") }
    }
    #expect(texts[0].contains("reason: look"))
    #expect(texts[1] == "service-created service web, id: 1, rights: READ SESSIONS TIMERS ADMIN")
  }
}
