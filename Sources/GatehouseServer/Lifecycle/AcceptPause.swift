import Glibc

/// How long the server waits before it accepts again after `accept` has failed, and which failures it reports.
///
/// No error of `accept` ends listening: most say that one client's connection came to nothing (`ECONNABORTED`, `EPROTO`,
/// `EHOSTUNREACH`, a firewall's `EPERM`), and the others pass (`EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`). The connections
/// that wait stay in the kernel's queue, so to ask again at once would take a whole core and change nothing: the pause
/// doubles with each failure in a row.
struct AcceptPause {
  /// The first pause in milliseconds; one odd error then delays nobody noticeably.
  static let shortest: Int32 = 5
  static let longest: Int32 = 500
  /// The same error is reported once in so many nanoseconds.
  static let reportInterval: UInt64 = 10_000_000_000

  private var pause: Int32 = 0
  private var reported: [Int32: (at: UInt64, unreported: Int)] = [:]

  init() {}

  enum Failure: Equatable {
    /// Nothing is wrong: no connection waits, or a signal came.
    case none
    /// Wait for so many milliseconds. `report` is how often the error has come since it was last reported, this time
    /// included; nil where it is too early for another report.
    case pause(Int32, report: Int?)
  }

  mutating func accepted() { pause = 0 }

  mutating func failed(_ code: Int32, at now: UInt64) -> Failure {
    if code == EAGAIN || code == EWOULDBLOCK || code == EINTR { return .none }
    pause = pause == 0 ? Self.shortest : min(2 * pause, Self.longest)
    return .pause(pause, report: report(code, now))
  }

  private mutating func report(_ code: Int32, _ now: UInt64) -> Int? {
    guard let last = reported[code], now &- last.at < Self.reportInterval else {
      let count = (reported[code]?.unreported ?? 0) + 1
      reported[code] = (now, 0)
      return count
    }
    reported[code]!.unreported += 1
    return nil
  }
}
