import GatehouseTestSupport
import Glibc
import Testing

@testable import GatehouseServer

/// What the server does when a connection cannot be accepted.
@Suite("Accepting, after a failure", .blocking)
struct AcceptPauseTests {
  @Test(
    "after an error there is a pause, which doubles, and then another try", arguments: [EPERM, EPROTO, EMFILE, EBADF])
  func pauses(code: Int32) {
    var pause = AcceptPause()
    var lengths: [Int32] = []
    for _ in 0..<10 {
      guard case .pause(let milliseconds, _) = pause.failed(code, at: 0) else {
        Issue.record("no pause")
        return
      }
      lengths.append(milliseconds)
    }
    #expect(lengths == [5, 10, 20, 40, 80, 160, 320, 500, 500, 500])
    pause.accepted()
    #expect(pause.failed(code, at: 0) == .pause(5, report: nil))
  }

  @Test("no connection, or a signal, is not a failure", arguments: [EAGAIN, EINTR])
  func nothing(code: Int32) {
    var pause = AcceptPause()
    #expect(pause.failed(code, at: 0) == .none)
  }

  @Test("the same error is reported now and then with a count")
  func reports() {
    var pause = AcceptPause()
    #expect(pause.failed(EMFILE, at: 1) == .pause(5, report: 1))
    #expect(pause.failed(EMFILE, at: 2) == .pause(10, report: nil))
    #expect(pause.failed(EPERM, at: 3) == .pause(20, report: 1))
    #expect(pause.failed(EMFILE, at: AcceptPause.reportInterval) == .pause(40, report: nil))
    #expect(pause.failed(EMFILE, at: AcceptPause.reportInterval + 1) == .pause(80, report: 3))
  }
}
