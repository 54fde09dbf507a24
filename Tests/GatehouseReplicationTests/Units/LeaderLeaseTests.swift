import Testing

@testable import GatehouseReplication

struct LeaderLeaseTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func itCountsFromWhenAHeartbeatWasSent() {
    let lease = LeaderLease(milliseconds: 5_000, sent: 100 * Self.second)
    // Less a tenth, by which two clocks may part.
    #expect(lease.validUntil == 104 * Self.second + Self.second / 2)
    lease.extend(sent: 101 * Self.second)
    #expect(lease.validUntil == 105 * Self.second + Self.second / 2)
  }

  @Test func anAnswerThatCameLateDoesNotShortenIt() {
    let lease = LeaderLease(milliseconds: 5_000, sent: 100 * Self.second)
    lease.extend(sent: 99 * Self.second)
    #expect(lease.validUntil == 104 * Self.second + Self.second / 2)
  }

  @Test func onceOverItStaysOver() {
    let lease = LeaderLease(milliseconds: 5_000, sent: 100 * Self.second)
    lease.end()
    lease.extend(sent: 200 * Self.second)
    #expect(lease.validUntil == 0)
  }

  @Test func aLeaderThatHearsNothingGivesUpAfterAnotherLease() {
    let lease = LeaderLease(milliseconds: 4_000, sent: 0)
    #expect(!lease.isLongOver(at: 7 * Self.second))
    #expect(lease.isLongOver(at: 8 * Self.second))
  }

  @Test func aLeaderIsSilentAfterALeaseInWhichEtcdAnswered() {
    var sight = LeaderSight()
    let gap = Self.second
    for tick in 0...10 { sight.note(7, at: 100 * Self.second + UInt64(tick) * Self.second / 2, gap: gap) }
    #expect(!sight.isSilent(7, at: 104 * Self.second, lease: 5 * Self.second))
    #expect(sight.isSilent(7, at: 105 * Self.second, lease: 5 * Self.second))
    #expect(!sight.isSilent(8, at: 105 * Self.second, lease: 5 * Self.second))
    // A heartbeat begins it anew.
    sight.note(8, at: 105 * Self.second, gap: gap)
    #expect(!sight.isSilent(8, at: 106 * Self.second, lease: 5 * Self.second))
  }

  @Test func timeInWhichEtcdDidNotAnswerDoesNotCount() {
    var sight = LeaderSight()
    sight.note(7, at: 100 * Self.second, gap: Self.second)
    sight.note(7, at: 110 * Self.second, gap: Self.second)
    #expect(!sight.isSilent(7, at: 110 * Self.second, lease: 5 * Self.second))
    #expect(sight.isSilent(7, at: 115 * Self.second, lease: 5 * Self.second))
  }
}
