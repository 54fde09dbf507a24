import GatehouseStorage
import Testing

@testable import GatehouseServer

@Suite struct NodesHeardTests {
  private static let second: UInt64 = 1_000_000_000

  private static func status(_ names: String...) -> SharedLogStatus {
    SharedLogStatus(
      epoch: 1, tail: nil, leader: nil, nodes: names.map { NodeEntry(name: $0, host: "h", port: 1, version: "1") },
      firstIndex: 1, keptBytes: 0)
  }

  /// It is listed still, and so is the process that was started in its place and does not have its name yet.
  @Test func aNodeThatWasKilledIsNoCandidate() {
    var heard = NodesHeard()
    for second in 1...5 as ClosedRange<UInt64> {
      heard.note(["dead": 7, "live": Int64(second)], at: second * Self.second)
      let candidates = heard.candidates(in: Self.status("dead", "live", "me"), besides: "me", at: second * Self.second)
      #expect(candidates.map(\.name) == (second < 4 ? ["dead", "live"] : ["live"]))
    }
    heard.note(["dead": 8, "live": 6], at: 6 * Self.second)
    #expect(!heard.isSilent("dead", at: 6 * Self.second))
  }

  /// While this node could not look, the others could not write either.
  @Test func nothingIsKnownOfTheTimeInWhichNobodyLooked() {
    var heard = NodesHeard()
    heard.note(["other": 7], at: Self.second)
    heard.note(["other": 7], at: 9 * Self.second)
    #expect(!heard.isSilent("other", at: 9 * Self.second))
    heard.note([:], at: 10 * Self.second)
    #expect(!heard.isSilent("other", at: 20 * Self.second))
  }

  @Test func whoSaysThatItCannotLeadIsNoCandidate() {
    var status = Self.status("full", "me")
    status.nodes[0].isCandidate = false
    #expect(NodesHeard().candidates(in: status, besides: "me", at: 0).isEmpty)
  }
}
