import GatehouseStorage
import Glibc

/// Signals that the process takes instead of being ended by them, in order.
///
/// A handler writes them to a pipe, which a thread reads. Dispatch's signal sources, which swift-service-lifecycle has, are
/// not used: they watch by `signalfd`, whose waiting thread wakes at every signal to any thread, and those that hash
/// passwords get one every half millisecond (`Pace`).
struct ProcessSignals: Sendable {
  let taken: AsyncStream<Int32>

  private static let ends: (reading: Int32, writing: Int32) = {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { fatalError("pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // The handler must never wait.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    return (ends[0], ends[1])
  }()

  /// Takes these signals from now on. There is one pipe for the process, so call it once.
  init(_ signals: [Int32]) {
    // Made now, because a handler must not make it.
    let reading = Self.ends.reading
    let (taken, continuation) = AsyncStream.makeStream(of: Int32.self)
    self.taken = taken
    PosixThread {
      var number: UInt8 = 0
      while true {
        switch read(reading, &number, 1) {
        case 1: continuation.yield(Int32(number))
        case -1 where errno == EINTR: continue
        default: return
        }
      }
    }.detach()
    for signal in signals {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { signal in
        let before = errno
        var number = UInt8(truncatingIfNeeded: signal)
        _ = write(ProcessSignals.ends.writing, &number, 1)
        errno = before
      }
      action.sa_flags = SA_RESTART
      sigaction(signal, &action, nil)
    }
  }
}
