import Foundation
import GatehouseTestSupport
import Testing

/// The data folders of released versions: made here, once a version, and opened by this and all later versions.
@Suite("Golden folders: with the programs", .blocking)
struct GoldenFolderTests {
  /// Every kind of change that a log of this version may have.
  static let kinds = [
    "access-set", "account-created", "account-joined-group", "answer-kept", "apikey-created", "apikey-ended",
    "approval-decided", "approval-requested", "contact-anonymised", "contact-created", "contact-deleted",
    "contact-set", "contacts-merged", "employment-set", "encryption-changed", "entry-added", "entry-corrected",
    "entry-deleted", "field-defined", "field-set", "group-created", "keys-destroyed", "link-added", "link-set",
    "log-archived", "mail-queued", "management-added", "membership-limited", "noted", "password-set", "pool-set",
    "product-created", "role-defined", "role-granted", "role-revoked", "seats-low", "second-factor-begun",
    "service-created", "service-deleted", "session-ended", "session-opened", "session-origin-told", "session-seen",
    "snapshot-taken", "status-set", "timer-started", "timer-stopped", "user-created", "user-purged", "user-renamed",
    "user-set", "workspace-created", "workspace-joined", "workspace-left", "workspace-set",
  ].sorted()

  /// What only folders of version 2 have. Each login is gone again, so that the counts of both versions are one.
  private static let secondVersion = [
    "FIELD.DEFINE badge text", "USER.SET ana badge 7", "ROLE.DEFINE clerk user.read",
    "ROLE.GRANT ana clerk UNTIL 2999-01-01T00:00:00Z", "WORKSPACE.CREATE depot",
    "WORKSPACE.MEMBER depot ana UNTIL 2999-01-01T00:00:00Z", "LINK.ADD ana delegate course-1 STATUS booked",
    "ACCOUNT.CREATE Widgets CUSTOMER", "GROUP.CREATE Europe", "GROUP.ADD Europe Widgets",
    "EMPLOY.ADD ana Widgets MAIN", "MANAGE.ADD ana ACCOUNT Widgets",
  ]

  /// … and of version 3: what is sealed with the keys of a person, and of a folder that was encrypted after its first
  /// records.
  private static let thirdVersion = [
    "USER.CREATE pia FIRST Pia PRODUCT desk NOINVITE PASSWORD 'quiet ponds in march'",
    "LOGIN.PASSWORD pia desk 'quiet ponds in march' IP 203.0.113.9", "TOTP.ENROL pia", "APIKEY.CREATE pia NAME robot",
    "USER.DELETE pia REASON x",
  ]

  /// The master key of the folders since version 3. It is no secret.
  private static let key = String(repeating: "0123456789abcdef", count: 4)
  private static let environment: [String: String?] = ["GATEHOUSE_ENCRYPTION_KEY": key]

  private static func environment(of name: String) -> [String: String?] {
    ["v1", "v2"].contains { name.hasPrefix($0) } ? [:] : environment
  }

  static let version = ProcessInfo.processInfo.environment["GATEHOUSE_MAKE_GOLDEN"]

  static let folders = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("GatehouseStorageTests/Golden/folders").path

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folders)) ?? [])
    .filter { $0.hasSuffix(".tar.gz") }.sorted()

  /// `GATEHOUSE_MAKE_GOLDEN=v3 swift test --filter makeGoldenFolder` makes `v3.tar.gz`, and `v3.json` with the expected
  /// contents.
  @Test("make a golden folder", .enabled(if: version != nil))
  func makeGoldenFolder() throws {
    let version = try #require(Self.version)
    var options = TestServer.Options(arguments: ["--segment-bytes", "1mb", "--partitions", "8"])
    var server = try TestServer(options)
    for chapter in 0..<Story.chapters {
      if chapter == 1 {
        try StoryFolder.beginSegment(server.dataPath)
        for (name, value) in Self.environment { options.environment[name] = value }
        // From here on it is encrypted.
        server = try TestServer(options, folder: server.folder)
      } else if chapter > 1 {
        try StoryFolder.beginSegment(server.dataPath, key: Self.key)
        try server.start()
      }
      let gate = try server.client()
      try Story.tell(chapter, to: gate)
      try gate.ok("SAVE")
      if chapter + 1 == Story.chapters {
        try gate.ok("COMPACT")
        try Story.tellEpilogue(to: gate)
      }
      try server.terminate()
    }
    try StoryFolder.beginSegment(server.dataPath, key: Self.key)
    try server.start()
    let gate = try server.client()
    try Story.tellPostscript(to: gate)
    // Since version 2 a record may contain several commands.
    for command in ["MULTI", "TIMER.START sam", "TIMER.STOP sam", "EXEC"] + Self.secondVersion { try gate.ok(command) }
    let link = try gate.pages("LINK.LIST ana").first?["link"] ?? ""
    try gate.ok("LINK.SET \(link) STATUS attended")
    let contact = try gate.fields("CONTACT.CREATE FIRST Temporary")["contact"] ?? ""
    try gate.ok("CONTACT.DELETE #\(contact)")
    for command in [
      "USER.CREATE purged NOINVITE", "USER.DELETE purged REASON x", "USER.PURGE purged", "USER.CREATE merged NOINVITE",
      "USER.MERGE sam merged", "USER.CREATE nobody FIRST No NOINVITE", "USER.ANONYMISE nobody",
    ] { try gate.ok(command) }
    let gone = try gate.pages("USER.LIST WHERE status = inactive FIELDS 1 username").compactMap { $0["username"] }
    for name in gone where name.hasPrefix("anonymous-") { try gate.ok("USER.DELETE \(name) REASON x") }
    try gate.ok("PRODUCT.CREATE desk")
    try gate.ok("USER.CREATE boss ROLE training-administrator PRODUCT desk NOINVITE")
    try gate.ok("WORKSPACE.SET main policy.approval.needs contact.set")
    let token = try gate.fields("SESSION.CREATE boss desk")["session"] ?? ""
    try gate.ok("AS \(token) USER.SET ana phone 1")
    try gate.ok("WORKSPACE.SET main policy.approval.needs ''")
    try gate.ok("USER.DELETE boss REASON x")
    for command in Self.thirdVersion { try gate.ok(command) }
    try eventually("the keys of who was anonymised are destroyed") {
      try gate.pages("AUDIT.LIST COUNT 20").contains { $0.changes.joined().contains("keys-destroyed") }
    }
    try server.terminate()
    let found = try control("verify", "--json", "--changes", server.dataPath, environment: Self.environment)
    var object = try found.object()
    try #require(object["ok"] as? Bool == true, "\(found.output)")
    let changes = try #require(object["changes"] as? [String: Int])
    #expect(changes.keys.sorted() == Self.kinds)
    object["folder"] = nil
    let json = try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    try json.write(to: URL(fileURLWithPath: "\(Self.folders)/\(version).json"))
    // Leave out the names and times of whoever made them.
    let archived = try runProgram(
      "tar",
      [
        "--create", "--gzip", "--file", "\(Self.folders)/\(version).tar.gz", "--directory", server.folder.path,
        "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--exclude=data/log/reserve", "data",
      ])
    #expect(archived.succeeded, "\(archived.errors)")
  }

  @Test("a server starts on it and answers from it", arguments: names)
  func serve(_ name: String) throws {
    let folder = try TemporaryFolder("golden")
    let unpacked = try runProgram("tar", ["-xzf", "\(Self.folders)/\(name)", "-C", folder.path])
    #expect(unpacked.succeeded, "\(unpacked.errors)")
    let environment = Self.environment(of: name)
    #expect(try VerifyResult(folder.path("data"), environment: environment).isSound)
    var options = TestServer.Options()
    for (name, value) in environment { options.environment[name] = value }
    let server = try TestServer(options, folder: folder)
    let gate = try server.client()
    #expect(try gate.text("LOGIN.CHECK ana payroll") == "ALLOW")
    #expect(try gate.text("LOGIN.CHECK dora payroll") == "DENY product-disabled")
    #expect(try gate.text("LOGIN.CHECK eli payroll") == "DENY status-deleted")
    #expect(try gate.fields("USER.GET cyrus@acme.example")["first"] == "Cy")
    #expect(try gate.fields("TIMER.CURRENT bo").integer("start") == Story.start)
    let pages = try gate.pages("AUDIT.LIST USER ana")
    #expect(pages.contains { $0["command"] == "USER.CREATE" }, "from the archive")
    #expect(pages.contains { $0["command"] == "TIMER.STOP" }, "from the log")
    try gate.ok("USER.CREATE gail PRODUCT payroll")
    try gate.ok("COMPACT")
    try server.terminate()
    let after = try VerifyResult(folder.path("data"), environment: environment)
    #expect(after.isSound && after.state("users") == 7, "\(after.problems)")
  }
}
