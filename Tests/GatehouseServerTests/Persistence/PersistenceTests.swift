import Foundation
import GatehouseTestSupport
import GatehouseWire
import Testing

/// Snapshots, compaction, and the state at the next start.
@Suite("COMPACT", .blocking)
struct PersistenceTests {
  @Test("COMPACT moves the log into the archive; the trail and the state do not change, also after a restart")
  func compact() throws {
    let server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    let gate = try server.client()
    for number in 0..<60 { try gate.ok("USER.CREATE u\(number)") }
    let trail = try gate.pages("AUDIT.LIST USER u7").map(\.description)

    let done = try gate.fields("COMPACT")
    #expect(done.names == ["snapshot", "archived-through", "segments-removed", "archives", "expired"])
    #expect(done["archived-through"] == "60" && done["segments-removed"] == "1" && done["archives"] == "1")
    #expect(try #require(done.integer("snapshot")) >= 60)
    #expect(try files(server, "archive").count == 1 && files(server, "snapshots").count == 2)
    let info = try #require(try gate.text("INFO snapshot"))
    #expect(info.contains("archived_through_lsn:60"))
    #expect(try gate.pages("AUDIT.LIST USER u7").map(\.description) == trail)
    // The hash of the archive is in the log, so that the hash chain covers it.
    let archived = try #require(try gate.pages("AUDIT.LIST").first { $0["command"] == "COMPACT" }?.value("changes"))
    #expect(archived.formatted().contains("log-archived"))

    // Again, with nothing new but the records of the first compaction: still valid.
    try gate.ok("COMPACT")
    try gate.ok("USER.CREATE last")
    try server.terminate()
    try server.start()
    let again = try server.client()
    #expect(try again.integer("USER.COUNT") == 61)
    #expect(try again.pages("AUDIT.LIST USER u7").map(\.description) == trail)
    #expect(try again.fields("AUDIT.VERIFY")["ok"] == "1")
    #expect(try #require(try again.text("INFO snapshot")).contains("archived_through_lsn:6"))
  }

  @Test("one damaged byte covered by both snapshots: COMPACT names it, moves everything else, and the server continues")
  func damagedPast() throws {
    let server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    var gate = try server.client()
    for number in 0..<60 { try gate.ok("USER.CREATE u\(number)") }
    try gate.ok("SAVE")
    try gate.ok("USER.CREATE between")
    try gate.ok("SAVE")
    try server.terminate()
    let segment = "\(server.dataPath)/log/00000000000000000001.log"
    let file = try #require(FileHandle(forUpdatingAtPath: segment))
    try file.seek(toOffset: 4096 + 130)
    let byte = try #require(try file.read(upToCount: 1)).first!
    try file.seek(toOffset: 4096 + 130)
    try file.write(contentsOf: Data([byte ^ 1]))
    try file.close()

    try server.start()
    gate = try server.client()
    #expect(try gate.integer("USER.COUNT") == 61, "the state is whole")
    for round in 0..<2 {
      let error = try #require(try gate.reply("COMPACT").errorText)
      #expect(error.hasPrefix("ERR the history is damaged: records 1 to ") && error.contains(".damaged"), "\(error)")
      #expect(try files(server, "log").filter { $0.hasSuffix(".log") }.count == 1, "what is sound has gone on")
      #expect(try files(server, "archive").count == (round == 0 ? 1 : 2))
      try gate.ok("USER.CREATE later\(round)")
    }
    #expect(try #require(try gate.text("INFO snapshot")).contains("archived_through_lsn:6"))
    #expect(server.messages.components(separatedBy: "is damaged and was set aside").count == 2, "once")
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "0")
    try server.terminate()
    try server.start()
    #expect(try server.client().integer("USER.COUNT") == 63)
  }

  @Test("COMPACT while clients write, and two at once: nothing acknowledged is lost")
  func underLoad() throws {
    let server = try TestServer(.init(lanes: 2, arguments: ["--segment-bytes", "1mb"]))
    let acknowledged = Collected<String>()
    try inParallel(4) { worker in
      let client = try server.client()
      if worker == 0 {
        for _ in 0..<5 {
          let reply = try client.reply("COMPACT")
          if let error = reply.errorText { #expect(error.hasPrefix("BUSY"), "\(error)") }
          pause(.milliseconds(20))
        }
        return
      }
      if worker == 1 {
        for _ in 0..<20 {
          try client.ok("AUDIT.LIST COUNT 50")
          #expect(try client.fields("AUDIT.VERIFY")["ok"] == "1")
          _ = try client.reply("COMPACT")
        }
        return
      }
      for number in 0..<300 {
        try client.ok("USER.CREATE w\(worker)-\(number)")
        acknowledged.add("w\(worker)-\(number)")
      }
    }
    server.kill()
    try server.start()
    let gate = try server.client()
    #expect(try gate.integer("USER.COUNT") == Int64(acknowledged.all.count))
    #expect(try gate.pages("AUDIT.LIST COUNT 1000").filter { $0["command"] == "USER.CREATE" }.count == 600)
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
  }

  private func files(_ server: TestServer, _ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(server.dataPath)/\(folder)")
  }
}
