/// TLS over a client's socket.
final class TLSClientSocket: ClientTransport {
  private let socket: ClientSocket
  private let session: TLSSession
  private var sender = SealedSender()
  private let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  /// Why nothing more can be read or written.
  private var failure: ClientError?
  private var hasEnded = false
  /// Whether a record of TLS has come.
  private var hasRecords = false
  /// What every record of TLS begins with: its kind (RFC 8446, section 5.1).
  private static let contentTypes: ClosedRange<UInt8> = 20...24

  /// Does the handshake.
  init(
    _ socket: ClientSocket, _ session: TLSSession, deadline: ContinuousClock.Instant?
  ) throws(ClientError) {
    self.socket = socket
    self.session = session
    session.beginHandshake()
    try sendSealed()
    while !session.isEstablished {
      _ = try wait(sender.isEmpty ? [.readable] : [.readable, .writable], until: deadline)
      guard try read() != nil else { throw .untrusted(reason: "the server closed the connection during the handshake") }
    }
  }

  deinit { space.deallocate() }

  func wait(_ events: Events, until deadline: ContinuousClock.Instant?) throws(ClientError) -> Events {
    try socket.wait(sender.isEmpty ? events : events.union(.writable), until: deadline)
  }

  func read() throws(ClientError) -> [UInt8]? {
    if let failure { throw failure }
    guard !hasEnded, let records = try socket.read() else { return nil }
    if !hasRecords, let first = records.first {
      guard Self.contentTypes.contains(first) else { throw .notTLS }
      hasRecords = true
    }
    var plain: [UInt8] = []
    let reception = records.withUnsafeBytes { records in
      session.receive(records, space: space) {
        plain += $0
        return true
      }
    }
    try sendSealed()
    switch reception {
    case .going: break
    case .ended: hasEnded = true
    case .failed(let error): failure = .untrusted(reason: error.description)
    }
    if plain.isEmpty {
      if let failure { throw failure }
      if hasEnded { return nil }
    }
    return plain
  }

  func write(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> Int {
    if let failure { throw failure }
    let taken = bytes.withUnsafeBytes { bytes in sender.send(bytes, by: session) { put($0) } }
    if let failure { throw failure }
    guard let taken else { throw .closed }
    return taken
  }

  func close() {
    session.sealEnd()
    sender.take(from: session) { put($0) }
    socket.close()
  }

  // MARK: Records

  private func sendSealed() throws(ClientError) {
    _ = sender.flush { put($0) }
    sender.take(from: session) { put($0) }
    if let failure { throw failure }
  }

  private func put(_ records: borrowing SealedRecords) -> Int {
    do { return try socket.write(records.bytes) } catch {
      failure = error
      return 0
    }
  }
}
