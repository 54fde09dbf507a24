import Foundation
import GatehouseCore
import GatehouseStorage
import GatehouseTestSupport
import GatehouseWire
import Testing

/// L6: who is anonymised is gone from every file, and what was written can still be proved.
@Suite("Forgetting", .blocking)
struct ForgettingTests {
  private let server: TestServer
  private let gate: Client

  /// What says who Eva is. Each is told by another command.
  private static let secrets = [
    "eva.lind", "eva.moon", "Evangelina", "Lindqvist", "eva@acme.example", "+46-555-0199", "vermilion", "EVLQ",
    "R-77431", "203.0.113.77", "netscape-navigator", "203.0.113.78", "mosaic", "welcome-dear-eva",
    "eva@private.example",
  ]

  init() throws {
    server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    try gate.ok("FIELD.DEFINE colour text")
    try gate.ok("USER.CREATE otto FIRST Ottokar EMAIL otto@acme.example PRODUCT payroll NOINVITE")
  }

  /// - Returns: her id.
  private func createEva() throws -> String {
    let user = try gate.fields(
      "USER.CREATE eva.lind FIRST Evangelina LAST Lindqvist EMAIL eva@acme.example PHONE +46-555-0199 INITIALS EVLQ "
        + "REFERENCE R-77431 FIELD colour vermilion PRODUCT payroll MESSAGE welcome-dear-eva IDEM create-eva")
    let login = try gate.fields("SESSION.CREATE eva.lind payroll IP 203.0.113.77 AGENT netscape-navigator")
    try gate.ok("TIMER.START eva.lind NOTE sweeping")
    try gate.ok("TIMER.STOP eva.lind")
    try gate.ok("USER.SET eva.lind email eva@private.example")
    try gate.ok("USER.RENAME eva.lind eva.moon")
    // The record of an impersonation has the name of its actor.
    try gate.ok("ROLE.GRANT eva.moon training-administrator")
    try gate.ok("IMPERSONATE.START \(try #require(login["session"])) otto REASON asked IP 203.0.113.78 AGENT mosaic")
    try gate.ok("ROLE.REVOKE eva.moon training-administrator")
    return try #require(user["id"])
  }

  /// Everything that the folder's files hold: their bytes, the records and the snapshots in them.
  private func contents() throws -> [(name: String, bytes: ContiguousArray<UInt8>)] {
    let folder = try DataFolder.look(at: server.dataPath)
    let disk = PosixDisk()
    var contents: [(String, ContiguousArray<UInt8>)] = []
    for part in ["", "log", "snapshots", "archive"] {
      let path = server.dataPath + "/" + part
      for name in try disk.names(in: path) {
        guard let bytes = try? disk.readFile(path + "/" + name, limit: 1 << 30) else { continue }
        contents.append(("\(part)/\(name)", ContiguousArray(bytes)))
      }
    }
    let history = History(folder, keys: RecordIndex.keys(of: folder))
    let last = try history.lastLSN()
    try history.forEach(History.Query(1...last)) { lsn, bytes in
      contents.append(("record \(lsn)", ContiguousArray(bytes)))
      return true
    }
    let catalog = SnapshotCatalog(folder)
    for entry in try catalog.entries() {
      let reader = try catalog.open(entry)
      defer { reader.close() }
      for section in reader.sections {
        contents.append(("snapshot \(entry.lsn), section \(section.owner)", try reader.read(section)))
      }
    }
    return contents
  }

  /// The secrets that stand somewhere, and where.
  private func found(_ contents: [(name: String, bytes: ContiguousArray<UInt8>)]) -> [String] {
    Self.secrets.flatMap { secret in contents.filter { $0.bytes.holds(secret) }.map { "\(secret) in \($0.name)" } }
  }

  private func hasKey(_ id: String) throws -> Bool {
    let raw = try #require(UInt64(id))
    return try #require(try DataFolder.look(at: server.dataPath).keys).isDestroyed(.user(UserID(raw: raw))) == false
  }

  private func waitUntilForgotten(_ id: String) throws {
    for _ in 0..<600 where try hasKey(id) { usleep(50_000) }
    #expect(try !hasKey(id))
    let client = try server.client()
    for _ in 0..<600 {
      if try #require(try client.text("INFO snapshot")).contains("keys_to_destroy:0") { return }
      usleep(50_000)
    }
    Issue.record("keys are pending still")
  }

  private func expectProvable(_ client: Client, _ head: Fields) throws {
    let report = try client.fields(
      "AUDIT.VERIFY AGAINST \(try #require(head["lsn"])) \(try #require(head["hash"]))")
    #expect(report["problem"] == nil, "\(report)")
    let folder = try DataFolder.look(at: server.dataPath)
    let bytes = try Verification.run(folder)
    #expect(bytes.problems.isEmpty, "\(bytes.problems)")
    let state = try StateVerification.run(folder, after: bytes)
    #expect(state.problems.isEmpty, "\(state.problems)")
  }

  @Test("L6: after a compaction no file says who it was, and the chain is whole")
  func everywhere() throws {
    let id = try createEva()
    try gate.ok("SAVE")
    #expect(found(try contents()).contains { $0.contains("snapshot") }, "the search finds nothing at all")
    #expect(!found(try contents()).contains { $0.contains("record") }, "the log is not sealed")
    let head = try gate.fields("AUDIT.HEAD")
    let answer = try gate.fields("USER.ANONYMISE eva.moon")
    #expect(answer["username"] == "anonymous-\(id)")
    let backups = answer.texts("backups")
    #expect(backups.count == 3 && backups[0].hasPrefix("copies of the data folder from before 2"), "\(backups)")
    #expect(backups[0].contains("gatehousectl inspect COPY --since ") && backups[1].contains("keys.copy"))
    try gate.ok("COMPACT")
    #expect(try !hasKey(id))
    #expect(found(try contents()) == [])
    try expectProvable(gate, head)
    // What is left: that there was somebody, and what they did.
    let trail = try gate.pages("AUDIT.LIST USER #\(id)").flatMap(\.changes).joined(separator: "\n")
    #expect(Self.secrets.allSatisfy { !trail.contains($0) })
    #expect(trail.contains("contact-set") && trail.contains("(anonymised)") && trail.contains("keys-destroyed"))
    #expect(try gate.pages("ENTRY.LIST #\(id)").map { $0["note"] } == ["sweeping"])
    // Otto is as he was, also after a restart from the snapshots and from the log alone.
    for _ in 0..<2 {
      server.kill()
      try server.start()
      let again = try server.client()
      #expect(try again.fields("USER.GET otto")["first"] == "Ottokar")
      #expect(try again.fields("USER.GET #\(id)")["username"] == "anonymous-\(id)")
      #expect(found(try contents()) == [])
      try expectProvable(again, head)
    }
  }

  @Test("L6: what is said of others beside somebody who was forgotten stands sealed in the log, too")
  func besidesTheForgotten() throws {
    let id = try createEva()
    try gate.ok("WORKSPACE.SET main policy.manager.notices status")
    try gate.ok("USER.CREATE mona EMAIL mona@acme.example NOINVITE")
    try gate.ok("MANAGE.ADD mona USER eva.moon")
    try gate.ok("USER.ANONYMISE eva.moon")
    try waitUntilForgotten(id)
    // Mona is told of it, by a mail about somebody whose key is gone.
    try gate.ok("USER.STATUS #\(id) active")
    #expect(try gate.pages("MAIL.LIST").contains { $0["to"] == "mona@acme.example" })
    let records = try contents().filter { $0.name.hasPrefix("record ") }
    #expect(records.count > 10 && !records.contains { $0.bytes.holds("mona@acme.example") })
    server.kill()
    try server.start()
    #expect(try server.client().pages("MAIL.LIST").contains { $0["to"] == "mona@acme.example" })
  }

  @Test(
    "the key of a webhook that is deleted goes with it; what came before, a snapshot too, is read again without it",
    arguments: [false, true])
  func webhooks(isSaved: Bool) throws {
    for name in ["crm", "erp"] {
      try gate.ok("WEBHOOK.CREATE \(name) https://\(name).acme.example/hook FROM 1")
      try gate.ok("WEBHOOK.PAUSE \(name)")
    }
    if isSaved { try gate.ok("SAVE") }
    try gate.ok("WEBHOOK.SET crm URL https://crm.acme.example/other")
    try gate.ok("WEBHOOK.ROTATE crm OVERLAP 1h")
    try gate.ok("WEBHOOK.RETRY crm")
    let before = try gate.fields("WEBHOOK.GET erp")
    try gate.ok("WEBHOOK.DELETE crm")
    func hasKey(_ number: UInt32) throws -> Bool {
      try #require(try DataFolder.look(at: server.dataPath).keys).isDestroyed(.webhook(number)) == false
    }
    for _ in 0..<600 where try hasKey(1) { usleep(50_000) }
    #expect(try !hasKey(1) && hasKey(2))
    server.kill()
    try server.start()
    let client = try server.client()
    #expect(try client.list("WEBHOOK.LIST").map { $0["name"] } == ["erp"])
    #expect(try client.fields("WEBHOOK.GET erp")["url"] == before["url"])
    #expect(try client.fields("WEBHOOK.CREATE new https://new.acme.example/")["id"] == "3")
    let trail = try client.pages("AUDIT.LIST").flatMap(\.changes).joined(separator: "\n")
    #expect(!trail.contains("crm.acme.example") && trail.contains("erp.acme.example"))
  }

  /// Where a crash may come between the steps of forgetting.
  enum Crash: CaseIterable {
    case afterTheRecord, afterOneCopy, afterTheKeys, afterAll
  }

  @Test("a kill at each step of anonymising is finished at the next start", arguments: Crash.allCases)
  func killed(_ crash: Crash) throws {
    let id = try createEva()
    try gate.ok("SAVE")
    let head = try gate.fields("AUDIT.HEAD")
    let disk = PosixDisk()
    let before = try disk.readFile(server.dataPath + "/keys")
    try gate.ok("USER.ANONYMISE eva.moon")
    if crash == .afterAll { try waitUntilForgotten(id) }
    server.kill()
    switch crash {
    case .afterTheRecord:
      // The keys as they were, should the server have been faster than the kill.
      for name in ["keys", "keys.copy"] { try disk.replaceFile(server.dataPath + "/" + name, with: before) }
      #expect(try hasKey(id))
    case .afterOneCopy:
      try destroy(id)
      try disk.replaceFile(server.dataPath + "/keys", with: before)
    case .afterTheKeys: try destroy(id)
    case .afterAll: #expect(try !hasKey(id))
    }
    try server.start()
    let again = try server.client()
    #expect(try again.fields("USER.GET #\(id)")["username"] == "anonymous-\(id)")
    try waitUntilForgotten(id)
    try again.ok("COMPACT")
    #expect(found(try contents()) == [])
    try again.refused("USER.GET eva.lind", with: "NOTFOUND user eva.lind")
    try gateIsFree(again)
    try expectProvable(again, head)
  }

  private func destroy(_ id: String) throws {
    let folder = try DataFolder.open(server.dataPath)
    defer { folder.close() }
    try #require(folder.keys).destroy([.user(UserID(raw: try #require(UInt64(id))))])
  }

  /// The names that she had can be given to others.
  private func gateIsFree(_ client: Client) throws {
    for name in ["eva.lind", "eva.moon"] {
      try client.ok("USER.CREATE \(name) NOINVITE")
      #expect(try client.fields("USER.GET \(name)")["username"] == name)
    }
  }

  @Test("an older copy of the key store does not bring anybody back") func olderStore() throws {
    let id = try createEva()
    let disk = PosixDisk()
    let before = try disk.readFile(server.dataPath + "/keys")
    try gate.ok("USER.ANONYMISE eva.moon")
    try gate.ok("COMPACT")
    server.kill()
    for name in ["keys", "keys.copy"] { try disk.replaceFile(server.dataPath + "/" + name, with: before) }
    #expect(try hasKey(id))
    try server.start()
    try waitUntilForgotten(id)
  }

  @Test("a backup has the keys of its time, and a restored folder forgets whom it should") func backups() throws {
    let id = try createEva()
    try gate.ok("SAVE")
    let early = server.folder.path("early")
    _ = try Backup.copy(from: server.dataPath, to: early)
    try gate.ok("USER.ANONYMISE eva.moon")
    try gate.ok("COMPACT")
    let late = server.folder.path("late")
    _ = try Backup.copy(from: server.dataPath, to: late)
    let raw = UserID(raw: try #require(UInt64(id)))
    #expect(try !#require(try DataFolder.look(at: early).keys).isDestroyed(.user(raw)))
    #expect(try #require(try DataFolder.look(at: late).keys).isDestroyed(.user(raw)))
    #expect(try Restoration.look(at: DataFolder.look(at: early)).name(of: raw) == "eva.moon")
    #expect(try Restoration.look(at: DataFolder.look(at: late)).name(of: raw) == "anonymous-\(id)")
    // As of before she was anonymised, from a folder without her keys: she stays forgotten.
    let restored = server.folder.path("restored")
    let created = try #require(try gate.pages("AUDIT.LIST USER #\(id)").last?["lsn"].flatMap { UInt64($0) })
    _ = try Restore.run(from: late, to: restored, until: .lsn(created), keys: RecordIndex.times)
    #expect(try Restoration.look(at: DataFolder.look(at: restored)).name(of: raw) == "anonymous-\(id)")
  }

  @Test(
    "restored as of before somebody who was forgotten since: whoever gets the id is there to stay",
    arguments: ["USER.ANONYMISE eva.moon", "USER.PURGE eva.moon"])
  func idsAgain(_ forget: String) throws {
    let before = try #require(try gate.fields("AUDIT.HEAD")["lsn"].flatMap { UInt64($0) })
    let id = try #require(try gate.fields("USER.CREATE eva.moon FIRST Evangelina NOINVITE")["id"])
    if forget.hasPrefix("USER.PURGE") { try gate.ok("USER.DELETE eva.moon REASON x") }
    try gate.ok(forget)
    try waitUntilForgotten(id)
    server.kill()
    let restored = server.folder.path("restored")
    _ = try Restore.run(from: server.dataPath, to: restored, until: .lsn(before), keys: RecordIndex.times)
    let disk = PosixDisk()
    try disk.rename(server.dataPath, to: server.folder.path("old"))
    try disk.rename(restored, to: server.dataPath)
    try server.start()
    let again = try server.client()
    let person = try again.fields("USER.CREATE eva.moon FIRST Thirza PRODUCT payroll NOINVITE")
    #expect(person["id"] == id, "another id was given out, so this shows nothing")
    #expect(try hasKey(id))
    for _ in 0..<2 {
      try server.client().ok("SAVE")
      server.kill()
      try server.start()
      #expect(try server.client().fields("USER.GET eva.moon")["first"] == "Thirza")
    }
    let log = try contents().filter { $0.name.hasPrefix("record") }
    #expect(!log.contains { $0.bytes.holds("Thirza") }, "what is said of them is not sealed")
    let folder = try DataFolder.look(at: server.dataPath)
    #expect(try StateVerification.run(folder, after: Verification.run(folder)).problems.isEmpty)
    // And can be forgotten like everybody.
    let last = try server.client()
    try last.ok("USER.ANONYMISE eva.moon")
    try waitUntilForgotten(id)
  }

  @Test("the slow log does not name who was forgotten") func slowLog() throws {
    try gate.ok("CONFIG SET slowlog-threshold 0")
    let id = try createEva()
    try gate.ok("LOGIN.CHECK eva.moon nothing")
    // And by a name that she gave up.
    try gate.ok("LOGIN.CHECK eva.lind nothing")
    #expect(try Self.secrets.contains { try gate.shown("SLOWLOG GET -1").contains($0) })
    try gate.ok("USER.ANONYMISE eva.moon")
    try waitUntilForgotten(id)
    // The command that anonymised her is told after the others.
    try gate.ok("CONFIG SET slowlog-threshold -1")
    let shown = try gate.shown("SLOWLOG GET -1") + gate.shown("REFUSALS.LIST")
    #expect(Self.secrets.filter { shown.contains($0) } == [])
    #expect(shown.contains("USER.CREATE"))
  }

  @Test("somebody who is there, and whose key is gone, is told of") func withoutKey() throws {
    let id = try createEva()
    server.kill()
    let folder = try DataFolder.open(server.dataPath)
    defer { folder.close() }
    let state = try Restoration.look(at: folder)
    #expect(state.peopleWithoutKeys == [])
    let eva = SealKey.user(UserID(raw: try #require(UInt64(id))))
    try #require(folder.keys).destroy([eva])
    #expect(state.peopleWithoutKeys == [eva])
  }

  @Test("without its key store a folder is refused") func missing() throws {
    _ = try createEva()
    server.kill()
    for name in ["keys", "keys.copy"] { try PosixDisk().remove(server.dataPath + "/" + name) }
    #expect(throws: (any Error).self) { try server.start() }
  }
}

extension ContiguousArray<UInt8> {
  /// Whether a text stands in the bytes.
  fileprivate func holds(_ text: String) -> Bool {
    Data(self).range(of: Data(text.utf8)) != nil
  }
}
