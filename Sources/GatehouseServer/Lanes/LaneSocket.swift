import CEpoll
import GatehouseWire
import Glibc

/// A client's socket in its lane's loop.
///
/// It has no way to send bytes for all: `PlainTransport` sends them as they are, and `SealedSocket` takes nothing but
/// what TLS has sealed.
final class LaneSocket {
  /// -1 once it is closed, because the number may then belong to another file.
  fileprivate(set) var descriptor: Int32
  private unowned let lane: Lane
  private unowned(unsafe) var user: (any TransportUser)!
  /// The events that the loop is asked to report.
  private var interest: UInt32 = 0

  init(_ descriptor: Int32, on lane: Lane) {
    self.descriptor = descriptor
    self.lane = lane
  }

  /// Starts reading.
  ///
  /// - Parameter user: owns the socket. The lane keeps both alive until the tick in which they are closed is over.
  /// - Returns: false if the kernel has no memory for it.
  func open(_ user: any TransportUser) -> Bool {
    self.user = user
    interest = EPOLLIN.rawValue
    return lane.loop.add(self, interest)
  }

  // MARK: Events

  /// The loop reports events of the socket.
  @inline(__always)
  func handle(_ events: UInt32, room: UnsafeMutableRawBufferPointer) {
    if events == EPOLLIN.rawValue { return receive(room, hasEnd: false) }
    handleRare(events, room)
  }

  private func handleRare(_ events: UInt32, _ room: UnsafeMutableRawBufferPointer) {
    if events & EPOLLOUT.rawValue != 0, descriptor >= 0 {
      let needsMore = user.hasRoom()
      if descriptor >= 0 {
        if needsMore { lane.loop.change(self, interest) } else { ask(interest & ~EPOLLOUT.rawValue) }
      }
    }
    if descriptor < 0 { return }
    if interest & EPOLLIN.rawValue != 0 {
      receive(room, hasEnd: events & (EPOLLRDHUP.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0)
    } else if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
      user.close()
    }
  }

  /// - Parameter hasEnd: whether the peer has closed its side or the socket has failed; both come after the remaining
  ///   bytes.
  @inline(__always)
  private func receive(_ room: UnsafeMutableRawBufferPointer, hasEnd: Bool) {
    // Another event of this tick closed it.
    if descriptor < 0 { return }
    let count = recv(descriptor, room.baseAddress, room.count, 0)
    if count > 0 {
      // Edge-triggered: a full buffer may have left bytes behind, so ask for another report. A partial read has emptied
      // the socket.
      if count == room.count || hasEnd { lane.loop.change(self, interest) }
      user.received(UnsafeRawBufferPointer(start: room.baseAddress, count: count))
    } else if count == 0 {
      user.inputEnded()
    } else if errno != EAGAIN, errno != EINTR {
      user.close()
    }
  }

  // MARK: For its transport

  @inline(__always)
  fileprivate func put(_ bytes: UnsafeRawBufferPointer) -> Int {
    let sent = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    // If the socket has failed, the loop reports it, whatever events were asked for.
    if sent < bytes.count { ask(interest | EPOLLOUT.rawValue) }
    return max(0, sent)
  }

  func setReading(_ isOn: Bool) {
    ask(isOn ? interest | EPOLLIN.rawValue : interest & ~EPOLLIN.rawValue)
  }

  private func ask(_ wanted: UInt32) {
    if wanted == interest { return }
    interest = wanted
    lane.loop.change(self, wanted)
  }

  /// Ends the connection in both directions, which the loop reports.
  fileprivate func fail() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  func close() {
    guard descriptor >= 0 else { return }
    Glibc.close(descriptor)
    descriptor = -1
  }

  var unacknowledged: Int {
    var bytes: Int32 = 0
    _ = ioctl(descriptor, UInt(TIOCOUTQ), &bytes)
    return Int(bytes)
  }
}

/// A connection without encryption: its bytes are on the network as they are.
final class PlainTransport: Transport {
  private let socket: LaneSocket

  init(_ socket: LaneSocket) { self.socket = socket }

  func open(_ user: any TransportUser) -> Bool { socket.open(user) }

  var descriptor: Int32 { socket.descriptor }

  @inline(__always)
  func send(_ bytes: UnsafeRawBufferPointer) -> Int { socket.put(bytes) }

  func setReading(_ isOn: Bool) { socket.setReading(isOn) }

  func close() { socket.close() }

  var unacknowledged: Int { socket.unacknowledged }
}

/// A socket that sends only what TLS has sealed.
struct SealedSocket {
  private let socket: LaneSocket

  init(_ socket: LaneSocket) { self.socket = socket }

  func open(_ user: any TransportUser) -> Bool { socket.open(user) }

  var descriptor: Int32 { socket.descriptor }

  /// Sends as many bytes as possible without blocking, and returns how many.
  func send(_ records: borrowing SealedRecords) -> Int { socket.put(records.bytes) }

  func setReading(_ isOn: Bool) { socket.setReading(isOn) }

  /// Ends the connection in both directions, which the loop reports.
  func fail() { socket.fail() }

  func close() { socket.close() }

  var unacknowledged: Int { socket.unacknowledged }
}
