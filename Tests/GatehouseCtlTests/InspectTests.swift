import Foundation
import GatehouseTestSupport
import Testing

@Suite("gatehousectl inspect")
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

  @Test("the records about one user, by number and by name, and of a span of time")
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

  @Test("frames: their chain can be followed by eye, through archive and log")
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

  @Test("of a damaged log, what is before the damage is shown, and the damage named")
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
