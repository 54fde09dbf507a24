import Testing

@testable import GatehouseCore

@Suite struct ChangeTextTests {
  @Test func changesReadAsSentences() {
    let core = CoreHarness(partitions: 1)
    let office = core.seedProduct("office")
    let crm = core.seedProduct("crm", workspace: core.seedWorkspace("acme"))
    core.apply(PoolSet(office, type: "guest", old: nil, new: 5))
    let view = core.directory.state.view
    func text(_ change: some Change) -> String { change.text(in: view).description }
    let ana = UserID(raw: 12)
    #expect(text(StatusSet(ana, old: .active, new: .locked)) == "status-set user #12, status: active → locked")
    #expect(
      text(ContactSet(ContactID(raw: 3), .email, old: "", new: "a@b.test"))
        == "contact-set contact #3, email:  → a@b.test")
    let old = ProductAccess(product: office, isEnabled: true)
    let new = ProductAccess(product: office, isEnabled: true, isAdministrator: true, licence: 1)
    #expect(
      text(AccessSet(ana, old: old, new: new))
        == "access-set user #12, product: office, permission: regular → administrator, licence:  → guest")
    #expect(
      text(AccessSet(ana, old: nil, new: ProductAccess(product: crm, isEnabled: true)))
        == "access-set user #12, product: acme/crm, access: enabled, permission: regular, licence: ")
    #expect(
      text(RoleGranted(ana, Grant(role: .manager, scope: .product(crm), isMain: true)))
        == "role-granted user #12, role: manager in product acme/crm, main: 1")
    let manager = Grant(role: .manager, scope: .product(crm), isMain: false)
    var main = manager
    main.isMain = true
    #expect(
      text(RoleGranted(ana, main, held: manager))
        == "role-granted user #12, role: manager in product acme/crm, main: 0 → 1")
    #expect(
      text(RoleGranted(ana, manager, held: main))
        == "role-granted user #12, role: manager in product acme/crm, main: 1 → 0")
    #expect(
      text(PoolSet(office, type: "guest", old: 5, new: 7)) == "pool-set product office, type: guest, bought: 5 → 7")
    let content = EntryContent(start: 0, end: 1000, project: "x", note: "")
    var corrected = content
    corrected.end = 2000
    #expect(
      text(EntryCorrected(EntryID(raw: 4), ana, old: content, new: corrected))
        == "entry-corrected entry #4, user: #12, end: 1970-01-01T00:00:01.000Z → 1970-01-01T00:00:02.000Z")
    #expect(
      AccessSet(ana, old: nil, new: new).text(in: nil).description
        == "access-set user #12, product: 1, access: enabled, permission: administrator, licence: 1")
  }

  @Test func secretsHaveNoText() {
    let core = CoreHarness(partitions: 1)
    let token = Digest(0x1111, 0x2222, 0x3333, 0x4444)
    let opened = SessionOpened(
      session: SessionID(raw: 1), user: UserID(raw: 2), token: token, product: 0, workspace: 1, expires: 0,
      idleSeconds: 5,
      impersonation: Impersonation(
        actor: UserID(raw: 3), actorName: "tom", actorSession: SessionID(raw: 9), reason: "look"), opener: .gatehouse)
    let texts =
      ([
        opened, ServiceCreated(1, name: "web", .all, secret: token),
        AnswerKept(partition: 0, key: token, arguments: token, reply: Reply(), until: 0),
        MailQueued(
          Mail(
            id: MailID(raw: 1), user: UserID(raw: 2), kind: .invitation, to: "a@b.test", of: 1, created: 1,
            message: "hidden", secret: "hidden")),
      ] as [any Change]).map { $0.text(in: core.directory.state.view).description }
    for text in texts {
      for part in ["1111", "2222", "3333", "4444", "4369", "hidden"] { #expect(!text.contains(part), "\(text)") }
    }
    #expect(texts[0].contains("reason: look"))
    #expect(texts[1] == "service-created service web, id: 1, rights: READ SESSIONS TIMERS ADMIN MAIL")
  }
}
