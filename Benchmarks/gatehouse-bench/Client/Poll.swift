import CEpoll
import Glibc

/// Waits for sockets and, if set, for a point in time.
struct Poll: ~Copyable {
  struct Event {
    let token: Int
    let readable: Bool
    let writable: Bool
  }

  /// One wait reports at most this many sockets.
  private static let batch = 256
  private static let timerToken = UInt64.max

  private let descriptor: Int32
  private let timer: Int32
  private let events: UnsafeMutablePointer<epoll_event>

  init() throws {
    descriptor = epoll_create1(0)
    // A timerfd fires within microseconds; the timeout of a wait is rounded to the thread's timer slack.
    timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK))
    events = .allocate(capacity: Self.batch)
    guard descriptor >= 0, timer >= 0 else { throw BenchError.system("epoll") }
    var event = epoll_event(events: EPOLLIN.rawValue | EPOLLET.rawValue, data: epoll_data_t(u64: Self.timerToken))
    guard epoll_ctl(descriptor, EPOLL_CTL_ADD, timer, &event) == 0 else { throw BenchError.system("epoll_ctl") }
  }

  deinit {
    close(descriptor)
    close(timer)
    events.deallocate()
  }

  func add(_ socket: Int32, token: Int) throws {
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: UInt64(token)))
    guard epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &event) == 0 else { throw BenchError.system("epoll_ctl") }
  }

  /// Also reports when the socket is writable, while bytes wait that the kernel did not take at once.
  func watch(_ socket: Int32, token: Int, writing: Bool) {
    let interest = EPOLLIN.rawValue | (writing ? EPOLLOUT.rawValue : 0)
    var event = epoll_event(events: interest, data: epoll_data_t(u64: UInt64(token)))
    epoll_ctl(descriptor, EPOLL_CTL_MOD, socket, &event)
  }

  func remove(_ socket: Int32) {
    epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, nil)
  }

  /// Ends the wait at `moment` of the monotonic clock.
  func wake(at moment: UInt64) {
    var when = itimerspec()
    when.it_value.tv_sec = Int(moment / 1_000_000_000)
    when.it_value.tv_nsec = Int(moment % 1_000_000_000)
    timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &when, nil)
  }

  /// Waits at most `milliseconds` and calls `body` for every socket with events.
  func wait(milliseconds: Int32, _ body: (Event) throws -> Void) throws {
    let count = epoll_wait(descriptor, events, Int32(Self.batch), milliseconds)
    guard count > 0 else { return }
    for index in 0..<Int(count) {
      let event = events[index]
      if event.data.u64 == Self.timerToken { continue }
      try body(
        Event(
          token: Int(event.data.u64),
          readable: event.events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0,
          writable: event.events & EPOLLOUT.rawValue != 0))
    }
  }
}
