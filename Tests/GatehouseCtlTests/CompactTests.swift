import Foundation
import GatehouseCore
import GatehouseStorage
import GatehouseTestSupport
import Testing

@Suite("gatehousectl compact", .blocking)
struct CompactTests {
  @Test("without a server: a dry run announces what then happens, and the state does not change")
  func offline() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let state = try VerifyResult(data)
    let before = try contents(of: data)
    let plan = try control("compact", "--data", data, "--dry-run", "--json").object()
    #expect(try contents(of: data) == before, "a dry run changes nothing")

    let result = try control("compact", "--data", data, "--json")
    #expect(result.code == 0, "\(result.errors)")
    let report = try result.object()
    #expect(plan["dry-run"] as? Bool == true && report["dry-run"] as? Bool == false)
    #expect(plan["segments"] as? [String] == report["segments"] as? [String])
    #expect(plan["snapshots"] as? [Int] == report["snapshots"] as? [Int])
    #expect((report["segments"] as? [String])?.count == 2, "all but the one that is written")
    #expect((report["archived"] as? [Any])?.count == 1)
    #expect(try StoryFolder.segments(data).count == 1)
    #expect(try names(in: "\(data)/archive").count == 1)
    #expect(try names(in: "\(data)/snapshots").count == 2)

    let after = try VerifyResult(data)
    #expect(after.isSound, "\(after.problems)")
    #expect(after.object["head"] as? String == state.object["head"] as? String)
    #expect(after.object["state"] as? NSDictionary == state.object["state"] as? NSDictionary)
    #expect(after.integer("records") == state.integer("records"), "the archive keeps every record")

    let again = try control("compact", "--data", data)
    #expect(again.code == 0 && again.output == "nothing to do\n", "\(again.output)")
    let server = try TestServer(folder: folder)
    try server.client(.resp2).refused("USER.GET ana", with: "NOAUTH")
  }

  @Test("records older than the retention are deleted, a whole archive at a time")
  func retention() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    #expect(try control("compact", "--data", data, "--retention", "forever").code == 0)
    #expect(try control("compact", "--data", data, "--retention", "365d").code == 0)
    #expect(try names(in: "\(data)/archive").count == 1, "nothing is a year old")
    pause(.milliseconds(20))
    let plan = try control("compact", "--data", data, "--retention", "10ms", "--dry-run").output
    #expect(plan.contains("would delete"), "\(plan)")
    let result = try control("compact", "--data", data, "--retention", "10ms")
    #expect(result.code == 0 && result.output.contains("deleted"), "\(result.output)\(result.errors)")
    #expect(try names(in: "\(data)/archive").isEmpty)
    let state = try VerifyResult(data)
    #expect(state.isSound && state.state("users") == 5, "\(state.problems)")
    let restored = try control("restore", data, folder.path("early"), "--until", "3")
    #expect(restored.code == 66 && restored.errors.contains("cannot be had"), "\(restored.errors)")
  }

  @Test(
    "a dry run names every archive that is then deleted, including those made by the same run",
    arguments: [false, true])
  func plannedRetention(isArchived: Bool) throws {
    let (folder, data) = try StoryFolder.copied()
    if isArchived { #expect(try control("compact", "--data", data).code == 0) }
    pause(.milliseconds(20))
    for retention in ["10ms", "1h"] {
      let path = folder.path(retention)
      try copy(data, to: path)
      let plan = try control("compact", "--json", "--data", path, "--retention", retention, "--dry-run").object()
      let report = try control("compact", "--json", "--data", path, "--retention", retention).object()
      func list(_ name: String, _ object: [String: Any]) -> [[Int]] {
        (object[name] as? [[String: Any]] ?? []).map { [$0["first"] as? Int ?? -1, $0["last"] as? Int ?? -1] }
      }
      #expect(list("expired", plan) == list("expired", report) && list("archived", plan) == list("archived", report))
      #expect(list("expired", report).count == (retention == "1h" ? 0 : 1))
      #expect(list("archived", report).count == (isArchived ? 0 : 1))
      #expect(plan["segments"] as? [String] == report["segments"] as? [String])
    }
  }

  @Test("one damaged segment: the others are moved, the exit code reports the damage, and so did the dry run")
  func damaged() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let segments = try StoryFolder.segments(data)
    try flip(byte: 4096 + 130, of: "\(data)/log/\(segments[0])")
    let plan = try control("compact", "--json", "--data", data, "--dry-run").object()
    let result = try control("compact", "--json", "--data", data)
    #expect(result.code == 1 && result.errors.contains("gatehousectl: damage: records 1 to"), "\(result.errors)")
    let report = try result.object()
    #expect((plan["damage"] as? [String])?.count == 1 && (report["damage"] as? [String])?.count == 1)
    #expect(report["segments"] as? [String] == [segments[1]] && plan["segments"] as? [String] == [segments[1]])
    #expect(try StoryFolder.segments(data) == [segments[2]])
    let archive = try names(in: "\(data)/archive")
    #expect(archive.count == 2 && archive.contains { $0.hasSuffix(".damaged") })
    let state = try VerifyResult(data)
    #expect(state.code == 1 && state.problems.count == 1 && state.state("users") == 5, "\(state.problems)")
    let server = try TestServer(folder: folder)
    try server.terminate()
    #expect(try control("backup", data, folder.path("backup")).code == 66)
    #expect(try control("backup", "--without-history", data, folder.path("backup")).code == 0)
    #expect(try VerifyResult(folder.path("backup")).isSound)
  }

  @Test("a clock years behind the records deletes nothing")
  func clockBehind() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let opened = try DataFolder.open(data)
    var options = CompactionOptions(now: 946_684_800_000)
    options.retention = 1
    #expect(throws: OfflineCompaction.ClockConflict.self) { try OfflineCompaction.run(opened, options: options) }
    options.retention = nil
    _ = try OfflineCompaction.run(opened, options: options)
    opened.close()
    #expect(try VerifyResult(data).isSound)
    // The snapshots carry the records' time, from which a server continues.
    withExtendedLifetime(try TestServer(folder: folder)) {}
  }

  @Test("a folder in use is refused with a hint; a dry run is not")
  func inUse() throws {
    let server = try TestServer()
    try server.client().ok("USER.CREATE ana")
    let result = try control("compact", "--data", server.dataPath)
    #expect(result.code == 75 && result.errors.contains("gatehousectl compact --port"), "\(result.errors)")
    #expect(try control("compact", "--data", server.dataPath, "--dry-run").code == 0)
  }

  @Test("through a server: the log is archived while the server serves")
  func online() throws {
    let server = try TestServer()
    let gate = try server.client()
    for number in 0..<50 { try gate.ok("USER.CREATE user\(number)") }
    let result = try control("compact", "--port", String(server.port), "--json")
    #expect(result.code == 0, "\(result.errors)")
    #expect(try !result.object().isEmpty)
    #expect(try !names(in: "\(server.dataPath)/archive").isEmpty)
    try gate.ok("USER.CREATE later")
    let state = try VerifyResult(server.dataPath)
    #expect(state.isSound && state.state("users") == 51, "\(state.problems)")
    let text = try control("compact", environment: ["GATEHOUSE_PORT": String(server.port)])
    #expect(text.code == 0 && text.output.contains(": "), "\(text.output)")
  }

  @Test("L6: keys that a killed server had not destroyed are destroyed without it, and no snapshot knows the person")
  func forgetting() throws {
    let folder = try TemporaryFolder("forgetting")
    let server = try TestServer(.init(), folder: folder)
    defer { server.kill() }
    let gate = try server.client()
    let name = "evangelina.lindqvist@acme.example"
    let id = try #require(try gate.fields("USER.CREATE eva EMAIL \(name) NOINVITE")["id"])
    try gate.ok("SAVE")
    // Within the second that the server takes to destroy them.
    try gate.ok("USER.ANONYMISE eva")
    server.kill()
    let data = server.dataPath
    let user = UserID(raw: try #require(UInt64(id)))
    let pending = try #require(try DataFolder.look(at: data).keys).isDestroyed(.user(user)) == false
    let result = try control("compact", "--data", data, "--json")
    let report = try result.object()
    #expect(
      result.code == 0 && report["destroyed-keys"] as? Int == (pending ? 2 : 0), "\(result.output)\(result.errors)")
    #expect((report["snapshots"] as? [Int])?.count == (pending ? 2 : 1), "\(result.output)")
    let looked = try DataFolder.look(at: data)
    #expect(try #require(looked.keys).isDestroyed(.user(user)))
    let catalog = SnapshotCatalog(looked)
    #expect(try catalog.entries().count == 2)
    for entry in try catalog.entries() {
      let reader = try catalog.open(entry)
      defer { reader.close() }
      for section in reader.sections {
        #expect(Data(try reader.read(section)).range(of: Data(name.utf8)) == nil, "snapshot \(entry.lsn)")
      }
    }
    let shown = try control("inspect", "--json", data).output
    #expect(shown.contains("keys-destroyed") && !shown.contains(name), "\(shown.suffix(400))")
    #expect(try VerifyResult(data).isSound)
    let again = try control("compact", "--data", data)
    #expect(again.output == "nothing to do\n", "\(again.output)")
    try server.start()
    #expect(try server.client().text("INFO snapshot")?.contains("keys_to_destroy:0") == true)
  }

  @Test("a deletion by retention is in the trail, also without a server")
  func recordedDeletion() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    #expect(try control("compact", "--data", data).code == 0)
    pause(.milliseconds(20))
    let result = try control("compact", "--data", data, "--retention", "10ms")
    #expect(result.output.contains("deleted"), "\(result.output)\(result.errors)")
    let records = try control("inspect", "--json", data).objects()
    let deletions = records.filter { "\($0)".contains("archive-deleted") }
    #expect(deletions.count == 1 && deletions[0]["command"] as? String == "COMPACT", "\(deletions)")
    let state = try VerifyResult(data)
    #expect(state.isSound && state.code == 0, "\(state.problems)")
  }

  @Test("no server, and contradictory command lines")
  func refusals() throws {
    let port = String(try FreePort.next())
    #expect(try control("compact", "--port", port).code == 69)
    #expect(try control("compact", "--port", port, "--data", "x").code == 64)
    #expect(try control("compact", "--dry-run").code == 64)
    #expect(try control("compact", "--retention", "1d").code == 64)
    #expect(try control("compact", "--data", "x", "--retention", "soon").code == 64)
  }
}
