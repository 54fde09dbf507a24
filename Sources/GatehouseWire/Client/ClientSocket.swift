internal import Glibc

/// What carries a client's bytes: a socket, or TLS over one.
protocol ClientTransport: AnyObject {
  typealias Events = ClientSocket.Events

  /// Waits until one of `events` is possible or the connection has ended; reading and writing then tell which.
  func wait(_ events: Events, until deadline: ContinuousClock.Instant?) throws(ClientError) -> Events

  /// The bytes that have arrived, possibly none; nil once the server has closed the connection.
  func read() throws(ClientError) -> [UInt8]?

  /// Sends as many bytes as possible without blocking, and returns how many. The others must be sent again.
  func write(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> Int

  func close()
}

/// A nonblocking TCP connection; `wait` blocks, up to a deadline.
final class ClientSocket: ClientTransport {
  struct Events: OptionSet {
    let rawValue: Int16
    static let readable = Events(rawValue: Int16(POLLIN))
    static let writable = Events(rawValue: Int16(POLLOUT))
  }

  private var descriptor: Int32
  private static let readSize = 64 * 1024
  private static let closed: Int32 = -1

  /// Connects to the first address of `host` that answers.
  init(host: String, port: Int, deadline: ContinuousClock.Instant?) throws(ClientError) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(host, String(port), &hints, &list)
    guard failure == 0 else {
      throw .unknownHost(
        host, reason: failure == EAI_SYSTEM ? Self.reason(errno) : String(cString: gai_strerror(failure)))
    }
    defer { freeaddrinfo(list) }
    var reason = "no address"
    var address = list
    while let candidate = address {
      switch Self.connect(candidate.pointee, deadline) {
      case .success(let descriptor):
        self.descriptor = descriptor
        return
      case .failure(let code):
        reason = Self.reason(code.number)
      }
      address = candidate.pointee.ai_next
    }
    throw .refused("\(host):\(port)", reason: reason)
  }

  deinit { close() }

  func close() {
    guard descriptor != Self.closed else { return }
    _ = Glibc.close(descriptor)
    descriptor = Self.closed
  }

  func wait(_ events: Events, until deadline: ContinuousClock.Instant?) throws(ClientError) -> Events {
    guard descriptor != Self.closed else { throw .closed }
    switch Self.poll(descriptor, events, deadline) {
    case .success(let ready): return ready
    case .failure(let code): throw Self.error(code.number)
    }
  }

  func read() throws(ClientError) -> [UInt8]? {
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Self.readSize) { target, count in
      let received = recv(descriptor, target.baseAddress, target.count, 0)
      code = received < 0 ? errno : received == 0 ? Self.endOfStream : 0
      count = max(0, received)
    }
    switch code {
    case 0, EAGAIN, EINTR: return bytes
    case Self.endOfStream, ECONNRESET: return nil
    default: throw Self.error(code)
    }
  }

  func write(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> Int {
    try bytes.withUnsafeBytes { bytes in Result { () throws(ClientError) in try write(bytes) } }.get()
  }

  /// The same for bytes in memory.
  func write(_ bytes: UnsafeRawBufferPointer) throws(ClientError) -> Int {
    let sent = send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    if sent >= 0 { return sent }
    let code = errno
    guard code == EAGAIN || code == EINTR else { throw Self.error(code) }
    return 0
  }

  // MARK: System calls

  private struct SystemError: Error {
    let number: Int32
  }

  /// Not the number of any system error.
  private static let endOfStream: Int32 = -1

  private static func connect(
    _ address: addrinfo, _ deadline: ContinuousClock.Instant?
  ) -> Result<Int32, SystemError> {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.ai_family, kind, address.ai_protocol)
    guard descriptor >= 0 else { return .failure(SystemError(number: errno)) }
    let failure = connect(descriptor, address, deadline)
    guard failure == 0 else {
      _ = Glibc.close(descriptor)
      return .failure(SystemError(number: failure))
    }
    // Nagle's algorithm off: requests are small, and each is sent complete.
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    return .success(descriptor)
  }

  /// 0, or the number of the error.
  private static func connect(
    _ descriptor: Int32, _ address: addrinfo, _ deadline: ContinuousClock.Instant?
  ) -> Int32 {
    if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return 0 }
    guard errno == EINPROGRESS else { return errno }
    if case .failure(let code) = poll(descriptor, .writable, deadline) { return code.number }
    var result: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &result, &size) == 0 else { return errno }
    return result
  }

  private static func poll(
    _ descriptor: Int32, _ events: Events, _ deadline: ContinuousClock.Instant?
  ) -> Result<Events, SystemError> {
    while true {
      var entry = pollfd(fd: descriptor, events: events.rawValue, revents: 0)
      let count = Glibc.poll(&entry, 1, milliseconds(until: deadline))
      if count == 0 { return .failure(SystemError(number: ETIMEDOUT)) }
      if count < 0 {
        guard errno == EINTR else { return .failure(SystemError(number: errno)) }
        continue
      }
      // A broken connection is reported as ready for everything; the next read or write says why.
      let isBroken = entry.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
      return .success(isBroken ? events : Events(rawValue: entry.revents))
    }
  }

  private static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
    guard let deadline else { return -1 }
    let left = ContinuousClock.now.duration(to: deadline)
    guard left > .zero else { return 0 }
    let (seconds, attoseconds) = left.components
    // Rounded up: if poll returned too early, that would look like a timeout.
    let milliseconds = min(seconds, 1_000_000) * 1000 + attoseconds / 1_000_000_000_000_000 + 1
    return Int32(milliseconds)
  }

  private static func error(_ code: Int32) -> ClientError {
    switch code {
    case ETIMEDOUT: .timedOut
    case ECONNRESET, EPIPE: .closed
    default: .broken(reason: reason(code))
    }
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
