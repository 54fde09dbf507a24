import Foundation
import GatehouseTestSupport
import Testing

@Suite("gatehousectl inspect", .blocking)
struct InspectTests {
  @Test("every record, in order, as text and as JSON, from the archive and the log alike")
  func everything() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let records = try control("inspect", "--json", data).objects()
    let last = try VerifyResult(data).integer("last")
    #expect(records.map { $0["lsn"] as? Int } == Array(1...last))
    let deletion = try #require(records.first { $0["command"] as? String == "USER.DELETE" })
    #expect(deletion["reason"] as? String == "left the company" && deletion["service"] as? String == "local")
    let kinds = (deletion["changes"] as? [[String: Any]] ?? []).compactMap { $0["kind"] as? String }
    #expect(kinds.contains("status-set"), "\(kinds)")
    let text = try control("inspect", data)
    #expect(text.code == 0 && text.output.contains("because: left the company"))

    #expect(try control("compact", "--data", data).code == 0)
    #expect(try control("inspect", data).output == text.output)
    #expect(try control("inspect", "--from", "3", "--through", "5", "--json", data).objects().count == 3)
    #expect(try control("inspect", "--from", "999999", data).output.isEmpty)
  }

  @Test("a folder that was encrypted later shows no record without the key, and says how to give it")
  func encryptedLater() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let key: [String: String?] = ["GATEHOUSE_ENCRYPTION_KEY": String(repeating: "0123456789abcdef", count: 4)]
    let enabled = try control("encryption", "enable", data, environment: key)
    #expect(enabled.code == 0, "\(enabled.errors)")
    for result in [
      try control("inspect", data), try control("inspect", "--names", data), try control("inspect", "--json", data),
      try control("inspect", "--user", "#1", data),
    ] {
      #expect(result.code == 66 && result.output.isEmpty, "\(result.output)")
      #expect(result.errors.contains("give it with --encryption-key-file"), "\(result.errors)")
    }
    #expect(try control("inspect", "--frames", data).code == 0, "frames are told of without reading them")
    #expect(try control("inspect", data, environment: key).output.contains("because: left the company"))
  }

  /// The second line of this reason looks like a line of `inspect`.
  @Test("no text can forge a record, a change or a field, or control the terminal")
  func forgedLines() throws {
    let server = try TestServer()
    let gate = try server.client()
    _ = try gate.reply("USER.CREATE", "ana", "DEPARTMENT", "a, status: active → locked", "NOINVITE")
    let line = "99  2026-11-28T00:00:00.000Z  USER.DELETE  root through local  because: forged"
    _ = try gate.reply(
      "USER.SET", "ana", "department", "b\n    user-created user #7777", "REASON", "ok\n\(line)\u{202e}")
    try server.terminate()
    let text = try control("inspect", "--names", server.dataPath)
    let lines = text.output.split(separator: "\n")
    #expect(lines.count { !$0.hasPrefix(" ") } == 2, "\(text.output)")
    #expect(!lines.contains { $0.hasPrefix("99 ") || $0.hasPrefix("    user-created user #7777") })
    #expect(text.output.contains(#"because: ok\n99  2026"#) && text.output.contains(#"\u{202e}"#))
    #expect(text.output.contains(#"department: "a, status: active → locked""#), "\(text.output)")
    let json = try control("inspect", "--json", server.dataPath)
    let records = try json.objects()
    #expect(records.count == 2 && records.last?["reason"] as? String == "ok\n\(line)\u{202e}")
    for output in [text.output, json.output] {
      let stray = output.unicodeScalars.filter { scalar in
        scalar != "\n"
          && [.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
      }
      #expect(stray.isEmpty, "\(stray.map(\.value))")
    }
  }

  @Test("messages quote file names escaped, on one line")
  func forgedMessages() throws {
    let folder = try TemporaryFolder("forged")
    let path = folder.path("no\nsuch\u{1b}[2J\u{202e}folder")
    for result in [
      try control("verify", path), try control("inspect", path), try control("backup", path, folder.path("copy")),
    ] {
      #expect(result.code == 66 && result.errors.contains(#"no\nsuch\u{1b}[2J\u{202e}folder"#), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count { $0.hasPrefix("gatehousectl: ") } == 1)
    }
    let (story, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(story) {} }
    try Data("x".utf8).write(to: URL(fileURLWithPath: "\(data)/log/a\nproblem b\u{9b}: forged"))
    let found = try control("verify", data)
    #expect(found.code == 1 && found.output.contains(#"a\nproblem b\u{9b}: forged"#), "\(found.output)")
    #expect(!found.output.split(separator: "\n").contains { $0.hasPrefix("problem b") })
  }

  @Test("the records about one user, by number and by name, and between two times")
  func filters() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let all = try control("inspect", "--json", data).objects()
    let created = try #require(
      all.first { record in
        guard record["command"] as? String == "USER.CREATE" else { return false }
        return String(describing: record["changes"] ?? "").contains("ana@acme.example")
      })
    let entity = try #require(
      (created["changes"] as? [[String: Any]])?.first { $0["kind"] as? String == "user-created" }?["of"] as? String)
    let id = try #require(entity.split(separator: " ").last.map(String.init))
    let byNumber = try control("inspect", "--user", id, data)
    let byName = try control("inspect", "--user", "Ana", data)
    #expect(byName.code == 0 && byName.output == byNumber.output && byName.output.contains("timer-started"))
    #expect(!byName.output.contains("dora"))
    let named = try control("inspect", "--user", "ana", "--names", data)
    #expect(named.output.contains("workspace: studio") && named.output.contains("product: payroll"), "\(named.output)")
    #expect(try control("compact", "--data", data).code == 0)
    #expect(try control("inspect", "--user", id, data).output == byNumber.output, "also from the archive's index")
    #expect(try control("inspect", "--user", "nobody", data).code == 64)

    let times = all.compactMap { $0["time"] as? String }
    let middle = times[times.count / 2]
    let late = try control("inspect", "--json", "--since", middle, data).objects()
    #expect(late.count == times.count { $0 >= middle })
    let early = try control("inspect", "--json", "--until", middle, data).objects()
    #expect(early.count == times.count { $0 <= middle })
  }

  @Test("--user shows the same as AUDIT.LIST USER, by name and by number, as text and as JSON, from log and archive")
  func sameAsTheTrail() throws {
    let server = try TestServer()
    let gate = try server.client()
    try gate.ok("PRODUCT.CREATE payroll")
    for name in ["ana", "bo"] { try gate.ok("USER.CREATE \(name) FIRST \(name) PRODUCT payroll") }
    // A person's name is recorded under the contact only.
    for name in ["ana", "bo"] {
      try gate.ok("USER.SET \(name) first \(name)x last Silva department Sales")
      try gate.ok("TIMER.START \(name)")
      try gate.ok("USER.STATUS \(name) locked")
      try gate.ok("USER.RENAME \(name) \(name)2")
    }
    for round in 0..<2 {
      for name in ["ana2", "bo2"] {
        let id = try #require(try gate.fields("USER.GET \(name)")["id"])
        let trail = try gate.pages("AUDIT.LIST USER #\(id)").compactMap { $0.integer("lsn").map(Int.init) }
        #expect(trail.count == 5, "in round \(round)")
        for word in ["#\(id)", name] {
          let json = try control("inspect", "--json", "--user", word, server.dataPath)
          #expect(try json.objects().compactMap { $0["lsn"] as? Int } == trail.reversed(), "\(word): \(json.errors)")
          let text = try control("inspect", "--user", word, server.dataPath).output.split(separator: "\n")
          #expect(text.filter { !$0.hasPrefix(" ") }.compactMap { Int($0.prefix { $0 != " " }) } == trail.reversed())
        }
      }
      if round == 0 { try gate.ok("COMPACT") }
    }
  }

  @Test("a folder without a state still shows what is recorded under the user's contact")
  func withoutAState() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let whole = try control("inspect", "--json", "--user", "ana", data).objects().compactMap { $0["lsn"] as? Int }
    for name in try names(in: "\(data)/snapshots") { try flip(byte: 100, of: "\(data)/snapshots/\(name)") }
    let segment = try #require(try StoryFolder.segments(data).last)
    try flip(byte: 4096 + 130, of: "\(data)/log/\(segment)")
    let first = try #require(Int(segment.prefix(20)))
    let text = try control("inspect", "--through", "\(first - 1)", data).output
    let ana = try #require(text.firstMatch(of: /user-created user (#\d+), contact: #\d+, username: ana/))
    let rest = try control("inspect", "--json", "--user", "\(ana.1)", "--through", "\(first - 1)", data)
    #expect(try rest.objects().compactMap { $0["lsn"] as? Int } == whole.filter { $0 < first }, "\(rest.errors)")
  }

  @Test("outside the kept records it says which are kept")
  func outside() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let last = try VerifyResult(data).integer("last")
    func said(_ words: String...) throws -> (output: String, errors: String) {
      let result = try runProgram(try GatehouseProgram.path() + "ctl", ["inspect"] + words + [data])
      #expect(result.code == 0)
      return (result.output, result.errors)
    }
    #expect(try said("--from", "999999") == ("", "gatehousectl: there is no record 999999: the last one is \(last)\n"))
    #expect(try said("--through", "999999").errors == "gatehousectl: the last record is \(last)\n")
    #expect(try said("--from", "1").errors.isEmpty)
    #expect(
      try said("--user", "#999999").errors.hasPrefix("gatehousectl: nothing found; kept: records 1 to \(last) of 20")
    )
    #expect(try said("--until", "1990-01-01T00:00:00Z").errors.contains("nothing found; kept: records 1 to"))
    #expect(try said("--since", "2200-01-01T00:00:00Z").errors.contains("nothing found"))

    #expect(try control("compact", "--data", data).code == 0)
    pause(.milliseconds(20))
    #expect(try control("compact", "--data", data, "--retention", "10ms").code == 0)
    let first = try VerifyResult(data).integer("first")
    #expect(first > 1)
    let note = "gatehousectl: the first record that is kept is \(first)"
    #expect(try said("--from", "1", "--through", "2") == ("", note + "\n"))
    let some = try said("--from", "1")
    #expect(some.errors == note + "\n" && some.output.hasPrefix("\(first) "))
    #expect(try said("--since", "1990-01-01T00:00:00Z").errors.hasPrefix(note + ", of 20"))
    #expect(try said().errors.isEmpty)
  }

  @Test("frames: their hash chain can be followed by eye, through archive and log")
  func frames() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    for round in 0..<2 {
      let frames = try control("inspect", "--frames", "--json", data).objects()
      #expect(frames.count > 3)
      for (before, frame) in zip(frames, frames.dropFirst()) {
        #expect(frame["previous"] as? String == before["hash"] as? String)
      }
      #expect(frames.contains { ($0["file"] as? String ?? "").hasPrefix("archive/") } == (round == 1))
      let text = try control("inspect", "--frames", data)
      #expect(text.output.split(separator: "\n").count == frames.count)
      #expect(try control("compact", "--data", data).code == 0)
    }
    #expect(try control("inspect", "--frames", "--user", "#1", data).code == 64)
  }

  @Test("records before the damage are shown, and the damage is reported")
  func damaged() throws {
    let (folder, data) = try StoryFolder.copied()
    defer { withExtendedLifetime(folder) {} }
    let segments = try StoryFolder.segments(data)
    let first = try #require(Int(segments[1].prefix(20)))
    try flip(byte: 4096 + 64, of: "\(data)/log/\(segments[1])")
    let result = try control("inspect", "--json", data)
    #expect(result.code == 66 && result.errors.contains(segments[1]), "\(result.errors)")
    #expect(try result.objects().count == first - 1)
  }
}
