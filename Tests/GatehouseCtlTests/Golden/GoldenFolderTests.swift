import Foundation
import GatehouseTestSupport
import Testing

/// The data folders of released versions: made here, once a version, and opened by this and all later versions.
@Suite("Golden folders: with the programs")
struct GoldenFolderTests {
  /// Every kind of change that a log of this version may have.
  static let kinds = [
    "access-set", "answer-kept", "contact-created", "contact-set", "entry-added", "entry-corrected", "entry-deleted",
    "log-archived", "mail-queued", "noted", "pool-set", "product-created", "role-granted", "role-revoked",
    "service-created", "service-deleted", "session-ended", "session-opened", "session-seen", "snapshot-taken",
    "status-set", "timer-started", "timer-stopped", "user-created", "user-renamed", "user-set", "workspace-created",
    "workspace-joined", "workspace-left", "workspace-set",
  ]

  static let version = ProcessInfo.processInfo.environment["GATEHOUSE_MAKE_GOLDEN"]

  static let folders = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("GatehouseStorageTests/Golden/folders").path

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folders)) ?? [])
    .filter { $0.hasSuffix(".tar.gz") }.sorted()

  /// `GATEHOUSE_MAKE_GOLDEN=v2 swift test --filter makeGoldenFolder` makes `v2.tar.gz`, and `v2.json` with the expected
  /// contents.
  @Test("make a golden folder", .enabled(if: version != nil))
  func makeGoldenFolder() throws {
    let version = try #require(Self.version)
    let server = try TestServer(TestServer.Options(arguments: ["--segment-bytes", "1mb", "--partitions", "8"]))
    for chapter in 0..<Story.chapters {
      if chapter > 0 {
        try StoryFolder.beginSegment(server.dataPath)
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
    try StoryFolder.beginSegment(server.dataPath)
    try server.start()
    let gate = try server.client()
    try Story.tellPostscript(to: gate)
    // Since version 2 a record may contain several commands.
    for command in ["MULTI", "TIMER.START sam", "TIMER.STOP sam", "EXEC"] { try gate.ok(command) }
    try server.terminate()
    let found = try control("verify", "--json", "--changes", server.dataPath)
    var object = try found.object()
    try #require(object["ok"] as? Bool == true, "\(found.output)")
    let changes = try #require(object["changes"] as? [String: Int])
    #expect(changes.keys.sorted() == Self.kinds)
    let frames = try control("inspect", "--frames", "--json", server.dataPath).objects()
    #expect(
      frames.contains { ($0["file"] as? String ?? "").hasPrefix("log/") && $0["dictionary"] as? Int != 0 },
      "the dictionary of small frames is part of the format")
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
    #expect(try VerifyResult(folder.path("data")).isSound)
    let server = try TestServer(folder: folder)
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
    let after = try VerifyResult(folder.path("data"))
    #expect(after.isSound && after.state("users") == 7, "\(after.problems)")
  }
}
