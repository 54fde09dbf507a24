import GatehouseStorage
import Testing

@testable import GatehouseServer

@Suite struct NodesHeardTests {
  private static let second: UInt64 = 1_000_000_000

  private static func status(_ revisions: [String: Int64]) -> SharedLogStatus {
    SharedLogStatus(
      epoch: 1, tail: nil, leader: nil,
      nodes: revisions.keys.sorted().map { NodeEntry(name: $0, host: "h", port: 1, version: "1") },
      revisions: revisions, firstIndex: 1, keptBytes: 0)
  }

  /// It is listed still, and so is the process that was started in its place and does not have its name yet.
  @Test func aNodeThatWasKilledIsNoCandidate() {
    var heard = NodesHeard()
    for second in 1...5 as ClosedRange<UInt64> {
      let revisions = ["dead": 7, "live": Int64(second), "me": Int64(second)]
      heard.note(revisions, at: second * Self.second)
      let candidates = heard.candidates(in: Self.status(revisions), besides: "me")
      #expect(candidates.map(\.name) == (second < 4 ? ["dead", "live"] : ["live"]))
    }
    // It is back.
    let revisions: [String: Int64] = ["dead": 8, "live": 6, "me": 6]
    #expect(!heard.isSilent("dead", in: Self.status(revisions)))
    heard.note(revisions, at: 6 * Self.second)
    #expect(!heard.isSilent("dead", in: Self.status(revisions)))
  }

  /// While this node could not look, the others could not write either.
  @Test func nothingIsKnownOfTheTimeInWhichNobodyLooked() {
    var heard = NodesHeard()
    heard.note(["other": 7], at: Self.second)
    // However late it is now.
    #expect(!heard.isSilent("other", in: Self.status(["other": 7])))
    heard.note(["other": 7], at: 9 * Self.second)
    #expect(!heard.isSilent("other", in: Self.status(["other": 7])))
    heard.note([:], at: 10 * Self.second)
    #expect(!heard.isSilent("other", in: Self.status(["other": 7])))
  }

  @Test func whoSaysThatItCannotLeadIsNoCandidate() {
    var status = Self.status(["full": 1, "me": 1])
    status.nodes[0].isCandidate = false
    #expect(NodesHeard().candidates(in: status, besides: "me").isEmpty)
  }
}
