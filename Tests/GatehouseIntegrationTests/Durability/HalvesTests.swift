import GatehouseTestSupport
import Testing

/// Commands that touch people in several partitions are done or not done after a kill, never by half.
@Suite("Durability: nothing by half", .serialized, .blocking)
struct HalvesTests {
  @Test("merges, renames, purges, undone merges and moves of the home under kill −9")
  func killed() throws {
    let server = try TestServer(.init(lanes: 2))
    let gate = try server.client()
    try gate.ok("WORKSPACE.CREATE acme")
    var random = SeededRandom(seed: UInt64.random(in: 0...UInt64.max))
    for round in 0..<8 {
      let client = try server.client()
      var setUp: [[String]] = []
      for pair in 0..<60 {
        setUp.append(["USER.CREATE", "k\(round)-\(pair)", "FIRST", "Kept", "NOINVITE"])
        setUp.append(["USER.CREATE", "d\(round)-\(pair)", "LAST", "Dropped", "NOINVITE"])
        setUp.append(["WORKSPACE.MEMBER", "acme", "k\(round)-\(pair)"])
      }
      _ = try client.pipeline(setUp)
      let acts = (0..<60).flatMap { pair in
        let (kept, gone) = ("k\(round)-\(pair)", "d\(round)-\(pair)")
        return [
          ["USER.MERGE", kept, gone], ["USER.RENAME", kept, "r\(round)-\(pair)"],
          ["USER.MOVEHOME", "r\(round)-\(pair)", "acme"],
        ]
      }.shuffled(using: &random)
      let moment = Int.random(in: 1...12, using: &random)
      try inParallel(2) { worker in
        if worker == 0 {
          guard let client = try? server.client() else { return }
          _ = try? client.pipeline(acts)
        } else {
          pause(.milliseconds(moment))
          server.kill()
        }
      }
      try server.start()
      try check(server, round)
    }
    #expect(try server.terminate() == .exited(0))
    let verified = try runProgram(try GatehouseProgram.path() + "ctl", ["verify", server.dataPath])
    #expect(verified.succeeded, "\(verified.output)\(verified.errors)")
  }

  private func check(_ server: TestServer, _ round: Int) throws {
    let gate = try server.client()
    for pair in 0..<60 {
      let names = ["k\(round)-\(pair)", "r\(round)-\(pair)"]
      let found = names.compactMap { try? gate.fields("USER.GET \($0)") }
      let kept = try #require(found.first)
      let gone = try gate.fields("USER.GET d\(round)-\(pair)")
      if gone["id"] == kept["id"] {
        // Merged: what the kept one lacked came in the same record.
        #expect(kept["last"] == "Dropped")
      } else {
        #expect(kept["last"] == nil && gone["status"] == "active")
      }
      #expect(["main", "acme"].contains(kept["home"]))
    }
    #expect(try gate.fields("AUDIT.VERIFY")["ok"] == "1")
  }
}
