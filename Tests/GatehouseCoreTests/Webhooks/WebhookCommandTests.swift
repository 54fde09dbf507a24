import Testing

@testable import GatehouseCore

/// The commands about webhooks, and who may use them.
@Suite struct WebhookCommandTests {
  private let core = CoreHarness(partitions: 4)
  private static let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

  init() {
    for workspace in ["acme", "beta"] {
      core.run("WORKSPACE.CREATE \(workspace)")
      core.run("PRODUCT.CREATE \(workspace)/app")
    }
    core.run("PRODUCT.CREATE office")
    core.run("SERVICE.CREATE free ADMIN")
    core.run("SERVICE.CREATE portal ADMIN WORKSPACE acme")
  }

  private func bind() { core.connection = ConnectionFacts(id: 2, service: 2, rights: .all, isBound: true) }

  // MARK: What the commands do

  @Test func theSecretIsShownOnceAndNeverAgain() throws {
    let made = core.run("WEBHOOK.CREATE crm https://example.com/hooks TYPE status-set")
    #expect(made.keys == ["id", "name", "secret"])
    let secret = try #require(made["secret"].text)
    #expect(secret.hasPrefix("whsec_") && Base64.bytes(secret.dropFirst(6))?.count == 24)
    #expect(core.run("WEBHOOK.CREATE own https://example.com/ SECRET \(Self.secret)")["secret"].text == Self.secret)
    for line in ["WEBHOOK.LIST", "WEBHOOK.GET crm", "WEBHOOK.GET own", "FEED.READ 0", "AUDIT.LIST"] {
      let shown = "\(core.run(line))"
      #expect(shown.contains("crm") || shown.contains("own"), "\(line)")
      #expect(!shown.contains(String(secret.dropFirst(6))) && !shown.contains(String(Self.secret.dropFirst(6))))
    }
    let spec = try #require(CommandTable.all.first { $0.name == "WEBHOOK.CREATE" })
    OwnedArguments(["WEBHOOK.CREATE", "a", "https://b.test", "SECRET", Self.secret]).withView {
      #expect(spec.secretWords(in: $0) == [4], "MONITOR and SLOWLOG must not show it")
    }
  }

  @Test func whatGetShows() {
    let before = core.lsn
    core.run("WEBHOOK.CREATE crm https://example.com/hooks TYPE status-set TYPE user-created WORKSPACE acme FROM 2")
    let shown = core.run("WEBHOOK.GET crm WORKSPACE acme")
    #expect(
      shown.keys == [
        "id", "name", "workspace", "url", "types", "created", "state", "pause", "cursor", "failures", "last-error",
        "last-error-time", "last-success", "old-secret-until",
      ])
    #expect(shown["workspace"].text == "acme" && shown["url"].text == "https://example.com/hooks")
    #expect(shown["types"].items.map(\.text) == ["user-created", "status-set"] && shown["state"].text == "active")
    #expect(shown["cursor"].text == "2" && shown["pause"].isNull && shown["last-error"].isNull)
    core.run("WEBHOOK.CREATE now https://example.com/")
    #expect(core.run("WEBHOOK.GET now")["cursor"].text == "\(before + 2)", "from now on")
    core.run("WEBHOOK.CREATE ahead https://example.com/ FROM 999999")
    #expect(core.run("WEBHOOK.GET ahead")["cursor"].text == "\(before + 3)", "not beyond what there is")
  }

  @Test func refusals() {
    core.run("WEBHOOK.CREATE crm https://example.com/")
    for (line, text) in [
      ("WEBHOOK.CREATE crm https://example.com/", "CONFLICT webhook: crm already exists"),
      (
        "WEBHOOK.CREATE a http://example.com/",
        "ERR url must begin with https:// because example.com is another machine"
      ),
      (
        "WEBHOOK.CREATE a https://example.com/ SECRET whsec_c2hvcnQ",
        "ERR SECRET is not whsec_ and base64 of 24 to 64 bytes; leave it out for a new one"
      ),
      (
        "WEBHOOK.CREATE a https://example.com/ FROM -1", "ERR FROM is not a number from 0 to 9223372036854775807"
      ),
      ("WEBHOOK.SET crm", "ERR WEBHOOK.SET crm changes nothing; give URL, TYPE or ANYTYPE"),
      ("WEBHOOK.SET crm TYPE status-set ANYTYPE", "ERR give either TYPE or ANYTYPE"),
      ("WEBHOOK.ROTATE crm OVERLAP 91d", "LIMIT OVERLAP: at most 90d"),
      ("WEBHOOK.GET no", "NOTFOUND webhook no; WORKSPACE w names one of a workspace"),
      ("WEBHOOK.DELETE crm WORKSPACE acme", "NOTFOUND webhook crm"),
    ] {
      #expect(core.run(line).text == text, "\(line)")
    }
    for number in 1..<Limits.webhooks.ofWorkspace { core.run("WEBHOOK.CREATE h\(number) https://example.com/") }
    #expect(core.run("WEBHOOK.CREATE more https://example.com/").text == "LIMIT webhooks: at most 20 of a workspace")
    #expect(core.run("WEBHOOK.CREATE more https://example.com/ WORKSPACE acme")["id"].integer == 21)
  }

  @Test func changing() throws {
    core.run("WEBHOOK.CREATE crm https://example.com/ SECRET \(Self.secret) TYPE status-set")
    #expect(core.run("WEBHOOK.SET crm URL https://example.org/x").text == "OK")
    #expect(core.run("WEBHOOK.GET crm")["types"].items.map(\.text) == ["status-set"])
    #expect(core.run("WEBHOOK.SET crm ANYTYPE").text == "OK")
    #expect(core.run("WEBHOOK.GET crm")["types"].items.isEmpty)
    #expect(core.run("WEBHOOK.GET crm")["url"].text == "https://example.org/x")
    let secret = try #require(core.run("WEBHOOK.ROTATE crm OVERLAP 1h")["secret"].text)
    #expect(secret != Self.secret)
    let old = try #require(WebhookSecret(Self.secret))
    let new = try #require(WebhookSecret(secret))
    #expect(core.directory.state.view.webhook(1)?.secrets(at: core.now) == [new, old])
    #expect(core.run("WEBHOOK.GET crm")["old-secret-until"].integer == core.now + 3_600_000)
    core.advance(3_600_000)
    #expect(core.directory.state.view.webhook(1)?.secrets(at: core.now) == [new])
    #expect(core.run("WEBHOOK.GET crm")["old-secret-until"].isNull)
    core.run("WEBHOOK.PAUSE crm")
    #expect(core.run("WEBHOOK.GET crm")["state"].text == "paused")
    #expect(core.run("WEBHOOK.GET crm")["pause"].text == "paused by command")
    core.run("WEBHOOK.RESUME crm")
    #expect(core.run("WEBHOOK.GET crm")["state"].text == "active")
    core.run("WEBHOOK.RETRY crm FROM 1")
    #expect(core.run("WEBHOOK.GET crm")["cursor"].text == "1")
    #expect(core.run("WEBHOOK.DELETE crm").text == "OK")
    #expect(core.run("WEBHOOK.GET crm").isError && core.run("WEBHOOK.LIST").items.isEmpty)
    #expect(core.run("WEBHOOK.CREATE crm https://example.com/")["id"].integer == 2, "a number is given once")
  }

  @Test func noting() {
    core.run("WEBHOOK.CREATE crm https://example.com/ FROM 0")
    core.connection.service = 0
    #expect(core.run("WEBHOOK.NOTE 1 0 3 8 ERROR timeout ERRORTIME 1000 SUCCESS 500").integer == 1)
    let shown = core.run("WEBHOOK.GET crm")
    #expect(shown["state"].text == "failing" && shown["failures"].integer == 8 && shown["cursor"].text == "3")
    #expect(shown["last-error"].text == "timeout" && shown["last-error-time"].integer == 1000)
    #expect(core.run("WEBHOOK.NOTE 1 0 4 0").integer == 1)
    #expect(core.run("WEBHOOK.GET crm")["state"].text == "active")
    core.run("WEBHOOK.RETRY crm FROM 1")
    #expect(core.run("WEBHOOK.NOTE 1 0 5 0").integer == 0, "what was noted before it was moved is not believed")
    #expect(core.run("WEBHOOK.GET crm")["cursor"].text == "1")
    #expect(core.run("WEBHOOK.NOTE 1 1 5 1 GONE").integer == 1)
    #expect(core.run("WEBHOOK.GET crm")["pause"].text == "the receiver answered 410 Gone")
    #expect(core.run("WEBHOOK.NOTE 9 0 5 0").integer == 0)
    let end = core.lsn
    #expect(core.run("FEED.READ \(end - 1)")[1].items.map { $0["type"].text } == ["webhook-paused"])
    #expect(
      core.run("FEED.READ 0 TYPE webhook-progressed")[1].items.map { $0["type"].text }
        == ["webhook-progressed", "webhook-progressed", "webhook-progressed"])
  }

  // MARK: Who may

  @Test("W4, W6: a bound service knows and manages the webhooks of its workspace alone")
  func bound() {
    core.run("WEBHOOK.CREATE crm https://main.example/")
    core.run("WEBHOOK.CREATE crm https://beta.example/ WORKSPACE beta")
    bind()
    #expect(core.run("WEBHOOK.CREATE crm https://acme.example/ WORKSPACE acme")["name"].text == "crm")
    #expect(core.run("WEBHOOK.LIST").items.map { $0["url"].text } == ["https://acme.example/"])
    #expect(core.run("WEBHOOK.GET crm WORKSPACE acme")["url"].text == "https://acme.example/")
    #expect(core.run("WEBHOOK.GET crm WORKSPACE beta").text == "NOTFOUND workspace beta")
    #expect(core.run("WEBHOOK.DELETE crm WORKSPACE beta").text == "NOTFOUND workspace beta")
    for line in [
      "WEBHOOK.CREATE all https://evil.example/", "WEBHOOK.GET crm", "WEBHOOK.SET crm URL https://evil.example/",
      "WEBHOOK.ROTATE crm", "WEBHOOK.PAUSE crm", "WEBHOOK.RESUME crm", "WEBHOOK.RETRY crm", "WEBHOOK.DELETE crm",
    ] {
      #expect(core.run(line).text == "NOPERM the permission feed.read over the whole server", "\(line)")
    }
    #expect(core.run("WEBHOOK.NOTE 1 0 5 0").text?.hasPrefix("NOPERM") == true)
  }

  @Test("W4: the feed shows a workspace its own webhooks, and nobody else's")
  func feed() {
    core.run("WEBHOOK.CREATE crm https://main.example/")
    core.run("WEBHOOK.CREATE bcrm https://beta.example/ WORKSPACE beta")
    core.run("WEBHOOK.CREATE acrm https://acme.example/ WORKSPACE acme")
    bind()
    let shown = "\(core.run("FEED.READ 0"))"
    #expect(shown.contains("https://acme.example/"))
    #expect(!shown.contains("beta.example") && !shown.contains("main.example"))
  }

  @Test func peopleNeedBothPermissions() {
    core.run("ROLE.DEFINE reader feed.read WORKSPACE acme")
    core.run("ROLE.DEFINE keeper feed.read security.set WORKSPACE acme")
    core.run("USER.CREATE rae PRODUCT acme/app NOINVITE")
    core.run("USER.CREATE kim PRODUCT acme/app NOINVITE")
    core.run("USER.CREATE eve PRODUCT acme/app NOINVITE")
    core.run("ROLE.GRANT rae reader WORKSPACE acme")
    core.run("ROLE.GRANT kim keeper WORKSPACE acme")
    let (rae, kim, eve) = (
      core.logIn("rae", "acme/app"), core.logIn("kim", "acme/app"), core.logIn("eve", "acme/app")
    )
    let line = "WEBHOOK.CREATE crm https://acme.example/ WORKSPACE acme"
    #expect(core.run(line, as: eve).text == "NOPERM the permission feed.read")
    #expect(core.run(line, as: rae).text == "NOPERM the permission security.set in the workspace acme")
    #expect(core.run(line, as: kim)["name"].text == "crm")
    #expect(core.run("WEBHOOK.GET crm WORKSPACE acme", as: rae)["state"].text == "active")
    #expect(core.run("WEBHOOK.LIST", as: rae).items.count == 1)
    #expect(core.run("WEBHOOK.LIST", as: eve).text == "NOPERM the permission feed.read")
    #expect(core.run("WEBHOOK.CREATE all https://acme.example/", as: kim).isError)
    #expect(
      core.run("WEBHOOK.CREATE b https://acme.example/ WORKSPACE beta", as: kim).text == "NOTFOUND workspace beta")
  }

  // MARK: What lasts

  @Test func allOfItIsInTheSnapshotAndTheLog() throws {
    core.run("WEBHOOK.CREATE crm https://example.com/hidden-path SECRET \(Self.secret) TYPE status-set")
    core.run("WEBHOOK.CREATE gone https://example.com/ WORKSPACE acme")
    core.run("WEBHOOK.DELETE gone WORKSPACE acme")
    core.run("WEBHOOK.ROTATE crm OVERLAP 1h")
    core.run("WEBHOOK.PAUSE crm")
    core.connection.service = 0
    core.run("WEBHOOK.NOTE 1 0 3 8 ERROR timeout ERRORTIME 1000 SUCCESS 500")
    core.expectReplicated()
    let before = core.directory.state.view.webhooks
    let bytes = DirectoryCell(core.wholeDirectory).encoded
    #expect(!Self.contains(bytes, "hidden-path") && !Self.contains(bytes, "0123456789"), "sealed in the snapshot")
    try core.restart()
    #expect(core.directory.state.view.webhooks == before && before.count == 1)
    #expect(core.run("WEBHOOK.CREATE next https://example.com/")["id"].integer == 3)
  }

  private static func contains(_ bytes: ContiguousArray<UInt8>, _ text: String) -> Bool {
    String(decoding: bytes, as: UTF8.self).contains(text)
  }

  @Test("W4: whoever makes and deletes webhooks without end uses up nothing of another, and leaves nothing behind")
  func numbersHaveNoEnd() throws {
    let empty = core.directory.encoded.count
    for number in 1...2_000 {
      #expect(core.run("WEBHOOK.CREATE z https://x.test/ WORKSPACE acme")["id"].integer == Int64(number))
      core.run("WEBHOOK.DELETE z WORKSPACE acme")
    }
    #expect(core.run("WEBHOOK.CREATE own https://x.test/ WORKSPACE beta")["id"].integer == 2_001)
    #expect(core.directory.encoded.count < empty + 300)
    try core.restart()
    // Numbers are given once, also over a restart after the last one was deleted.
    core.run("WEBHOOK.DELETE own WORKSPACE beta")
    try core.restart()
    #expect(core.run("WEBHOOK.CREATE next https://x.test/ WORKSPACE beta")["id"].integer == 2_002)
    core.expectReplicated()
  }

  @Test("W4: tenants who have all the webhooks that there may be leave the first ones to others")
  func firstOnesFindRoom() {
    let limit = Limits.webhooks
    for number in 0..<(limit.ofAll / limit.ofWorkspace) {
      core.run("WORKSPACE.CREATE w\(number)")
      for hook in 0..<limit.ofWorkspace {
        #expect(!core.run("WEBHOOK.CREATE h\(hook) https://x.test/ WORKSPACE w\(number)").isError)
      }
    }
    #expect(core.directory.state.view.webhookCount == limit.ofAll)
    for name in ["a", "b"] { #expect(!core.run("WEBHOOK.CREATE \(name) https://x.test/ WORKSPACE acme").isError) }
    #expect(
      core.run("WEBHOOK.CREATE c https://x.test/ WORKSPACE acme").text
        == "LIMIT webhooks: at most 1000 of all workspaces together")
  }

  @Test("rows as they were stored at first are read: with those that were deleted, and without numbers")
  func earlierSnapshots() throws {
    var writer = ByteWriter()
    writer.varint(1)
    writer.byte(17)
    writer.byte(1)
    let start = writer.beginSection()
    var rows = (1...3).map { Webhook(id: WebhookID($0)) }
    for index in [0, 2] {
      rows[index].name = "h\(index)"
      rows[index].url = "https://x.test/"
    }
    rows[1].isDeleted = true
    writer.list(rows) { $0.sealed($1, under: .webhook($1.id)) }
    writer.endSection(start)
    var stored = StoredDirectory()
    try writer.withBytes { (bytes) throws(CodingError) in
      var reader = ByteReader(bytes)
      try StoredSections(WebhookTable.sections, lastUntagged: 0).read(into: &stored, from: &reader, version: 3, nil)
    }
    #expect(stored.tables.webhooks.rows == [1: rows[0], 3: rows[2]] && stored.tables.webhooks.last == 3)
  }
}
