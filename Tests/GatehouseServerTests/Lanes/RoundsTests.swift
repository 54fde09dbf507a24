import GatehouseCore
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import GatehouseServer

/// How a lane shares its time among those who ask for much.
@Suite("Rounds")
struct RoundsTests {
  private static let start: UInt64 = 1_000_000_000

  @Test("a round begins with the first long work, and ends")
  func oneRound() {
    var rounds = Rounds()
    let moments = [
      0, Rounds.nanoseconds - 1, Rounds.nanoseconds,
      // Not until the loop has looked at its sockets, or must have.
      2 * Rounds.nanoseconds, Rounds.nanoseconds + Rounds.rest + 1,
    ]
    let mayWork = moments.map { rounds.mayWork(Self.start + $0) }
    #expect(mayWork == [true, true, false, false, true])
  }

  @Test("nobody overtakes those who wait in line, and whose turn it is may work")
  func inLine() {
    var rounds = Rounds()
    rounds.waiting.append(.task {})
    let overtakes = rounds.mayWork(Self.start)
    rounds.begin(Self.start)
    rounds.waiting.append(.task {})
    let first = rounds.next(Self.start)
    let inTurn = rounds.mayWork(Self.start + 1)
    let afterTheRound = rounds.next(Self.start + Rounds.nanoseconds)
    #expect(!overtakes && first != nil && inTurn && afterTheRound == nil && rounds.count == 1)
    let overtakesLater = rounds.mayWork(Self.start + Rounds.nanoseconds + Rounds.rest + 1)
    rounds.begin(Self.start + 2 * Rounds.nanoseconds)
    let second = rounds.next(Self.start + 2 * Rounds.nanoseconds)
    #expect(!overtakesLater && second != nil && rounds.count == 0)
  }

  /// Tasks alone would be carried out until there are none, before the loop looks at a socket again.
  @Test("between two rounds the loop looks at its sockets")
  func socketsInBetween() async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let facts = ServerFacts(configuration: ServerConfiguration(), logger: Logger(label: "test"))
    let lane = Lane(index: 0, loop: loop, clock: facts.clock)
    try await loop.flatSubmit { lane.hangBell() }.get()
    let seen = Mutexed((rounds: 0, ticks: [Int]()))
    let other = try await loop.flatSubmit {
      RoundBell.hang(on: loop) { seen.withLock { $0.ticks.append($0.rounds) } }
    }.get()
    // Each round's work waits in line again at once, and a socket becomes readable in each.
    @Sendable func work() {
      seen.withLock { $0.rounds += 1 }
      other.value.ring()
      let end = Clock.nanoseconds() + Rounds.nanoseconds
      while Clock.nanoseconds() < end {}
      if seen.withLock({ $0.rounds < 10 }) { lane.wait(.task { work() }) }
    }
    loop.execute { lane.wait(.task { work() }) }
    while seen.withLock({ $0.rounds < 10 || $0.ticks.count < 5 }) { try await Task.sleep(for: .milliseconds(1)) }
    let ticks = seen.withLock(\.ticks)
    #expect(Set(ticks).count >= 5, "the socket was looked at after the rounds \(ticks)")
    try await loop.submit { lane.bell = nil }.get()
  }
}
