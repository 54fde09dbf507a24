import GatehouseStorage
import Synchronization
import Testing
@testable import GatehouseServer

/// The right to lead, which ends when the test says so.
private final class EndingLeadership: Leadership {
  let until = Atomic<UInt64>(.max)

  init() {}

  var epoch: UInt64 { 1 }
  var tail: SharedTail { SharedTail(index: 0, lsn: 0, hash: .zero, epoch: 0) }
  var validUntil: UInt64 { until.load(ordering: .relaxed) }
  func makeSink() -> sending any LogSink { preconditionFailure("nothing is written") }
  var room: (kept: UInt64, limit: UInt64) { (0, 1) }
  func end() async -> String { "" }
  func resign() async {}
}

/// Replies that a leader has made, and may not send any more.
struct HeldBackTests {
  private static let ping = "*1\r\n$4\r\nPING\r\n"
  private static let loading = "-LOADING Gatehouse is loading the data\r\n"

  @Test func aReplyDoesNotLeaveOnceTheLeaseIsOver() throws {
    let lane = try TestLane()
    let client = MemoryConnection(lane)
    let leadership = EndingLeadership()
    lane.lane.facts.node.lead(leadership)
    client.send(Self.ping)
    #expect(client.received == Self.loading)
    leadership.until.store(LeaseClock.now(), ordering: .relaxed)
    client.send(Self.ping)
    #expect(client.received == "")
    #expect(client.transport.isClosed && lane.lane.connections.isEmpty)
  }

  /// It was made while the node led, and the client had not read enough for it to leave.
  @Test func whatWaitsForTheSocketDoesNotLeaveEither() throws {
    let lane = try TestLane()
    let client = MemoryConnection(lane)
    let leadership = EndingLeadership()
    lane.lane.facts.node.lead(leadership)
    client.transport.room = 5
    client.send(Self.ping)
    #expect(client.received == "-LOAD")
    leadership.until.store(0, ordering: .relaxed)
    client.makeRoom(1000)
    #expect(client.received == "" && client.transport.isClosed)
  }

  @Test func whoIsAloneAsksNoLease() throws {
    let lane = try TestLane()
    #expect(lane.lane.facts.node.mayAnswer && lane.lane.facts.node.role == .alone)
    lane.lane.facts.node.follow()
    #expect(lane.lane.facts.node.mayAnswer)
    lane.lane.facts.node.lead(EndingLeadership())
    #expect(lane.lane.facts.node.mayAnswer)
    lane.lane.facts.node.depose()
    #expect(!lane.lane.facts.node.mayAnswer)
  }
}
