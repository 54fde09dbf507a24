import GatehouseWire
import Synchronization

/// TLS between a connection and its socket. All records of a read are decrypted first, and their requests then carried
/// out together, as without TLS; replies of a tick are sealed and sent together.
final class TLSTransport: Transport, TransportUser {
  private let socket: SealedSocket
  private let session: TLSSession
  private let figures: TLSFigures
  private unowned let lane: Lane
  private unowned(unsafe) var user: (any TransportUser)!
  private var sender = SealedSender()
  private var isClosed = false
  /// Records of the handshake that wait for the lane's time; nil if it is not in line for that.
  private var handshake: [UInt8]?
  private var isHandshakeCounted = false
  private(set) var peerNames: [String] = []

  /// A handshake takes less; who sends more without an answer does no handshake.
  private static let mostOfHandshake = 128 * 1024

  init(_ socket: SealedSocket, _ context: TLSContext, on lane: Lane) {
    self.socket = socket
    self.lane = lane
    figures = lane.facts.tls
    session = TLSSession(context, serverName: nil, room: lane.tlsRoom)
  }

  func open(_ user: any TransportUser) -> Bool {
    self.user = user
    return socket.open(self)
  }

  // MARK: Events of the socket

  func received(_ records: UnsafeRawBufferPointer) {
    if session.isEstablished { take(records) } else { wait(with: records) }
  }

  /// Keeps records of the handshake until the lane has time. One costs as much as hundreds of requests, so a flood of
  /// them must not hold up those who are connected.
  private func wait(with records: UnsafeRawBufferPointer) {
    guard (handshake?.count ?? 0) + records.count <= Self.mostOfHandshake else {
      figures.failed("more bytes than a handshake has")
      return close()
    }
    guard handshake == nil else { return handshake! += records }
    handshake = Array(records)
    lane.wait(.task { [self] in goOnWithHandshake() })
  }

  private func goOnWithHandshake() {
    guard let records = handshake, !isClosed else { return }
    handshake = nil
    lane.forgetClock()
    records.withUnsafeBytes { take($0) }
  }

  private func take(_ records: UnsafeRawBufferPointer) {
    let reception = session.receive(records, space: lane.plain) { plain in
      noteHandshake()
      // Before the replies of the requests: the end of the handshake must leave first.
      sendSealed()
      user.received(plain)
      return !isClosed
    }
    if isClosed { return }
    noteHandshake()
    sendSealed()
    switch reception {
    case .going: break
    case .ended: user.inputEnded()
    case .failed(let error):
      if !session.isEstablished { figures.failed(error.description) }
      user.close()
    }
  }

  private func noteHandshake() {
    if isHandshakeCounted || !session.isEstablished { return }
    isHandshakeCounted = true
    peerNames = session.peerNames
    figures.handshakes.add(1, ordering: .relaxed)
  }

  func inputEnded() {
    goOnWithHandshake()
    if isClosed { return }
    if !session.isEstablished { figures.failed("the client closed the connection during the handshake") }
    user.inputEnded()
  }

  func hasRoom() -> Bool {
    guard sender.flush(socket.send) else { return true }
    return user.hasRoom()
  }

  /// For the connection, and for the socket if it has failed.
  func close() {
    if isClosed { return }
    isClosed = true
    if sender.isEmpty {
      session.sealEnd()
      sendSealed()
    }
    socket.close()
    user.close()
  }

  // MARK: Transport

  var descriptor: Int32 { socket.descriptor }

  func send(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard session.isEstablished else { return 0 }
    if let taken = sender.send(bytes, by: session, socket.send) { return taken }
    socket.fail()
    return 0
  }

  private func sendSealed() { sender.take(from: session, socket.send) }

  func setReading(_ isOn: Bool) { socket.setReading(isOn) }

  var unacknowledged: Int { socket.unacknowledged }

  var heldBytes: Int { sender.heldBytes + (handshake?.count ?? 0) }

  var isEstablished: Bool { session.isEstablished }
}
