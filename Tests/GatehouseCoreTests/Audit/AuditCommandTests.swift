import Testing

@testable import GatehouseCore

/// The decisions of the trail's commands: the work they ask for, and the replies they make of it.
@Suite("Audit commands")
struct AuditCommandTests {
  private let harness = CoreHarness()
  private let ana: UserID

  init() {
    harness.seedProduct("payroll")
    ana = harness.seedUser("ana")
  }

  @Test("the work asked for has the user, the times and the limits")
  func work() throws {
    let answer = harness.run("AUDIT.LIST USER ana FROM 1000 TO 2000 CURSOR 7 COUNT 3")
    #expect(!answer.isError)
    let work = try #require(harness.neededWork.first as? ReadTrail)
    let contact = harness.cells[harness.partitioning.partition(of: ana)].state.people.users[1].contact
    #expect(contact == 1 && harness.neededWork.count == 1)
    #expect(work.keys.contains(RecordKey.of(ana)) && work.keys.count == 2 && work.actors.isEmpty)
    #expect(work.from == 1000 && work.to == 2000 && work.cursor == 7 && work.count == 3)
    harness.run("AUDIT.LIST ACTOR ana")
    let other = try #require(harness.neededWork.first as? ReadTrail)
    #expect(other.keys == [RecordKey.ofActor(ana)] && other.actors == [ana])
  }

  @Test("a reader of some workspaces reads only what can belong to them")
  func workOfLimitedReaders() throws {
    for workspace in ["acme", "beta"] {
      harness.run("WORKSPACE.CREATE \(workspace)")
      harness.run("PRODUCT.CREATE \(workspace)/app")
    }
    harness.run("USER.CREATE ann PRODUCT acme/app")
    harness.run("ROLE.GRANT ann training-administrator WORKSPACE acme")
    let token = try #require(harness.run("SESSION.CREATE ann acme/app")["session"].text)
    #expect(!harness.run("AUDIT.LIST", as: token).isError)
    let work = try #require(harness.neededWork.first as? ReadTrail)
    let directory = harness.directory.state.view
    let acme = try #require(directory.workspaceID("acme"))
    let keys =
      [RecordKey.unplaced, RecordKey.of(.workspace, acme)]
      + directory.products(of: acme).map { RecordKey.of(.product, $0) }
    #expect(work.keys == keys && keys.count == 3)
    #expect(!harness.run("AUDIT.LIST USER ann", as: token).isError)
    #expect((harness.neededWork.first as? ReadTrail)?.keys.allSatisfy(RecordKey.isOfPeople) == true)
  }

  @Test("W4: the trail of one workspace, or of something in it, is found by what the index knows")
  func entities() throws {
    harness.run("WORKSPACE.CREATE acme")
    harness.run("PRODUCT.CREATE acme/app")
    harness.run("ACCOUNT.CREATE Widgets customer WORKSPACE acme")
    harness.run("ROLE.DEFINE clerk WORKSPACE acme user.read")
    harness.run("USER.CREATE boss PRODUCT acme/app NOINVITE")
    harness.run("ROLE.GRANT boss training-administrator WORKSPACE acme")
    let token = try #require(harness.run("SESSION.CREATE boss acme/app")["session"].text)
    let acme = try #require(harness.directory.state.view.workspaceID("acme"))
    let app = harness.directory.state.view.products(of: acme)[0]
    func keys(_ line: String) -> [UInt64]? {
      harness.run("AUDIT.LIST \(line)").isError ? nil : (harness.neededWork.first as? ReadTrail)?.keys
    }
    #expect(
      keys("WORKSPACE acme") == [RecordKey.unplaced, RecordKey.of(.workspace, acme), RecordKey.of(.product, app)])
    #expect(keys("ENTITY workspace acme") == [RecordKey.of(.workspace, acme)])
    #expect(keys("ENTITY product acme/app") == [RecordKey.of(.product, app)])
    #expect(keys("ENTITY account Widgets WORKSPACE acme") == [RecordKey.of(.workspace, acme)])
    #expect(keys("ENTITY user ana")?.contains(RecordKey.of(ana)) == true)
    #expect(
      keys("ENTITY role clerk WORKSPACE acme") == [
        RecordKey.unplaced, RecordKey.of(.workspace, acme), RecordKey.of(.product, app),
      ])
    #expect(
      harness.run("AUDIT.LIST ENTITY planet mars").text
        == "ERR ENTITY is one of user, contact, workspace, product, account, group, role, field, service, entry, session,"
        + " key, link, mail, approval, and a name or #id")
    #expect(harness.run("AUDIT.LIST ENTITY entry seven").text == "ERR ENTITY entry needs an id, such as #12")
    harness.run("WORKSPACE.CREATE beta")
    harness.run("PRODUCT.CREATE beta/app")
    harness.run("ACCOUNT.CREATE Gizmos customer WORKSPACE beta")
    for (line, missing) in [
      ("WORKSPACE beta", "workspace beta"), ("ENTITY workspace beta", "workspace beta"),
      (
        "ENTITY account Gizmos",
        "account Gizmos; it was looked for in main: workspace/account names that of another workspace"
      ), ("ENTITY service web", "service web"),
    ] {
      #expect(harness.run("AUDIT.LIST \(line)", as: token).text == "NOTFOUND \(missing)", "\(line)")
    }
  }

  @Test("what services did is for those who may read everything")
  func services() throws {
    harness.run("SERVICE.CREATE desk ADMIN")
    harness.run("WORKSPACE.CREATE acme")
    harness.run("PRODUCT.CREATE acme/app")
    harness.run("USER.CREATE ann PRODUCT acme/app")
    harness.run("ROLE.GRANT ann training-administrator WORKSPACE acme")
    let token = try #require(harness.run("SESSION.CREATE ann acme/app")["session"].text)
    #expect(harness.run("AUDIT.LIST SERVICE desk", as: token).text == "NOTFOUND service desk")
    #expect(harness.run("AUDIT.LIST SERVICE nobody").text == "NOTFOUND service nobody")
    #expect(!harness.run("AUDIT.LIST SERVICE desk COMMAND user.set").isError)
    #expect(!harness.run("AUDIT.LIST SERVICE local", as: token).isError)
  }

  @Test("changes name accounts, groups, roles and ids, wherever they stand in them")
  func named() {
    let grant = Grant(role: Role(number: 16), scope: .account(5, of: 2), isMain: false)
    let changes: [(any Change, [NamedEntity])] = [
      (RoleGranted(UserID(raw: 7), grant), [.role(Role(number: 16)), .account(5), .numbered("user", 7)]),
      (EmploymentSet(ContactID(raw: 3), old: nil, new: Employment(5, of: 2)), [.account(5), .numbered("contact", 3)]),
      (ManagementAdded(UserID(raw: 7), ManagementLink(.group(5), in: 2)), [.group(5), .numbered("user", 7)]),
    ]
    let all: [NamedEntity] = [
      .role(Role(number: 16)), .account(5), .group(5), .account(6), .field(5), .numbered("user", 7),
      .numbered("contact", 3), .numbered("entry", 7),
    ]
    for (change, names) in changes {
      #expect(all.filter { change.carried.names($0) } == all.filter(names.contains))
    }
  }

  @Test("a record that names a person but no workspace has the key of such records")
  func unplaced() {
    func keys(_ changes: [any Change]) -> [UInt64] {
      let header = RecordHeader(
        time: 1, service: 0, actor: nil, subject: nil, connection: 0, command: "X", reason: "")
      return RecordPart(header: header, changes: changes.map(\.carried)).keys
    }
    let (user, session) = (UserID(raw: 1), SessionID(raw: 1))
    #expect(keys([StatusSet(user, old: .active, new: .inactive)]).contains(RecordKey.unplaced))
    let ended = SessionEnded(session, user, .revoked, actorSession: nil, product: 3, workspace: 2)
    #expect(!keys([ended]).contains(RecordKey.unplaced))
    #expect(keys([ended, StatusSet(user, old: .active, new: .inactive)]).contains(RecordKey.unplaced))
    #expect(!keys([SessionSeen(session, user, 1), SnapshotTaken(1)]).contains(RecordKey.unplaced))
  }

  @Test("an unknown user is refused before anything is read")
  func unknown() {
    #expect(harness.run("AUDIT.LIST USER nobody").text == "NOTFOUND user nobody")
    #expect(harness.neededWork.isEmpty)
  }

  @Test("a walk along the chain begins where the command says, and the reply is its report")
  func verify() {
    for number in 1...5 { harness.run("PRODUCT.CREATE product\(number)") }
    let answer = harness.run("AUDIT.VERIFY FROM 5")
    #expect(harness.neededWork.first as? VerifyTrail == VerifyTrail(from: 5))
    harness.run("AUDIT.VERIFY AGAINST 7 00112233445566778899AABBCCDDEEFF")
    let head = TrailHead(lsn: 7, hash: "00112233445566778899aabbccddeeff")
    #expect(harness.neededWork.first as? VerifyTrail == VerifyTrail(from: 1, against: head))
    #expect(answer["ok"] == .integer(1) && answer["from"] == .integer(5) && answer["problem"] == .null)
    #expect(
      harness.run("AUDIT.VERIFY FROM 99").text
        == "ERR FROM 99: there is no such record yet; AUDIT.HEAD names the newest")
  }
}
