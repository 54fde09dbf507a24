import GatehouseServer
import GatehouseStorage
import Glibc

/// The signals that the process is sent, for whoever awaits them.
///
/// A handler puts the number into a pipe, and a thread waits at its other end. Dispatch, which is what the signals of
/// swift-service-lifecycle go by, waits for them with a signalfd instead, and Linux wakes whoever waits for one at *every*
/// signal of the process, also those by which idle threads yield (`Pace`): 20 µs each instead of 3.
enum SignalStream {
  /// From now on these signals end nothing by themselves. To be called once.
  static func begin(_ numbers: [Int32]) throws(StartFailure) -> AsyncStream<Int32> {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }),
      fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0
    else {
      throw .io("no pipe for signals can be made: \(String(cString: strerror(errno)))")
    }
    let reading = ends[0]
    signalPipe = ends[1]
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      let before = errno
      var byte = UInt8(truncatingIfNeeded: number)
      // If it is full, this one is no news.
      _ = write(signalPipe, &byte, 1)
      errno = before
    }
    action.sa_flags = SA_RESTART
    for number in numbers { sigaction(number, &action, nil) }
    return AsyncStream { continuation in
      PosixThread {
        var byte: UInt8 = 0
        while true {
          let count = read(reading, &byte, 1)
          if count == 1 { continuation.yield(Int32(byte)) } else if count == 0 || errno != EINTR { break }
        }
        continuation.finish()
      }.detach()
    }
  }
}

/// Where the handler writes. It is set before there is a handler, and then only read.
nonisolated(unsafe) private var signalPipe: Int32 = -1
