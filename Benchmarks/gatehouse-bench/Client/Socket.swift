import Glibc

/// An error between this program and the server, in words for the terminal.
struct BenchError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// A failed system call, with the kernel's reason.
  static func system(_ call: String) -> BenchError {
    BenchError("\(call): \(String(cString: strerror(errno)))")
  }
}

/// A connected, nonblocking TCP socket.
struct Socket: ~Copyable {
  enum Transfer {
    case bytes(Int)
    case wouldBlock
    case closed
  }

  let descriptor: Int32

  init(host: String, port: Int) throws {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(host, String(port), &hints, &found)
    guard failure == 0, let address = found else {
      throw BenchError("\(host): \(String(cString: gai_strerror(failure)))")
    }
    defer { freeaddrinfo(found) }
    let descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
    guard descriptor >= 0 else { throw BenchError.system("socket") }
    guard connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
      let error = BenchError.system("connect to \(host):\(port)")
      close(descriptor)
      throw error
    }
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
      let error = BenchError.system("fcntl")
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  func read(into space: UnsafeMutableRawBufferPointer) -> Transfer {
    result(recv(descriptor, space.baseAddress, space.count, 0), endOfFileIsZero: true)
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> Transfer {
    result(send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)), endOfFileIsZero: false)
  }

  private func result(_ count: Int, endOfFileIsZero: Bool) -> Transfer {
    if count > 0 { return .bytes(count) }
    if count == 0 { return endOfFileIsZero ? .closed : .wouldBlock }
    return errno == EAGAIN || errno == EINTR ? .wouldBlock : .closed
  }
}
