import GatehouseCore
import Logging
import Testing

@testable import GatehouseServer

@Suite("The server's clock") struct ServerClockTests {
  private let clock = ServerClock(logger: Logger(label: "test"))

  @Test func returnsTheMachinesTime() {
    let before = Clock.wallMicroseconds()
    let told = clock.microseconds
    #expect(told >= before - 2000 && told - before < 10_000_000)
    #expect(abs(clock.milliseconds - told / 1000) < 10_000)
    #expect(clock.figures.jumps == 0 && !clock.figures.isDoubted)
  }

  @Test func continuesFromTheNewestRecord() {
    let ahead = clock.milliseconds + 3_600_000
    clock.advance(to: ahead)
    #expect(clock.milliseconds >= ahead)
    #expect(clock.figures.wallLead <= -3_590_000)
    // A time once returned is never undercut, whatever the clocks say.
    #expect(clock.look(notBefore: ahead + 1000).now >= ahead + 1000)
    #expect(clock.milliseconds >= ahead + 1000)
  }

  @Test func neverGoesBackBetweenThreads() async {
    await withTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          var last: Milliseconds = 0
          for _ in 0..<20_000 {
            let now = clock.look(notBefore: last).now
            guard now >= last else { return #expect(now >= last) }
            last = now
          }
        }
      }
    }
  }
}
