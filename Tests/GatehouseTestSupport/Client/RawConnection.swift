import Glibc

/// A socket without a protocol: for bytes that no client library would send, and for checking the exact bytes received.
package final class RawConnection {
  private let descriptor: Int32

  /// How long to wait for bytes before it counts as a failure.
  package var patience: Duration

  package init(port: UInt16, patience: Duration = .seconds(20), receiveBuffer: Int32? = nil) throws {
    self.patience = patience
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw TestFailure("socket: \(String(cString: strerror(errno)))") }
    if var size = receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var noDelay: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
    var address = LoopbackAddress.of(port)
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    // `deinit` closes the descriptor, even if an initialiser throws this late.
    guard connected else { throw TestFailure("connect to port \(port): \(String(cString: strerror(errno)))") }
  }

  deinit { Glibc.close(descriptor) }

  /// Sends all bytes; throws when the other side has closed.
  package func send(_ bytes: some Sequence<UInt8>) throws {
    let all = Array(bytes)
    var sent = 0
    while sent < all.count {
      let count = all.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + sent, all.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw TestFailure("send: \(String(cString: strerror(errno)))") }
      sent += count
    }
  }

  package func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// Ends the input (half-close) while replies can still be read.
  package func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Reads available bytes after waiting for the first; empty once the other side has closed.
  package func receiveSome(limit: Int = 65_536) throws -> [UInt8] {
    guard waitForBytes(patience) else { throw TestFailure("nothing came within \(patience)") }
    var buffer = [UInt8](repeating: 0, count: limit)
    let count = recv(descriptor, &buffer, limit, 0)
    // A reset is how the kernel reports a close that left bytes of ours unread.
    guard count > 0 else { return [] }
    return Array(buffer[..<count])
  }

  /// Reads exactly `count` bytes.
  package func receive(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let part = try receiveSome(limit: count - bytes.count)
      guard !part.isEmpty else {
        throw TestFailure("closed after \(bytes.count) of \(count) bytes: \(String(decoding: bytes, as: UTF8.self))")
      }
      bytes.append(contentsOf: part)
    }
    return bytes
  }

  /// Reads one line, without its CRLF.
  package func receiveLine() throws -> String {
    var bytes: [UInt8] = []
    while !bytes.suffix(2).elementsEqual([13, 10]) {
      bytes.append(contentsOf: try receive(1))
    }
    return String(decoding: bytes.dropLast(2), as: UTF8.self)
  }

  /// Reads up to the end of the connection, at most for two minutes: something may always come on a stream of events.
  package func receiveUntilClosed() throws -> String {
    let deadline = ContinuousClock.now + .seconds(120) * Patience.factor
    var bytes: [UInt8] = []
    while true {
      guard ContinuousClock.now < deadline else {
        throw TestFailure("still open after two minutes: \(String(decoding: bytes.prefix(1000), as: UTF8.self))")
      }
      let part = try receiveSome()
      if part.isEmpty { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(contentsOf: part)
    }
  }

  /// Whether the connection is open and idle: nothing arrives for the given time.
  package func isQuiet(for time: Duration) -> Bool { !waitForBytes(time) }

  private func waitForBytes(_ limit: Duration) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let milliseconds = limit.components.seconds * 1_000 + limit.components.attoseconds / 1_000_000_000_000_000
    while true {
      let ready = poll(&entry, 1, Int32(milliseconds))
      if ready < 0 && errno == EINTR { continue }
      return ready > 0
    }
  }
}
