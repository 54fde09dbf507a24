import Glibc

/// How long to wait before accepting again after `accept` has failed, and which failures to log.
///
/// No error of `accept` ends listening. Most mean that one client's connection failed (`ECONNABORTED`, `EPROTO`,
/// `EHOSTUNREACH`, a firewall's `EPERM`); the others pass (`EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`). Waiting
/// connections stay in the kernel's queue, so trying again at once would use a whole core and change nothing. The pause
/// doubles with each failure in a row.
struct AcceptPause {
  /// The first pause in milliseconds, short enough that a single error delays nobody noticeably.
  static let shortest: Int32 = 5
  static let longest: Int32 = 500
  /// The same error is logged at most once in this many nanoseconds.
  static let reportInterval: UInt64 = 10_000_000_000

  private var pause: Int32 = 0
  private var reported: [Int32: (at: UInt64, unreported: Int)] = [:]

  init() {}

  enum Failure: Equatable {
    /// Nothing is wrong: no connection waits, or a signal interrupted the call.
    case none
    /// Wait for this many milliseconds. `report` counts how often the error has occurred since it was last logged, this
    /// time included; nil if it is too early to log it again.
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
