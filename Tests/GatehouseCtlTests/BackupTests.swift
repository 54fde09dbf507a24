import Foundation
import GatehouseTestSupport
import Synchronization
import Testing

@Suite("gatehousectl backup and restore", .blocking)
struct BackupTests {
  @Test("a backup under load has everything that was acknowledged before it began, and a server starts on it")
  func underLoad() throws {
    let server = try TestServer()
    let folder = try TemporaryFolder("backup")
    let acknowledged = Mutex<Set<Int>>([])
    let isDone = Mutex(false)
    let expected = Mutex<Set<Int>>([])
    try inParallel(2) { part in
      if part == 0 {
        let gate = try server.client()
        var number = 0
        while !isDone.withLock({ $0 }) {
          try gate.ok("USER.CREATE user\(number)")
          acknowledged.withLock { _ = $0.insert(number) }
          if number == 150 { try gate.ok("SAVE") }
          number += 1
        }
      } else {
        defer { isDone.withLock { $0 = true } }
        try eventually("some users", within: .seconds(30)) { acknowledged.withLock { $0.count } > 200 }
        expected.withLock { $0 = acknowledged.withLock { $0 } }
        let result = try control("backup", "--json", server.dataPath, folder.path("backup"))
        #expect(result.code == 0, "\(result.errors)")
        let report = try result.object()
        #expect(report["first"] as? Int == 1 && report["path"] as? String == folder.path("backup"))
        #expect(report["last"] as? Int ?? 0 > 200)
      }
    }
    server.kill()
    #expect(try VerifyResult(folder.path("backup")).isSound)

    let restored = try TemporaryFolder("restored")
    let result = try control("restore", folder.path("backup"), restored.path("data"))
    #expect(result.code == 0, "\(result.errors)")
    let second = try TestServer(folder: restored)
    let gate = try second.client()
    for number in expected.withLock({ $0 }) {
      #expect(try gate.fields("USER.GET user\(number)")["status"] == "active")
    }
    try gate.ok("USER.CREATE afterwards")
    try second.terminate()
    #expect(try VerifyResult(restored.path("data")).isSound)
  }

  @Test("restore to a record: later records are gone, and the log continues from it")
  func untilRecord() throws {
    let (folder, data) = try StoryFolder.copied()
    let renamed = try #require(
      try control("inspect", "--json", data).objects().first { $0["command"] as? String == "USER.RENAME" })
    let lsn = try #require(renamed["lsn"] as? Int)

    let result = try control("restore", "--json", data, folder.path("before/data"), "--until", String(lsn - 1))
    #expect(result.code == 74 || result.code == 66, "the folder that it is to be made in must be there")
    try FileManager.default.createDirectory(atPath: folder.path("before"), withIntermediateDirectories: false)
    let again = try control("restore", "--json", data, folder.path("before/data"), "--until", String(lsn - 1))
    #expect(again.code == 0, "\(again.errors)")
    #expect(try again.object()["last"] as? Int == lsn - 1)
    let server = try TestServer(folder: try restoredFolder(folder.path("before/data")))
    let gate = try server.client()
    #expect(try gate.fields("USER.GET cy")["status"] == "active")
    #expect(try gate.fields("USER.GET eli")["status"] == "active", "deleted later")
    #expect(try gate.isNull("TIMER.CURRENT ana WORKSPACE studio"))
    try gate.ok("USER.CREATE fay")
    try server.terminate()
    let state = try VerifyResult(server.dataPath)
    #expect(state.isSound, "\(state.problems)")
    // The server may log records of its own.
    #expect(state.integer("last") >= lsn)
  }

  @Test("restore to a time")
  func untilTime() throws {
    let (folder, data) = try StoryFolder.copied()
    let records = try control("inspect", "--json", data).objects()
    let deletion = try #require(records.first { $0["command"] as? String == "USER.DELETE" })
    let time = try #require(deletion["time"] as? String)
    let last = try #require(
      records.prefix { $0["time"] as? String ?? "" <= time }.last?["lsn"] as? Int, "times are of one width")
    let result = try control("restore", "--json", data, folder.path("then"), "--until", time)
    #expect(result.code == 0, "\(result.errors)")
    #expect(try result.object()["last"] as? Int == last)
    #expect(try VerifyResult(folder.path("then")).state("deleted-users") == 1)
  }

  @Test("nothing is overwritten, and refusals leave nothing behind")
  func refusals() throws {
    let (folder, data) = try StoryFolder.copied()
    let before = try contents(of: data)
    try FileManager.default.createDirectory(atPath: folder.path("full"), withIntermediateDirectories: false)
    try "mine".write(toFile: folder.path("full/file"), atomically: false, encoding: .utf8)
    for words in [["backup", data, folder.path("full")], ["restore", data, folder.path("full")]] {
      let result = try runProgram(try GatehouseProgram.path() + "ctl", words)
      #expect(result.code == 73 && result.errors.contains("nothing is ever overwritten"), "\(result.errors)")
    }
    #expect(try control("backup", data, "\(data)/inside").code == 73)
    #expect(try control("restore", data, folder.path("future"), "--until", "999999").code == 66)
    #expect(try control("restore", data, folder.path("past"), "--until", "1990-01-01T00:00:00Z").code == 66)
    #expect(try control("restore", data, folder.path("x"), "--until", "yesterday").code == 64)
    #expect(try contents(of: data) == before)
    #expect(try names(in: folder.path) == ["data", "full"])
  }

  @Test("a backup of a damaged folder is refused, and says what is damaged")
  func damaged() throws {
    let (folder, data) = try StoryFolder.copied()
    let segment = try StoryFolder.segments(data)[1]
    try flip(byte: 4096 + 64, of: "\(data)/log/\(segment)")
    let result = try control("backup", data, folder.path("backup"))
    #expect(result.code == 66 && result.errors.contains(segment), "\(result.errors)")
    #expect(!result.errors.contains("written to"), "the target is not to blame: \(result.errors)")
    #expect(try names(in: folder.path) == ["data"])
  }

  @Test(
    "from a folder with damaged old records, the snapshot and later records can be saved, and a server starts on them",
    arguments: [["backup", "--without-history"], ["restore", "--from-snapshot"]])
  func withoutHistory(_ words: [String]) throws {
    let (folder, data) = try StoryFolder.copied()
    // The last segment starts before the records after the newer snapshot.
    let segments = try StoryFolder.segments(data)
    try flip(byte: 4096 + 130, of: "\(data)/log/\(segments[0])")
    let refused = try control(words[0], data, folder.path("copy"))
    #expect(refused.code == 66 && refused.errors.contains(segments[0]) && refused.errors.contains(words[1]))
    let result = try control(words[0], words[1], "--json", data, folder.path("copy"))
    #expect(result.code == 0, "\(result.errors)")
    #expect(result.errors.contains("the history is left out: the copy has no records before"))
    let report = try result.object()
    #expect(report["first"] as? Int ?? 0 > 1 && (report["warnings"] as? [String])?.count == 1)
    let state = try VerifyResult(folder.path("copy"))
    #expect(state.isSound && state.state("users") == 5 && state.state("deleted-users") == 1, "\(state.problems)")
    #expect(state.integer("last") == (try VerifyResult(data).integer("last")))
    let server = try TestServer(folder: try restoredFolder(folder.path("copy")))
    try server.client(.resp2).refused("USER.GET ana", with: "NOAUTH")
  }

  @Test("a time before the first record is refused with the earliest one, in a readable form")
  func earliest() throws {
    let (folder, data) = try StoryFolder.copied()
    let record = try #require(try control("inspect", "--json", "--through", "1", data).objects().first)
    let first = try #require(record["time"] as? String)
    let result = try control("restore", data, folder.path("past"), "--until", "1990-01-01T00:00:00Z")
    #expect(result.code == 66 && result.errors.contains("no record of 1990-01-01T00:00:00.000Z or before"))
    #expect(result.errors.contains("the earliest that can be had is record 1 of \(first)"), "\(result.errors)")
  }

  @Test("records before the damage can be restored")
  func beforeTheDamage() throws {
    let (folder, data) = try StoryFolder.copied()
    let segment = try StoryFolder.segments(data)[2]
    let first = try #require(Int(segment.prefix(20)))
    try flip(byte: 4096 + 64, of: "\(data)/log/\(segment)")
    #expect(try VerifyResult(data).code == 1)
    #expect(try control("restore", data, folder.path("all")).code == 66)
    let result = try control("restore", data, folder.path("part"), "--until", String(first - 1))
    #expect(result.code == 0, "\(result.errors)")
    let state = try VerifyResult(folder.path("part"))
    #expect(state.isSound && state.integer("last") == first - 1 && state.state("users") == 6)
  }

  /// Wraps data at a path in a server's folder, because test servers name their data themselves.
  private func restoredFolder(_ data: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder("restored")
    try copy(data, to: folder.path("data"))
    return folder
  }
}
