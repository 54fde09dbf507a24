import GatehouseCore
import Testing

@testable import GatehouseServer

/// How a lane shares its time among connections with long work.
@Suite("The queue of long work")
struct WorkLineTests {
  private static let start: UInt64 = 1_000_000_000

  @Test("a tick's time for long work starts with the first piece, and ends")
  func oneTick() {
    var line = WorkLine()
    let moments = [0, WorkLine.nanoseconds - 1, WorkLine.nanoseconds, 100 * WorkLine.nanoseconds]
    let mayWork = moments.map { line.mayWork(Self.start + $0) }
    #expect(mayWork == [true, true, false, false])
    line.beginTick()
    let afterALook = line.mayWork(Self.start + 100 * WorkLine.nanoseconds)
    #expect(afterALook)
  }

  @Test("nobody overtakes the queue, and whoever's turn it is may work")
  func inLine() {
    var line = WorkLine()
    line.append(.task {})
    let overtakes = line.mayWork(Self.start)
    let first = line.next(Self.start)
    line.append(.task {})
    let inTurn = line.mayWork(Self.start + 1)
    let afterTheTick = line.next(Self.start + WorkLine.nanoseconds)
    #expect(!overtakes && first != nil && inTurn && afterTheTick == nil && line.count == 1)
    line.beginTick()
    let overtakesLater = line.mayWork(Self.start + 2 * WorkLine.nanoseconds)
    let second = line.next(Self.start + 2 * WorkLine.nanoseconds)
    #expect(!overtakesLater && second != nil && line.count == 0)
  }

  @Test("between two pieces of queued work the lane serves its sockets")
  func socketsInBetween() throws {
    let lane = try TestLane()
    let client = try TestSocket(lane)
    var seen = 0
    // Each piece uses all the time of a tick, and queues again at once.
    func work() {
      seen += 1
      let end = Clock.nanoseconds() + WorkLine.nanoseconds
      while Clock.nanoseconds() < end {}
      lane.lane.wait(.task { work() })
    }
    lane.lane.wait(.task { work() })
    lane.tick()
    client.send("PING\r\n")
    lane.tick()
    #expect(seen == 2 && client.receive(100) == "-LOADING Gatehouse is loading the data\r\n")
  }
}
