import CEpoll
import Glibc

/// A client's socket in its lane's loop: the transport of an unencrypted RESP connection.
final class LaneSocket: Transport {
  /// -1 once it is closed, because the number may then belong to another file.
  private(set) var descriptor: Int32
  private unowned let lane: Lane
  private unowned(unsafe) var connection: Connection!
  /// The events that the loop is asked to report.
  private var interest: UInt32 = 0

  init(_ descriptor: Int32, on lane: Lane) {
    self.descriptor = descriptor
    self.lane = lane
  }

  /// Starts reading.
  ///
  /// - Parameter connection: owns the socket. The lane keeps both alive until the tick in which they are closed is
  ///   over.
  /// - Returns: false if the kernel has no memory for it.
  func open(_ connection: Connection) -> Bool {
    self.connection = connection
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
      let needsMore = connection.hasRoom()
      if descriptor >= 0 {
        if needsMore { lane.loop.change(self, interest) } else { ask(interest & ~EPOLLOUT.rawValue) }
      }
    }
    if descriptor < 0 { return }
    if interest & EPOLLIN.rawValue != 0 {
      receive(room, hasEnd: events & (EPOLLRDHUP.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0)
    } else if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
      connection.close()
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
      connection.received(UnsafeRawBufferPointer(start: room.baseAddress, count: count))
    } else if count == 0 {
      connection.inputEnded()
    } else if errno != EAGAIN, errno != EINTR {
      connection.close()
    }
  }

  // MARK: Transport

  @inline(__always)
  func send(_ bytes: UnsafeRawBufferPointer) -> Int {
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
