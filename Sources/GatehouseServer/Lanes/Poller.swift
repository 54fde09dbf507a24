import CEpoll
import Glibc
import NIOCore

/// The sockets that a lane waits for, an eventfd that other threads ring, and a timer, in one `epoll` set.
///
/// Sockets are edge-triggered: the kernel reports new bytes once, and does not check every socket again in the next
/// wait only to find it empty. For fairness a socket is still read only once per wait, so that a client that sends much
/// does not hold up others. If a read leaves bytes behind, `change` has them reported again.
struct Poller: ~Copyable {
  enum Event {
    case socket(LaneSocket, UInt32)
    case timer
  }

  /// How many sockets one wait reports at most. Linux 6.0 and later are slower with room for thousands.
  private static let batch = 256

  private let epoll: Int32
  private let bell: Int32
  private let timer: Int32
  private let events: UnsafeMutablePointer<epoll_event>

  // An event carries a socket's address, or one of these, which cannot be addresses.
  private static let bellToken: UInt64 = 0
  private static let timerToken: UInt64 = 1

  /// - Parameter interval: milliseconds between two calls of the timer.
  init(timerInterval interval: Int) throws(IOError) {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    bell = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
    events = .allocate(capacity: Self.batch)
    guard epoll >= 0, bell >= 0, timer >= 0 else { throw IOError(errnoCode: errno, reason: "epoll") }
    // Edge-triggered, so that nobody has to read the eventfd.
    guard control(EPOLL_CTL_ADD, bell, EPOLLIN.rawValue | EPOLLET.rawValue, Self.bellToken),
      control(EPOLL_CTL_ADD, timer, EPOLLIN.rawValue, Self.timerToken)
    else { throw IOError(errnoCode: errno, reason: "epoll_ctl") }
    let length = timespec(tv_sec: interval / 1000, tv_nsec: interval % 1000 * 1_000_000)
    var period = itimerspec(it_interval: length, it_value: length)
    timerfd_settime(timer, 0, &period, nil)
  }

  deinit {
    for descriptor in [epoll, bell, timer] where descriptor >= 0 { close(descriptor) }
    events.deallocate()
  }

  // MARK: Sockets

  /// - Parameter interest: `EPOLLIN`, `EPOLLOUT`, both or none. Errors and the peer closing its side are always
  ///   reported.
  /// - Returns: false if the kernel has no memory for it.
  func add(_ socket: LaneSocket, _ interest: UInt32) -> Bool {
    control(EPOLL_CTL_ADD, socket.descriptor, interest | Self.edges, Self.token(socket))
  }

  /// Changes which events of a socket are reported. Events that are true now are reported again, even if nothing
  /// changes.
  func change(_ socket: LaneSocket, _ interest: UInt32) {
    let isChanged = control(EPOLL_CTL_MOD, socket.descriptor, interest | Self.edges, Self.token(socket))
    precondition(isChanged, "a socket is not in its lane's epoll set")
  }

  private static let edges = EPOLLET.rawValue | EPOLLRDHUP.rawValue

  private func control(_ operation: Int32, _ descriptor: Int32, _ interest: UInt32, _ token: UInt64) -> Bool {
    var event = epoll_event(events: interest, data: epoll_data_t(u64: token))
    return epoll_ctl(epoll, operation, descriptor, &event) == 0
  }

  private static func token(_ socket: LaneSocket) -> UInt64 {
    UInt64(UInt(bitPattern: Unmanaged.passUnretained(socket).toOpaque()))
  }

  // MARK: Waiting

  /// The timer is level-triggered, so it must be read or it would be reported again at once.
  private func restartTimer() {
    var expirations: UInt64 = 0
    _ = read(timer, &expirations, 8)
  }

  /// Ends a wait, or the next one. May be called from any thread.
  func ring() {
    var one: UInt64 = 1
    _ = write(bell, &one, 8)
  }

  /// Waits for events, or only polls for them, and hands them over one after the other.
  ///
  /// The batch may still hold events of a socket that is closed meanwhile, so whoever closes one must keep it alive
  /// until the wait is over.
  @inline(__always)
  func wait(_ mayWait: Bool, _ body: (Event) -> Void, woken: () -> Void) {
    let count = epoll_wait(epoll, events, Int32(Self.batch), mayWait ? -1 : 0)
    woken()
    guard count > 0 else { return }
    for index in 0..<Int(count) {
      let event = events[index]
      switch event.data.u64 {
      case Self.bellToken: break
      case Self.timerToken:
        restartTimer()
        body(.timer)
      case let address:
        let socket = Unmanaged<LaneSocket>.fromOpaque(UnsafeRawPointer(bitPattern: UInt(address))!)
        body(.socket(socket.takeUnretainedValue(), event.events))
      }
    }
  }
}
