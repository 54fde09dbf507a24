import GatehouseWire
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

/// A connected, nonblocking TCP socket, with TLS over it if asked for.
struct Socket: ~Copyable {
  enum Transfer {
    case bytes(Int)
    case wouldBlock
    case closed
  }

  let descriptor: Int32
  private let tls: SocketTLS?

  init(_ address: ServerAddress, room: TLSRoom) throws {
    let (host, port) = (address.host, address.port)
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(host, String(port), &hints, &found)
    guard failure == 0, let place = found else {
      throw BenchError("\(host): \(String(cString: gai_strerror(failure)))")
    }
    defer { freeaddrinfo(found) }
    let descriptor = socket(place.pointee.ai_family, place.pointee.ai_socktype, 0)
    guard descriptor >= 0 else { throw BenchError.system("socket") }
    guard connect(descriptor, place.pointee.ai_addr, place.pointee.ai_addrlen) == 0 else {
      let error = BenchError.system("connect to \(host):\(port)")
      close(descriptor)
      throw error
    }
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    let tls: SocketTLS?
    do {
      tls = try address.tls.map { try SocketTLS($0.session(to: host, room: room), on: descriptor) }
      guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw BenchError.system("fcntl") }
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.tls = tls
  }

  deinit { close(descriptor) }

  /// - Parameter space: at least 64 KiB.
  func read(into space: UnsafeMutableRawBufferPointer) -> Transfer {
    if let tls { return tls.read(into: space) }
    return Self.result(recv(descriptor, space.baseAddress, space.count, 0), endOfFileIsZero: true)
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> Transfer {
    if let tls { return tls.write(bytes) }
    return Self.result(send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)), endOfFileIsZero: false)
  }

  fileprivate static func result(_ count: Int, endOfFileIsZero: Bool) -> Transfer {
    if count > 0 { return .bytes(count) }
    if count == 0 { return endOfFileIsZero ? .closed : .wouldBlock }
    return errno == EAGAIN || errno == EINTR ? .wouldBlock : .closed
  }
}

/// TLS over a socket of this program.
private final class SocketTLS {
  private let descriptor: Int32
  private let session: TLSSession
  private var sender = SealedSender()
  /// Half of what a read makes room for: what is decrypted of it always fits, with what was left of a record before.
  private let records = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 * 1024, alignment: 16)

  /// Does the handshake, while the socket still blocks.
  init(_ session: TLSSession, on descriptor: Int32) throws {
    self.descriptor = descriptor
    self.session = session
    session.beginHandshake()
    sender.take(from: session, put)
    let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    defer { space.deallocate() }
    while !session.isEstablished {
      switch read(into: space) {
      case .bytes, .wouldBlock: break
      case .closed: throw BenchError("TLS handshake: \(failure ?? "the server closed the connection")")
      }
    }
  }

  deinit { records.deallocate() }

  private var failure: String?

  func read(into space: UnsafeMutableRawBufferPointer) -> Socket.Transfer {
    let arrived = Socket.result(recv(descriptor, records.baseAddress, records.count, 0), endOfFileIsZero: true)
    guard case .bytes(let count) = arrived else { return arrived }
    var read = 0
    let reception = session.receive(UnsafeRawBufferPointer(rebasing: records[..<count]), space: space) {
      read = $0.count
      return true
    }
    sender.take(from: session, put)
    if case .failed(let error) = reception { failure = error.description }
    if read > 0 { return .bytes(read) }
    return reception == .going ? .wouldBlock : .closed
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> Socket.Transfer {
    guard let taken = sender.send(bytes, by: session, put) else { return .closed }
    return taken > 0 ? .bytes(taken) : .wouldBlock
  }

  private func put(_ records: borrowing SealedRecords) -> Int {
    max(0, send(descriptor, records.bytes.baseAddress, records.bytes.count, Int32(MSG_NOSIGNAL)))
  }
}
