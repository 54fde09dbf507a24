import GatehouseStorage
import Glibc
import Logging
import NIOCore
import Synchronization

/// The listening socket, and the thread that accepts connections from it.
///
/// No error of `accept` ends listening or makes the thread spin: it pauses and tries again (see `AcceptPause`). It
/// turns surplus clients away before a lane sees them.
final class Listener: Sendable {
  private let socket: Int32
  /// A pipe that tells the thread to end: its read end then becomes readable.
  private let bell: (read: Int32, write: Int32)
  private let state = Mutex<State>(State())
  let address: SocketAddress
  private let entrance: any Entrance

  private struct State: Sendable {
    var isOpen = true
    var thread: PosixThread?
  }

  /// How many connections may wait for `accept`.
  private static let backlog: Int32 = 1024

  /// Binds and listens. Clients can connect from here on; they are accepted once `start` was called.
  ///
  /// - Throws: `IOError` with the failed call's `errno`, the error of resolving the host, or `Unwanted`.
  init(host: String, port: Int, entrance: some Entrance) throws {
    let wanted = try SocketAddress.makeAddressResolvingHost(host, port: port)
    if let reason = entrance.refusal(of: wanted) { throw Unwanted(reason: reason) }
    self.entrance = entrance
    let family = wanted.protocol == .inet6 ? AF_INET6 : AF_INET
    let socket = Glibc.socket(
      family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), Int32(IPPROTO_TCP))
    guard socket >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
    self.socket = socket
    var ends: [Int32] = [-1, -1]
    let isPiped = pipe(&ends) == 0
    bell = (ends[0], ends[1])
    do {
      guard isPiped else { throw IOError(errnoCode: errno, reason: "pipe") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      var yes: Int32 = 1
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
      guard wanted.withSockAddr({ Glibc.bind(socket, $0, socklen_t($1)) }) == 0 else {
        throw IOError(errnoCode: errno, reason: "bind")
      }
      guard listen(socket, Self.backlog) == 0 else { throw IOError(errnoCode: errno, reason: "listen") }
      address = try SocketAddress(of: socket)
    } catch {
      Glibc.close(socket)
      for end in ends where end >= 0 { Glibc.close(end) }
      throw error
    }
  }

  deinit { close() }

  /// The entrance may not listen on the address.
  struct Unwanted: Error {
    let reason: String
  }

  /// Accepts until `close`, on a thread of its own.
  func start(_ lanes: [Lane], _ facts: ServerFacts, logger: Logger) {
    // The thread uses the raw descriptors, so `close` joins it before it closes them.
    let (socket, bell, entrance) = (socket, bell.read, entrance)
    state.withLock { state in
      precondition(state.isOpen && state.thread == nil, "a listener is started once")
      state.thread = PosixThread {
        var acceptor = Acceptor(lanes: lanes, facts: facts, entrance: entrance)
        Self.accept(from: socket, until: bell, &acceptor, logger)
      }
    }
  }

  /// Stops accepting and frees the address.
  func close() {
    state.withLock { state in
      guard state.isOpen else { return }
      state.isOpen = false
      _ = write(bell.write, "!", 1)
      state.thread?.join()
      Glibc.close(socket)
      Glibc.close(bell.read)
      Glibc.close(bell.write)
    }
  }

  // MARK: Accepting

  private static func accept(from socket: Int32, until bell: Int32, _ acceptor: inout Acceptor, _ logger: Logger) {
    var pause = AcceptPause()
    while true {
      var events = [bell, socket].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      poll(&events, 2, -1)
      if events[0].revents != 0 { return }
      let client = Glibc.accept(socket, nil, nil)
      if client >= 0 {
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        pause.accepted()
        acceptor.take(client)
        continue
      }
      let code = errno
      guard case .pause(let milliseconds, let report) = pause.failed(code, at: Clock.nanoseconds()) else { continue }
      acceptor.facts.acceptErrors.add(1, ordering: .relaxed)
      if let report {
        logger.warning(
          "a connection could not be accepted; accepting goes on after a pause",
          metadata: ["error": "\(String(cString: strerror(code)))", "times": "\(report)"])
      }
      // While accepting is paused, wait for the pipe only.
      poll(&events, 1, milliseconds)
      if events[0].revents != 0 { return }
    }
  }
}
